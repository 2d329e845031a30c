"""`nightsheet status`: counts, spend, pace, and when it will be done."""

from contextlib import nullcontext, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli.console import console
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.options.settings import LOOKING
from runner.cli.reports.status import BatchStatus, as_json, lines
from runner.cli.steps.active_run import active_run
from runner.cli.steps.open import execute, opened_batch, system_clock
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.store.store import Store

EXAMPLE = "nightsheet status --watch"
PACE_MINUTES = 10
"""The pace is measured over the last minutes, or over the run if it is younger."""
WATCH_SECONDS = 1.0


@with_settings(*LOOKING)
def command(
    settings: Settings,
    batch: BatchName = None,
    watch: Annotated[bool, typer.Option("--watch", help="Again each second, until nothing is left.")] = False,
) -> None:
    """Show how a batch stands: counts, spend, pace, and when it will be done. Works beside a run."""
    # Ctrl-C is how one leaves --watch.
    with suppress(KeyboardInterrupt) if watch else nullcontext():
        execute(lambda: _show(settings, batch, watch=watch))


async def _show(settings: Settings, name: str | None, *, watch: bool) -> None:
    clock = system_clock()
    async with opened_batch(settings, clock, name) as (store, batch):
        status = await _status(store, batch.id, settings, clock.now())
        if settings.as_json:
            console.as_json(as_json(status), indent=None if watch else 2)
            while watch and status.left:
                await clock.sleep(WATCH_SECONDS)
                status = await _status(store, batch.id, settings, clock.now())
                console.as_json(as_json(status), indent=None)
            return
        if not watch:  # a command in it can be copied, however narrow the terminal
            for line, style in lines(status, settings):
                console.result(line, style)
            return
        with console.redrawn() as draw:
            draw(list(lines(status, settings)))
            while status.left:
                await clock.sleep(WATCH_SECONDS)
                status = await _status(store, batch.id, settings, clock.now())
                draw(list(lines(status, settings)))


async def _status(store: "Store", batch_id: int, settings: Settings, now: datetime) -> BatchStatus:
    batch = await store.batches.get(batch_id)
    queued = await store.preview.to_send(batch_id)
    run = await active_run(store, batch, settings)
    counts, account = await store.jobs.counts_and_account(batch_id)
    priced = (batch.prices[model] * images for model, (_, images) in queued.items() if model in batch.prices)
    return BatchStatus(
        batch=batch,
        counts=counts,
        account=account,
        queued_usd=sum(priced, Decimal(0)),
        unpriced=any(model not in batch.prices for model in queued),
        unconfirmed_usd=await store.ledger.unconfirmed_usd(batch_id),
        is_active=run is not None,
        pace=0.0 if run is None or batch.paused else await _pace(store, batch_id, run.started_at, now),
        at=now,
        links=await store.links.count(batch_id),
        held=await store.held.count(batch_id),
    )


async def _pace(store: "Store", batch_id: int, started_at: datetime, now: datetime) -> float:
    since = max(started_at, now - timedelta(minutes=PACE_MINUTES))
    minutes = (now - since).total_seconds() / 60
    return await store.jobs.ended_since(batch_id, since) / minutes if minutes > 0 else 0.0
