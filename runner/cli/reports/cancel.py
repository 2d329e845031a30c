"""What `cancel` did, in words and as JSON."""

from typing import Any

from runner.cli.console import console
from runner.cli.console.errors import show_error
from runner.cli.console.formatting import then
from runner.cli.reports.not_changed import not_changed_json, not_changed_lines
from runner.deciding.cancel import CancelResult
from runner.humanize import count_of
from runner.settings import Settings


def show_api_messages(result: CancelResult) -> None:
    """What the API answered where that was of no use, on standard error, with --json too."""
    for message in result.api_messages:
        console.message(message, "bold red")
    if result.error is not None:
        show_error(result.error)


def as_json(batch: str, result: CancelResult) -> dict[str, Any]:
    """For scripts. Jobs in `asked_of_api` may still be cancelled: a run finds out.

    Those in `waiting` keep their request to be cancelled: the next run passes it on.
    """
    return {
        "batch": batch,
        "cancelled_queued": result.queued,
        "cancelled_at_api": result.cancelled,
        "lost": result.lost,
        "asked_of_api": result.asked,
        "not_cancellable": result.not_cancellable,
        "waiting": result.waiting,
        "asked_of_runner": result.by_runner,
        "left": not_changed_json(result.not_changed),
    }


def show(batch: str, result: CancelResult, settings: Settings) -> None:
    """For a person."""
    resume = then(settings, "resume", batch)
    for line in not_changed_lines("Not cancelled", result.not_changed, all_jobs=settings.verbose):
        console.message(line)
    console.result(f"{count_of(result.queued, 'job')} cancelled before being sent: free.")
    if result.cancelled:
        console.result(f"{count_of(len(result.cancelled), 'job')} cancelled at the API.")
    if result.lost:
        jobs = count_of(len(result.lost), "job")
        why = "the API does not know them, or gives no useful answer about them"
        console.result(f"{jobs} given up as lost: {why}. `retry` asks for them first, free.")
    if result.asked:
        jobs = count_of(len(result.asked), "job")
        console.result(f"{jobs}: the API was asked, and has not cancelled yet.")
        console.result(f"See what came of it with: {resume}")
    if result.by_runner:
        jobs = count_of(result.by_runner, "job")
        console.result(f"{jobs} at the API: the runner that holds this database cancels what it can.")
    if result.not_cancellable:
        jobs = count_of(len(result.not_cancellable), "job")
        console.result(f"Too late for {jobs}: paid for, and run on at the API. Fetch them with: {resume}")
    if result.waiting:
        jobs = count_of(len(result.waiting), "job")
        console.result(f"{jobs} could not be cancelled now. The next run tries again: {resume}")
