"""`nightsheet status`: counts, spend, pace, and when it will be done."""

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.states import ENDED, JobState
from runner.cli.console import console
from runner.cli.console.formatting import clock_time, then, zone_name
from runner.cli.options.settings import LOOKING, BatchName
from runner.cli.options.settings import command as made
from runner.cli.steps.active_run import run_at_work
from runner.cli.steps.open import execute, opened_batch, system_clock
from runner.humanize import count_of, jobs_a_minute, money

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import Account, BatchView, LinkCounts
    from runner.settings import Settings

EXAMPLE = "nightsheet status --watch"
PACE_MINUTES = 10
"""The pace is that of the last minutes, or of the run if it is younger."""
WATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """A batch at one moment."""

    batch: "BatchView"
    counts: dict[JobState, int]
    account: "Account"
    queued_usd: Decimal
    """What is queued costs at most, where its price is known."""
    unpriced: bool
    """Whether the price of something that is queued is unknown."""
    in_doubt_usd: Decimal
    """What submits without an answer may have cost on top of what is spent."""
    at_work: bool
    """Whether a runner has it in hand."""
    pace: float
    """Jobs a minute; 0 while that cannot be told."""
    at: datetime
    links: "LinkCounts"

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
    clock = system_clock()
    async with opened_batch(settings, clock, name) as (store, batch):
        standing = await _standing(store, batch.id, settings, clock.now())
        if settings.as_json:
            console.as_json(as_json(standing), indent=None if watch else 2)
            while watch and standing.left:
                await clock.sleep(WATCH_SECONDS)
                standing = await _standing(store, batch.id, settings, clock.now())
                console.as_json(as_json(standing), indent=None)
            return
        if not watch:  # a command in it can be copied, however narrow the terminal
            for line, style in lines(standing, settings):
                console.result(line, style)
            return
        with console.redrawn() as draw:
            draw(list(lines(standing, settings)))
            while standing.left:
                await clock.sleep(WATCH_SECONDS)
                standing = await _standing(store, batch.id, settings, clock.now())
                draw(list(lines(standing, settings)))


async def _standing(store: "Store", batch_id: int, settings: "Settings", now: datetime) -> BatchStatus:
    batch = await store.batches.get(batch_id)
    queued = await store.preview.to_send(batch_id)
    run = await run_at_work(store, batch, settings)
    counts, account = await store.jobs.counts_and_account(batch_id)
    return BatchStatus(
        batch=batch,
        counts=counts,
        account=account,
        queued_usd=sum(
            (
                batch.prices[model] * pictures
                for model, (_, pictures) in queued.items()
                if model in batch.prices
            ),
            Decimal(0),
        ),
        unpriced=any(model not in batch.prices for model in queued),
        in_doubt_usd=await store.ledger.unconfirmed_usd(batch_id),
        at_work=run is not None,
        pace=0.0 if run is None or batch.paused else await _pace(store, batch_id, run.started_at, now),
        at=now,
        links=await store.links.count(batch_id),
    )


async def _pace(store: "Store", batch_id: int, begun: datetime, now: datetime) -> float:
    since = max(begun, now - timedelta(minutes=PACE_MINUTES))
    minutes = (now - since).total_seconds() / 60
    return await store.jobs.ended_since(batch_id, since) / minutes if minutes > 0 else 0.0


def as_json(standing: BatchStatus) -> dict[str, Any]:
    """The shape that scripts rely on."""
    from jobs.manifests.record import moment

    paused, spent = standing.batch.paused, standing.account.spent_usd
    return {
        "batch": standing.batch.name,
        "total": standing.total,
        "counts": {state.value: standing.counts[state] for state in JobState},
        "submits": standing.account.submits,
        "unconfirmed": standing.counts[JobState.UNCONFIRMED],
        "cost": {
            "spent_usd": float(spent),
            "estimate_usd": float(spent + standing.queued_usd),
            "in_doubt_usd": float(standing.in_doubt_usd),
        },
        "paused": None if paused is None else {"reason": paused.reason.value, "since": moment(paused.since)},
    }


def lines(standing: BatchStatus, settings: "Settings") -> Iterator[tuple[str, str]]:
    """The same for a person, each line with its style."""
    batch, counts = standing.batch, standing.counts
    jobs, at = count_of(standing.total, "job"), f"{standing.at.astimezone():%H:%M} {zone_name(standing.at)}"
    yield f"Batch {batch.name}: {jobs} of {batch.sheet}, at {at}", "bold"
    for state in JobState:
        if counts[state]:
            yield f"  {state.value:<12}{counts[state]:>8,}", _STYLES.get(state, "")
    if standing.links.succeeded:
        yield f"{standing.links.succeeded:,} of the succeeded by a job that says the same: not paid", ""
    if standing.links.waiting:
        yield (
            f"{standing.links.waiting:,} of the queued wait for a job that says the same: not paid",
            "",
        )
    yield _money(standing), ""
    if standing.pace and standing.left:
        done = standing.at + timedelta(minutes=standing.left / standing.pace)
        yield f"Pace {jobs_a_minute(standing.pace)}, done about {clock_time(done, standing.at)}", ""
    if batch.paused is not None:
        since = clock_time(batch.paused.since, standing.at)
        yield f"Paused since {since} ({batch.paused.reason}): {batch.paused.detail}", "bold yellow"
    if standing.left and not standing.at_work:
        yield "No runner is at work on it.", ""
    if batch.paused is not None or (standing.left and not standing.at_work):
        more = ("--budget", "USD") if batch.paused and batch.paused.reason.value == "budget" else ()
        yield f"Go on with: {then(settings, 'resume', batch.name, *more)}", ""
    if counts[JobState.UNCONFIRMED]:
        yield f"Decide about the unconfirmed: {then(settings, 'review', batch.name)}", ""


def _money(standing: BatchStatus) -> str:
    batch, account = standing.batch, standing.account
    told = f"Spent {money(account.spent_usd)} in {count_of(account.submits, 'submit')}"
    if standing.queued_usd:
        told += f"; with what is queued at most {money(account.spent_usd + standing.queued_usd)}"
    if standing.unpriced:
        told += "; the price of what is queued is not known yet" if not standing.queued_usd else ", and more"
    if standing.counts[JobState.UNCONFIRMED] and standing.in_doubt_usd:
        told += f"; and up to {money(standing.in_doubt_usd)} in doubt"
    return told + (f"; budget {money(batch.budget)}" if batch.budget is not None else "")


_STYLES = {JobState.SUCCEEDED: "green", JobState.FAILED: "red", JobState.UNCONFIRMED: "yellow"}
