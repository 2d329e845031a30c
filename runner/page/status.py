"""Where a batch stands, as the head of the page shows it. The names are those of `status --json`."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jobs.manifests.record import moment
from jobs.pauses import PauseReason
from jobs.states import ENDED, JobState
from runner.page.page import Page

if TYPE_CHECKING:
    from jobs.views import BatchView, RunView

_VERBS = ("decide", "export", "reroll")
"""Of lines to type that the page puts together itself."""
_PACE_MINUTES = 10
"""The pace is measured over the last minutes, or over the run if it is younger."""


async def batch_status(page: Page, batch: "BatchView") -> dict[str, Any]:
    """Counts, money, pace and pause of a batch, and what to type to go on."""
    store, now = page.store, page.clock.now()
    run = await page.active_run(batch)
    counts, account = await store.jobs.counts_and_account(batch.id)
    queued = await store.preview.to_send(batch.id)
    held = await store.held.count(batch.id)
    priced = (batch.prices[model] * images for model, (_, images) in queued.items() if model in batch.prices)
    left = sum(many for state, many in counts.items() if state not in (*ENDED, JobState.UNCONFIRMED)) - held
    pace = 0.0 if run is None or batch.paused else await _pace(page, batch, run, now)
    return {
        "batch": batch.name,
        "total": sum(counts.values()),
        "counts": {state.value: many for state, many in counts.items()},
        "left": left,
        "held": held,
        "cost": {
            "spent_usd": float(account.spent_usd),
            "estimate_usd": float(account.spent_usd + sum(priced, Decimal(0))),
            "in_doubt_usd": float(await store.ledger.unconfirmed_usd(batch.id)),
            "budget_usd": None if batch.budget is None else float(batch.budget),
            "price_unknown": any(model not in batch.prices for model in queued),
        },
        "live": run is not None,
        "jobs_a_minute": pace,
        "done_at": moment(now + timedelta(minutes=left / pace)) if pace and left else None,
        "paused": _paused(batch),
        "commands": _commands(page, batch, counts, left=left, is_live=run is not None),
        "lines": {verb: page.command(verb, batch.name) for verb in _VERBS},
    }


async def _pace(page: Page, batch: "BatchView", run: "RunView", now: datetime) -> float:
    since = max(run.started_at, now - timedelta(minutes=_PACE_MINUTES))
    minutes = (now - since).total_seconds() / 60
    return await page.store.jobs.ended_since(batch.id, since) / minutes if minutes > 0 else 0.0


def _paused(batch: "BatchView") -> dict[str, Any] | None:
    if batch.paused is None:
        return None
    since = moment(batch.paused.since)
    return {"reason": batch.paused.reason.value, "detail": batch.paused.detail, "since": since}


def _commands(
    page: Page, batch: "BatchView", counts: dict[JobState, int], *, left: int, is_live: bool
) -> list[dict[str, str]]:
    """What a person may do next, as lines to type: the page itself does nothing."""
    told = []
    if batch.paused is not None or (left and not is_live):
        over = batch.paused is not None and batch.paused.reason is PauseReason.BUDGET
        more = ("--budget", "USD") if over else ()
        told.append({"to": "go on", "command": page.command("resume", batch.name, *more)})
    if counts[JobState.UNCONFIRMED]:
        told.append({"to": "decide about the unconfirmed", "command": page.command("review", batch.name)})
    if counts[JobState.FAILED]:
        told.append({"to": "give the failed another chance", "command": page.command("retry", batch.name)})
    return told
