"""`nightsheet audit`: every paid submit, what came of it, and what is paid and not in hand."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from runner.cli import render
from runner.cli.opening import execute, opened_batch, surroundings
from runner.cli.options import LOOKING, BatchName
from runner.cli.options import command as made
from runner.cli.words import many, money

if TYPE_CHECKING:
    from jobs.books import Books
    from jobs.views import AttemptView, BatchView
    from runner.settings import Settings

EXAMPLE = "nightsheet audit --json"
_UNBALANCED = 1
_HASH = 12


@made(*LOOKING)
def command(settings: "Settings", batch: BatchName = None) -> int:
    """Show every submit that was or may have been paid, and what is paid and not in hand.

    Ends with exit code 1 if the books do not balance: if any job was sent more often than was allowed.
    """
    return execute(lambda: _audit(settings, batch))


async def _audit(settings: "Settings", name: str | None) -> int:
    from jobs.books import balance

    async with opened_batch(settings, surroundings(), name) as (store, batch):
        ledger = await store.ledger(batch.id)
    books = balance(ledger)
    if settings.as_json:
        render.as_json(_as_json(batch, ledger, books))
    else:
        _show(batch, ledger, books)
    return 0 if books.balanced else _UNBALANCED


def _show(batch: "BatchView", ledger: "list[AttemptView]", books: "Books") -> None:
    columns = ("sent", "row", "key", "try", "payload", "outcome", "request_id", "cost")
    render.result(f"Submits of batch {batch.name}", "bold")
    render.table(columns, (_cells(attempt) for attempt in ledger), numbers=("row", "try", "cost"))
    if books.not_in_hand:
        rows = (
            (entry.attempt.key, entry.attempt.request_id or "", entry.why, _usd(entry.usd))
            for entry in books.not_in_hand
        )
        render.result()
        render.result("Paid, or perhaps paid, and not in hand", "bold")
        render.table(("key", "request_id", "why", "cost"), rows, numbers=("cost",))
        render.result(
            f"In all {many(len(books.not_in_hand), 'submit')}, up to {money(books.not_in_hand_usd)}."
        )
    render.result()
    render.result(
        f"{many(books.submits, 'submit')} for {many(books.jobs_sent, 'job')}, "
        f"{books.repeats_allowed:,} repeats allowed, {books.open_doubts:,} in doubt."
    )
    if books.balanced:
        render.result("The books balance: nothing was sent more often than was allowed.")
    else:
        keys = ", ".join(books.overdrawn)
        render.result(f"The books do not balance: sent more often than allowed: {keys}.", "bold red")
        render.result("Please report it: this is a defect of Nightsheet.")


def _cells(attempt: "AttemptView") -> tuple[str, ...]:
    from jobs.books import PAID_OR_MAYBE

    cost = _usd(attempt.cost_usd)
    if attempt.outcome not in PAID_OR_MAYBE:
        cost = "free"
    elif attempt.cost_usd is None and attempt.estimate_usd is not None:
        cost = f"up to {_usd(attempt.estimate_usd)}"
    return (
        f"{attempt.started_at:%Y-%m-%d %H:%M:%S}",
        str(attempt.row),
        attempt.key,
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


def _as_json(batch: "BatchView", ledger: "list[AttemptView]", books: "Books") -> dict[str, Any]:
    return {
        "batch": batch.name,
        "balanced": books.balanced,
        "jobs_sent": books.jobs_sent,
        "submits": books.submits,
        "repeats_allowed": books.repeats_allowed,
        "open_doubts": books.open_doubts,
        "overdrawn": list(books.overdrawn),
        "not_in_hand_usd": float(books.not_in_hand_usd),
        "not_in_hand": [
            {
                "key": entry.attempt.key,
                "attempt": entry.attempt.number,
                "request_id": entry.attempt.request_id,
                "why": entry.why,
                "usd": _number(entry.usd),
            }
            for entry in books.not_in_hand
        ],
        "attempts": [
            {
                "key": attempt.key,
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
