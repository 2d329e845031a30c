"""`nightsheet audit`: every paid submit, what came of it, and what is paid and not in hand."""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from runner.cli.console import console
from runner.cli.console.formatting import zone, zone_name
from runner.cli.options.settings import LOOKING, BatchName
from runner.cli.options.settings import command as made
from runner.cli.reports.audit import MissingImages, gone_from_disk, show_gone, show_linked
from runner.cli.steps.open import execute, opened_batch, system_clock
from runner.humanize import count_of, money

if TYPE_CHECKING:
    from jobs.ledger import LedgerAudit
    from jobs.views import AttemptView, BatchView, LinkedJob
    from runner.settings import Settings

EXAMPLE = "nightsheet audit --json"
_FOUND = 1
_HASH = 12


@made(*LOOKING)
def command(settings: "Settings", batch: BatchName = None) -> int:
    """Show every submit that was or may have been paid, and what is paid and not in hand.

    Ends with exit code 1 if the books do not balance (a job was sent more often than was allowed), or if
    pictures that a row of the sheet has are no longer on disk.
    """
    return execute(lambda: _audit(settings, batch))


async def _audit(settings: "Settings", name: str | None) -> int:
    from jobs.ledger import balance

    clock = system_clock()
    async with opened_batch(settings, clock, name) as (store, batch):
        ledger = await store.ledger.attempts(batch.id)
        rows = Rows(await store.jobs.revisions(batch.id))
        linked = await store.links.listed(batch.id)
        gone = await gone_from_disk(store, batch)
    books = balance(ledger)
    if settings.as_json:
        console.as_json(_as_json(batch, ledger, books, rows, linked, gone))
    else:
        _show(batch, ledger, books, rows, clock.now())
        show_linked(linked)
        show_gone(gone, batch, settings)
    return 0 if books.balanced and not any(one.wanted for one in gone) else _FOUND


class Rows:
    """Which revision of its row a submit was for, and what has become of that row since."""

    def __init__(self, revisions: Iterable[tuple[int, str, int, bool]]) -> None:
        told = list(revisions)
        self._revisions = {job_id: revision for job_id, _key, revision, _current in told}
        self._gone = {job_id for job_id, _key, _revision, current in told if not current}
        self._replaced = {key for _job_id, key, _revision, current in told if current}

    def revision(self, attempt: "AttemptView") -> int:
        """From 1."""
        return self._revisions.get(attempt.job_id, 1)

    def is_current(self, attempt: "AttemptView") -> bool:
        """Whether the sheet has what was sent."""
        return attempt.job_id not in self._gone

    def line(self, attempt: "AttemptView") -> str:
        """The row's line in the sheet, as far as it still is one."""
        if self.is_current(attempt):
            return str(attempt.row)
        return "replaced" if attempt.key in self._replaced else "gone"

    def differ(self, attempts: Iterable["AttemptView"]) -> bool:
        """Whether there is anything to be told apart."""
        return any(attempt.job_id in self._revisions for attempt in attempts)


def _show(
    batch: "BatchView", ledger: "list[AttemptView]", books: "LedgerAudit", rows: Rows, now: datetime
) -> None:
    console.result(f"Submits of batch {batch.name}, times in {zone_name(now)}", "bold")
    revised = ("revision",) if rows.differ(ledger) else ()
    console.table(
        ("sent", "row", "key", *revised, "try", "payload", "outcome", "request_id", "cost"),
        (_cells(attempt, rows, zone(now), revised=bool(revised)) for attempt in ledger),
        numbers=("row", "revision", "try", "cost"),
        spare=("payload", "row", "try", "sent", "request_id"),
    )
    if books.not_in_hand:
        missing = (
            (
                entry.attempt.key,
                *([rows.revision(entry.attempt)] if revised else []),
                entry.attempt.request_id or "",
                entry.why,
                _usd(entry.usd),
            )
            for entry in books.not_in_hand
        )
        console.result()
        console.result("Paid, or perhaps paid, and not in hand", "bold")
        console.table(
            ("key", *revised, "request_id", "why", "cost"),
            missing,
            numbers=("revision", "cost"),
            flowing=("why",),
            spare=("request_id",),
        )
        console.result(
            f"In all {count_of(len(books.not_in_hand), 'submit')}, up to {money(books.not_in_hand_usd)}."
        )
    console.result()
    console.result(
        f"{count_of(books.submits, 'submit')} for {count_of(books.jobs_sent, 'job')}, "
        f"{books.repeats_allowed:,} repeats allowed, {books.unconfirmed:,} in doubt."
    )
    if books.balanced:
        console.result("The books balance: nothing was sent more often than was allowed.")
    else:
        keys = ", ".join(books.overdrawn)
        console.result(f"The books do not balance: sent more often than allowed: {keys}.", "bold red")
        console.result("Please report it: this is a defect of Nightsheet.")


def _cells(attempt: "AttemptView", rows: Rows, here: tzinfo, *, revised: bool) -> tuple[str, ...]:
    from jobs.ledger import PAID_OR_MAYBE

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
        str(attempt.number),
        attempt.payload_sha256[:_HASH],
        str(attempt.outcome),
        attempt.request_id or "",
        cost,
    )


def _usd(amount: Decimal | None) -> str:
    return "" if amount is None else money(amount)


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _as_json(
    batch: "BatchView",
    ledger: "list[AttemptView]",
    books: "LedgerAudit",
    rows: Rows,
    linked: "list[LinkedJob]",
    gone: list[MissingImages],
) -> dict[str, Any]:
    return {
        "batch": batch.name,
        "balanced": books.balanced,
        "jobs_sent": books.jobs_sent,
        "submits": books.submits,
        "repeats_allowed": books.repeats_allowed,
        "open_doubts": books.unconfirmed,
        "overdrawn": list(books.overdrawn),
        "not_in_hand_usd": float(books.not_in_hand_usd),
        "not_in_hand": [
            {
                "key": entry.attempt.key,
                "revision": rows.revision(entry.attempt),
                "attempt": entry.attempt.number,
                "request_id": entry.attempt.request_id,
                "why": entry.why,
                "usd": _number(entry.usd),
            }
            for entry in books.not_in_hand
        ],
        "linked": [
            {"key": job.key, "row": job.row, "state": job.state.value, "same_as": job.same_as}
            for job in linked
        ],
        "gone": [
            {
                "key": one.job.key,
                "revision": one.job.revision,
                "row": one.job.row,
                "wanted": one.wanted,
                "paths": list(one.paths),
            }
            for one in gone
        ],
        "attempts": [
            {
                "key": attempt.key,
                "revision": rows.revision(attempt),
                "current": rows.is_current(attempt),
                "row": attempt.row,
                "attempt": attempt.number,
                "payload_sha256": attempt.payload_sha256,
                "sent_at": attempt.started_at.isoformat().replace("+00:00", "Z"),
                "outcome": str(attempt.outcome),
                "request_id": attempt.request_id,
                "cost_usd": _number(attempt.cost_usd),
                "estimate_usd": _number(attempt.estimate_usd),
                "ended": attempt.ended,
                "automatic": attempt.automatic,
            }
            for attempt in ledger
        ],
    }
