"""`nightsheet status`: counts, spend, pace, and when it will be done."""

from contextlib import nullcontext, suppress
from typing import Annotated

import typer

from runner.cli.console import console
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.options.settings import FINDING, LOOKING
from runner.cli.reports.status import as_json, lines
from runner.cli.steps.open import execute, opened_batch, system_clock, tell_if_retired
from runner.cli.steps.standing import standing
from runner.settings import Settings

EXAMPLE = "nightsheet status --watch"
WATCH_SECONDS = 1.0


@with_settings(*LOOKING, *FINDING)
def command(
    settings: Settings,
    batch: BatchName = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again each second, until nothing is left to do.")
    ] = False,
) -> None:
    """Show how a batch stands: counts, spend, pace, and when it will be done. Works beside a run."""
    # Ctrl-C is how one leaves --watch.
    with suppress(KeyboardInterrupt) if watch else nullcontext():
        execute(lambda: _show(settings, batch, watch=watch))


async def _show(settings: Settings, name: str | None, *, watch: bool) -> None:
    clock = system_clock()
    async with opened_batch(settings, clock, name) as (store, batch):
        await tell_if_retired(store)
        status = await standing(store, batch.id, settings, clock.now())
        if settings.as_json:
            console.as_json(as_json(status), indent=None if watch else 2)
            while watch and status.left:
                await clock.sleep(WATCH_SECONDS)
                status = await standing(store, batch.id, settings, clock.now())
                console.as_json(as_json(status), indent=None)
            return
        if not watch:  # a command in it can be copied, however narrow the terminal
            for line, style in lines(status, settings):
                console.result(line, style)
            return
        with console.redrawn() as draw:
            draw(list(lines(status, settings, steady=True)))
            while status.left:
                await clock.sleep(WATCH_SECONDS)
                status = await standing(store, batch.id, settings, clock.now())
                draw(list(lines(status, settings, steady=True)))
