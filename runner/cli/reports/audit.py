"""An audit in words and as JSON: the ledger, linked jobs, and images that are missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jobs.ledger import LedgerAudit
from jobs.manifests.record import dollars, moment
from runner.cli.console import console
from runner.cli.console.formatting import then
from runner.cli.reports.ledger import SheetRows, show_balance, show_submits
from runner.humanize import count_of, money
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.views import AttemptView, BatchView, JobView, LinkedJob


@dataclass(frozen=True, slots=True)
class MissingImages:
    """A job that succeeded, and the paths of its images that are missing or changed."""

    job: "JobView"
    paths: tuple[str, ...]
    wanted: bool
    """Whether a row of the sheet has them: `retry` fetches them again."""


@dataclass(frozen=True, slots=True)
class Audit:
    """All that an audit of a batch looks at."""

    batch: "BatchView"
    attempts: "list[AttemptView]"
    books: LedgerAudit
    rows: SheetRows
    linked: "list[LinkedJob]"
    missing: list[MissingImages]

    @property
    def is_clean(self) -> bool:
        """Whether the books balance, and every image that a row of the sheet has is on disk."""
        return self.books.balanced and not any(images.wanted for images in self.missing)


def show(audit: Audit, settings: Settings, now: datetime) -> None:
    """For a person."""
    show_submits(audit.batch.name, audit.attempts, audit.rows, now)
    show_balance(audit.attempts, audit.books, audit.rows)
    if audit.linked:
        _show_linked(audit.linked)
    if audit.missing:
        _show_missing(audit.missing, then(settings, "retry", audit.batch.name))


def _show_linked(linked: "Sequence[LinkedJob]") -> None:
    """Each linked job, and the job that was sent instead."""
    console.result()
    console.result("Not sent: another job says the same, and its result counts for both", "bold")
    rows = ((job.row, job.key, job.same_as, job.state.value, money(Decimal(0))) for job in linked)
    console.table(("row", "key", "same as", "state", "cost"), rows, numbers=("row", "cost"))


def _show_missing(missing: Sequence[MissingImages], retry: str) -> None:
    """Each missing image, and how to get it back, as far as a row of the sheet has it."""
    console.result()
    console.result("Came home, and no longer on disk as they were", "bold red")
    rows = (
        (images.job.row if images.job.current else "gone", images.job.key, path)
        for images in missing
        for path in images.paths
    )
    console.table(("row", "key", "picture"), rows, numbers=("row",), flowing=("picture",))
    wanted = [images for images in missing if images.wanted]
    unwanted = [images for images in missing if not images.wanted]
    if wanted:
        console.result(
            f"In all {_size(wanted)}. Put them back, or have them fetched again, free as long as the API has"
            f" them: {retry}"
        )
    if unwanted:
        console.result(
            f"Not fetched again: {_size(unwanted)}, whose rows are no longer in the sheet, or say something"
            " else by now."
        )


def _size(missing: Sequence[MissingImages]) -> str:
    images = sum(len(job.paths) for job in missing)
    return f"{count_of(images, 'picture')} of {count_of(len(missing), 'job')}"


def as_json(audit: Audit) -> dict[str, Any]:
    """For scripts."""
    books, rows = audit.books, audit.rows
    return {
        "batch": audit.batch.name,
        "balanced": books.balanced,
        "jobs_sent": books.jobs_sent,
        "submits": books.submits,
        "repeats_allowed": books.repeats_allowed,
        "open_doubts": books.unconfirmed,
        "turned_away": books.turned_away,
        "overdrawn": list(books.overdrawn),
        "not_in_hand_usd": float(books.not_in_hand_usd),
        "not_in_hand": [
            {
                "key": entry.attempt.key,
                "revision": rows.revision(entry.attempt),
                "attempt": entry.attempt.number,
                "request_id": entry.attempt.request_id,
                "why": entry.why,
                "usd": dollars(entry.usd),
            }
            for entry in books.not_in_hand
        ],
        "linked": [
            {"key": job.key, "row": job.row, "state": job.state.value, "same_as": job.same_as}
            for job in audit.linked
        ],
        "gone": [
            {
                "key": images.job.key,
                "revision": images.job.revision,
                "row": images.job.row,
                "wanted": images.wanted,
                "paths": list(images.paths),
            }
            for images in audit.missing
        ],
        "attempts": [_attempt_json(attempt, rows) for attempt in audit.attempts],
    }


def _attempt_json(attempt: "AttemptView", rows: SheetRows) -> dict[str, Any]:
    return {
        "key": attempt.key,
        "revision": rows.revision(attempt),
        "current": rows.is_current(attempt),
        "row": attempt.row,
        "attempt": attempt.number,
        "uid": attempt.uid,
        "payload_sha256": attempt.payload_sha256,
        "sent_at": moment(attempt.started_at),
        "outcome": str(attempt.outcome),
        "request_id": attempt.request_id,
        "cost_usd": dollars(attempt.cost_usd),
        "estimate_usd": dollars(attempt.estimate_usd),
        "ended": attempt.ended,
        "automatic": attempt.automatic,
        "detail": attempt.detail,
    }
