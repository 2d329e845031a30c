"""The ledger of a batch for a person: a table of its submits, and whether the books balance."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING

from jobs.attempts import PAID_OR_MAYBE
from jobs.ledger import LedgerAudit
from runner.cli.console import console
from runner.cli.console.formatting import zone, zone_name
from runner.humanize import count_of, money

if TYPE_CHECKING:
    from jobs.views import AttemptView

_HASH_LENGTH = 12


class SheetRows:
    """Which revision of its row a submit was for, and what has happened to that row since."""

    def __init__(self, revisions: Iterable[tuple[int, str, int, bool]]) -> None:
        rows = list(revisions)
        self._revisions = {job_id: revision for job_id, _key, revision, _current in rows}
        self._gone = {job_id for job_id, _key, _revision, current in rows if not current}
        self._replaced = {key for _job_id, key, _revision, current in rows if current}

    def revision(self, attempt: "AttemptView") -> int:
        """From 1."""
        return self._revisions.get(attempt.job_id, 1)

    def is_current(self, attempt: "AttemptView") -> bool:
        """Whether the sheet still has what was sent."""
        return attempt.job_id not in self._gone

    def line(self, attempt: "AttemptView") -> str:
        """The row's line in the sheet, or why it has none."""
        if self.is_current(attempt):
            return str(attempt.row)
        return "replaced" if attempt.key in self._replaced else "gone"

    def has_revisions(self, attempts: Iterable["AttemptView"]) -> bool:
        """Whether a column for revisions has anything to show."""
        return any(attempt.job_id in self._revisions for attempt in attempts)


def show_submits(batch: str, attempts: Sequence["AttemptView"], rows: SheetRows, now: datetime) -> None:
    """Every submit, in the order in which they were sent."""
    console.result(f"Submits of batch {batch}, times in {zone_name(now)}", "bold")
    revised = ("revision",) if rows.has_revisions(attempts) else ()
    console.table(
        ("sent", "row", "key", *revised, "try", "payload", "outcome", "request_id", "cost"),
        (_cells(attempt, rows, zone(now), revised=bool(revised)) for attempt in attempts),
        numbers=("row", "revision", "try", "cost"),
        spare=("payload", "row", "try", "sent", "request_id"),
    )


def show_balance(attempts: Sequence["AttemptView"], books: LedgerAudit, rows: SheetRows) -> None:
    """What is paid and not in hand, and whether a job was sent more often than was allowed."""
    if books.not_in_hand:
        _show_not_in_hand(books, rows, revised=rows.has_revisions(attempts))
    console.result()
    console.result(
        f"{count_of(books.submits, 'submit')} for {count_of(books.jobs_sent, 'job')}, "
        f"{books.repeats_allowed:,} repeats allowed, {books.unconfirmed:,} unconfirmed."
    )
    if books.turned_away:
        console.result(
            f"{count_of(books.turned_away, 'submit')} more turned away: answered, not accepted, and free."
        )
    if books.balanced:
        console.result("The books balance: nothing was sent more often than was allowed.")
    else:
        keys = ", ".join(books.overdrawn)
        console.result(f"The books do not balance: sent more often than allowed: {keys}.", "bold red")
        console.result("Please report it: this is a defect of Nightsheet.")


def _show_not_in_hand(books: LedgerAudit, rows: SheetRows, *, revised: bool) -> None:
    def cells() -> Iterator[tuple[object, ...]]:
        for entry in books.not_in_hand:
            revision = (rows.revision(entry.attempt),) if revised else ()
            yield (
                entry.attempt.key,
                *revision,
                entry.attempt.request_id or "",
                entry.why,
                _usd(entry.usd),
            )

    console.result()
    console.result("Paid or possibly paid, without pictures here", "bold")
    console.table(
        ("key", *(("revision",) if revised else ()), "request_id", "why", "cost"),
        cells(),
        numbers=("revision", "cost"),
        flowing=("why",),
        spare=("request_id",),
    )
    total = money(books.not_in_hand_usd)
    console.result(f"In all {count_of(len(books.not_in_hand), 'submit')}, up to {total}.")


def _cells(attempt: "AttemptView", rows: SheetRows, here: tzinfo, *, revised: bool) -> tuple[str, ...]:
    cost = _usd(attempt.cost_usd)
    if attempt.outcome not in PAID_OR_MAYBE:
        cost = "free"
    elif attempt.cost_usd is None and attempt.estimate_usd is not None:
        cost = f"up to {_usd(attempt.estimate_usd)}"
    return (
        f"{attempt.started_at.astimezone(here):%Y-%m-%d %H:%M:%S}",
        rows.line(attempt),
        attempt.key,
        *([str(rows.revision(attempt))] if revised else []),
        "" if attempt.number is None else str(attempt.number),
        attempt.payload_sha256[:_HASH_LENGTH],
        str(attempt.outcome),
        attempt.request_id or "",
        cost,
    )


def _usd(amount: Decimal | None) -> str:
    return "" if amount is None else money(amount)
