"""What `retry` did, in words and as JSON."""

from typing import TYPE_CHECKING, Any

from runner.cli.console import console
from runner.cli.console.formatting import then
from runner.cli.reports.not_changed import not_changed_json, not_changed_lines, price_json
from runner.deciding.changes import price_to_send
from runner.deciding.retry import RetryPlan
from runner.humanize import count_of, price
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.views import BatchView


def as_json(batch: "BatchView", retried: RetryPlan) -> dict[str, Any]:
    """For scripts."""
    return {
        "batch": batch.name,
        "reopened": [job.key for job in retried.free],
        "requeued": [job.key for job in retried.paid],
        "linked": [job.key for job in retried.linked],
        "left": not_changed_json(retried.not_retried),
        "price": price_json(*price_to_send(batch, retried.paid)),
    }


def show(batch: "BatchView", retried: RetryPlan, settings: Settings) -> None:
    """For a person."""
    for line in not_changed_lines("Not retried", retried.not_retried, all_jobs=settings.verbose):
        console.message(line)
    if retried.free:
        console.result(f"{count_of(len(retried.free), 'job')} will be fetched again: free.")
    if retried.linked:
        console.result(
            f"{count_of(len(retried.linked), 'job')} will get the result of an identical job: free."
        )
    if retried.paid:
        cost = price(*price_to_send(batch, retried.paid))
        console.result(
            f"{count_of(len(retried.paid), 'job')} will be sent again and paid for, {cost}.", "bold"
        )
    if retried.is_empty:
        console.result("Nothing to retry.")
    else:
        console.result(f"Nothing was sent yet. Next: {then(settings, 'resume', batch.name)}")
