"""`nightsheet status`: counts, spend, pace, and when it will be done."""

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.states import ENDED, JobState
from runner.cli import render
from runner.cli.opening import execute, opened_batch, surroundings
from runner.cli.options import LOOKING, BatchName
from runner.cli.options import command as made
from runner.cli.words import clock_time, many, money, then

if TYPE_CHECKING:
    from jobs.store.door import Store
    from jobs.views import Account, BatchView
    from runner.settings import Settings

EXAMPLE = "nightsheet status --watch"
PACE_MINUTES = 10
"""The pace is that of the last minutes."""
WATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Standing:
    """A batch at one moment."""

    batch: "BatchView"
    counts: dict[JobState, int]
    account: "Account"
    queued_usd: Decimal
    """What is queued costs at most, where its price is known."""
    unpriced: bool
    """Whether the price of something that is queued is unknown."""
    ended_lately: int
    at: datetime

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        """Jobs that the runner still has something to do for."""
        return self.total - sum(self.counts[state] for state in (*ENDED, JobState.UNCONFIRMED))


@made(*LOOKING)
def command(
    settings: "Settings",
    batch: BatchName = None,
    watch: Annotated[bool, typer.Option("--watch", help="Again each second, until nothing is left.")] = False,
) -> int:
    """Show how a batch stands: counts, spend, pace, and when it will be done. Works beside a run."""
    # Ctrl-C is how one leaves --watch.
    with suppress(KeyboardInterrupt) if watch else nullcontext():
        execute(lambda: _show(settings, batch, watch=watch))
    return 0


async def _show(settings: "Settings", name: str | None, *, watch: bool) -> None:
    around = surroundings()
    async with opened_batch(settings, around, name) as (store, batch):
        standing = await _standing(store, batch.id, around.clock.now())
        if settings.as_json:
            render.as_json(as_json(standing), indent=None if watch else 2)
            while watch and standing.left:
                await around.clock.sleep(WATCH_SECONDS)
                standing = await _standing(store, batch.id, around.clock.now())
                render.as_json(as_json(standing), indent=None)
            return
        with render.redrawn() as draw:
            draw(list(lines(standing, settings)))
            while watch and standing.left:
                await around.clock.sleep(WATCH_SECONDS)
                standing = await _standing(store, batch.id, around.clock.now())
                draw(list(lines(standing, settings)))


async def _standing(store: "Store", batch_id: int, now: datetime) -> Standing:
    batch = await store.refresh(batch_id)
    queued = await store.queued_pictures(batch_id)
    return Standing(
        batch=batch,
        counts=await store.counts(batch_id),
        account=await store.account(batch_id),
        queued_usd=sum(
            (
                batch.prices[model] * pictures
                for model, (_, pictures) in queued.items()
                if model in batch.prices
            ),
            Decimal(0),
        ),
        unpriced=any(model not in batch.prices for model in queued),
        ended_lately=await store.ended_since(batch_id, now - timedelta(minutes=PACE_MINUTES)),
        at=now,
    )


def as_json(standing: Standing) -> dict[str, Any]:
    """The shape that scripts rely on."""
    from jobs.manifests.record import moment

    paused, spent = standing.batch.paused, standing.account.spent_usd
    return {
        "batch": standing.batch.name,
        "total": standing.total,
        "counts": {state.value: standing.counts[state] for state in JobState},
        "submits": standing.account.submits,
        "unconfirmed": standing.counts[JobState.UNCONFIRMED],
        "cost": {"spent_usd": float(spent), "estimate_usd": float(spent + standing.queued_usd)},
        "paused": None if paused is None else {"reason": paused.reason.value, "since": moment(paused.since)},
    }


def lines(standing: Standing, settings: "Settings") -> Iterator[tuple[str, str]]:
    """The same for a person, each line with its style."""
    batch, counts, account = standing.batch, standing.counts, standing.account
    yield f"Batch {batch.name}: {many(standing.total, 'job')} of {batch.sheet}", "bold"
    for state in JobState:
        if counts[state]:
            yield f"  {state.value:<12}{counts[state]:>8,}", _STYLES.get(state, "")
    told = f"Spent {money(account.spent_usd)} in {many(account.submits, 'submit')}"
    if standing.queued_usd:
        told += f"; with what is queued at most {money(account.spent_usd + standing.queued_usd)}"
    if standing.unpriced:
        told += "; the price of what is queued is not known yet" if not standing.queued_usd else ", and more"
    yield told + (f"; budget {money(batch.budget)}" if batch.budget is not None else ""), ""
    if standing.ended_lately and standing.left:
        pace = standing.ended_lately / PACE_MINUTES
        done = standing.at + timedelta(minutes=standing.left / pace)
        yield f"Pace {pace:.1f} jobs a minute, done about {clock_time(done, standing.at)}", ""
    if batch.paused is not None:
        since = clock_time(batch.paused.since, standing.at)
        yield f"Paused since {since} ({batch.paused.reason}): {batch.paused.detail}", "bold yellow"
        yield f"Go on with: {then(settings, 'resume', batch.name)}", ""
    if counts[JobState.UNCONFIRMED]:
        yield f"Decide about the unconfirmed: {then(settings, 'review', batch.name)}", ""


_STYLES = {JobState.SUCCEEDED: "green", JobState.FAILED: "red", JobState.UNCONFIRMED: "yellow"}
