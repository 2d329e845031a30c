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
    from jobs.submit_record import SubmitRecord
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
    unmatched: "list[SubmitRecord]"
    """What the journal knows and the database does not."""
    recounted: int
    """Kept counts that were wrong, and were counted again."""

    @property
    def is_clean(self) -> bool:
        """Whether the books balance, also with the journal, and a row's images are all on disk."""
        return (
            self.books.balanced and not self.unmatched and not any(images.wanted for images in self.missing)
        )


def show(audit: Audit, settings: Settings, now: datetime) -> None:
    """For a person."""
    show_submits(audit.batch.name, audit.attempts, audit.rows, now)
    show_balance(audit.attempts, audit.books, audit.rows)
    if audit.unmatched:
        _show_unmatched(audit.unmatched)
    if audit.linked:
        _show_linked(audit.linked)
    if audit.missing:
        _show_missing(audit.missing, then(settings, "retry", audit.batch.name))
    if audit.recounted:
        console.result()
        many = count_of(audit.recounted, "kept count")
        console.result(
            f"{many} did not agree with the jobs: another program wrote to the database. "
            "They are counted again, and right now.",
            "bold yellow",
        )


def _show_unmatched(records: "Sequence[SubmitRecord]") -> None:
    """Each submit that only the journal knows: the next run takes up those that fit a row."""
    console.result()
    console.result("In the journal, and not in the database: paid for, or perhaps", "bold red")
    rows = (
        (record.key, moment(record.at), record.receipt or "no answer", _cost(record)) for record in records
    )
    console.table(("key", "sent at", "request_id", "at most"), rows, numbers=("at most",))
    console.result("The next run takes up those that fit a row of its sheet, and sends none of them again.")


def _cost(record: "SubmitRecord") -> str:
    return "unknown" if record.estimate_usd is None else money(record.estimate_usd)


def _show_linked(linked: "Sequence[LinkedJob]") -> None:
    """Each linked job, and the job that was sent instead."""
    console.result()
    console.result("Not sent: an identical job was sent, and its result counts for both", "bold")
    rows = ((job.row, job.key, job.same_as, job.state.value, money(Decimal(0))) for job in linked)
    console.table(("row", "key", "same as", "state", "cost"), rows, numbers=("row", "cost"))


def _show_missing(missing: Sequence[MissingImages], retry: str) -> None:
    """Each missing image, and how to get it back, as far as a row of the sheet has it."""
    console.result()
    console.result("Downloaded, but missing or changed on disk", "bold red")
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
        "unmatched": [
            {
                "key": record.key,
                "uid": record.uid,
                "payload_sha256": record.payload_sha256,
                "sent_at": moment(record.at),
                "request_id": record.receipt,
                "estimate_usd": dollars(record.estimate_usd),
            }
            for record in audit.unmatched
        ],
        "recounted": audit.recounted,
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
