"""Where a batch stands, as the head of the page shows it. The names are those of `status --json`."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from jobs.manifests.record import moment
from jobs.pauses import FREE_TO_END, PauseReason
from jobs.states import ENDED, JobState
from runner.page.page import Page
from runner.page.panels.words import REMEDIES, ending
from runner.standing import jobs_a_minute, price_of_queued

if TYPE_CHECKING:
    from jobs.views import BatchView, Pause

_VERBS = ("decide", "export", "gallery", "reroll")
"""Of lines to type that the page puts together itself."""


async def batch_status(page: Page, batch: "BatchView") -> dict[str, Any]:
    """Counts, money, pace and pause of a batch, and what to type to go on."""
    store, now = page.store, page.clock.now()
    run = await page.active_run(batch)
    counts, account = await store.jobs.counts_and_account(batch.id)
    queued = await store.preview.to_send(batch.id)
    held = await store.held.count(batch.id)
    queued_usd, is_price_unknown = price_of_queued(batch, queued)
    left = sum(many for state, many in counts.items() if state not in (*ENDED, JobState.UNCONFIRMED)) - held
    pace = await jobs_a_minute(store, batch, run, now)
    return {
        "batch": batch.name,
        "total": sum(counts.values()),
        "counts": {state.value: many for state, many in counts.items()},
        "left": left,
        "held": held,
        "cost": {
            "spent_usd": float(account.spent_usd),
            "estimate_usd": float(account.spent_usd + queued_usd),
            "in_doubt_usd": float(await store.ledger.unconfirmed_usd(batch.id)),
            "budget_usd": None if batch.budget is None else float(batch.budget),
            "price_unknown": is_price_unknown,
        },
        "live": run is not None,
        "ended": None if run is not None else await _ended(page, batch),
        "jobs_a_minute": pace,
        "done_at": moment(now + timedelta(minutes=left / pace)) if pace and left else None,
        "paused": paused_told(batch.paused),
        "commands": _commands(page, batch, counts, left=left, is_live=run is not None),
        "lines": {verb: page.command(verb, batch.name) for verb in _VERBS},
    }


def paused_told(paused: "Pause | None") -> dict[str, Any] | None:
    """Why and since when a batch is paused, and whether the page may end that."""
    if paused is None:
        return None
    return {
        "reason": paused.reason.value,
        "detail": paused.detail,
        "since": moment(paused.since),
        "may_end": paused.reason in FREE_TO_END,
        "remedy": REMEDIES[paused.reason],
    }


async def _ended(page: Page, batch: "BatchView") -> dict[str, Any] | None:
    """How the last run ended, if it was over this batch: the table keeps the newest one in mind alone."""
    last = await page.store.batches.latest_run()
    if last is None or last.batch != batch.name:
        return None
    return {"at": moment(last.ended_at), "how": ending(last.exit_code)}


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
