"""`nightsheet view`: the page, in a browser of this machine, until Ctrl-C."""

import os
import signal
import webbrowser
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import anyio
import typer
from anyio import to_thread

from jobs.errors import UsageProblem
from runner.cli.console import console
from runner.cli.console.formatting import then
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.steps.active_run import active_run
from runner.cli.steps.open import execute, open_existing, process_environment, system_clock
from runner.settings import Settings, as_kept

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView

EXAMPLE = "nightsheet view first-night"


@with_settings("db", "output_dir", "emulator", "json", "verbose")
def command(
    settings: Settings,
    batch: BatchName = None,
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="The port; 0 takes a free one.")
    ] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in a browser.")] = True,
    look: Annotated[bool, typer.Option("--look", help="Only look: nothing is decided on the page.")] = False,
) -> None:
    """Show a batch as a page in the browser: every picture and every job, live. It never pays.

    It serves this machine alone, until Ctrl-C. The address that it prints works once, within a minute.
    """
    with suppress(KeyboardInterrupt):  # where signals cannot be awaited, on Windows
        execute(lambda: _view(settings, batch, port, browser=browser, look=look))


async def _view(settings: Settings, name: str | None, port: int, *, browser: bool, look: bool) -> None:
    from runner.page.server import serving
    from runner.page.session import Rights

    clock = system_clock()
    async with open_existing(settings, clock) as store:
        path = await _path(store, name)
        async with serving(
            store,
            lambda batch: as_kept(settings, batch).output_root,
            clock,
            active_run=lambda batch: active_run(store, batch, settings),
            command=partial(then, settings),
            report=_report,
            port=port,
            rights=Rights.LOOK if look else Rights.DECIDE,
            settle=lambda batch: _settle(settings, store, batch),
            folder=Path.cwd(),
            usual={"concurrency": settings.concurrency, "rate": settings.rate, "budget": settings.budget},
        ) as page:
            url = page.link(path)
            if settings.as_json:
                console.as_json({"url": url, "port": page.port, "pid": os.getpid()}, indent=None)
            else:
                console.result(url)
                console.message("The page is served until Ctrl-C. The address works once, within a minute.")
                if browser and console.is_interactive():
                    await to_thread.run_sync(webbrowser.open, url)
            await _until_interrupted()


async def _settle(settings: Settings, store: "Store", batch: "BatchView") -> None:
    """As `review` does before anything is decided about a doubt."""
    from runner.recovery.journal_places import places_of
    from runner.recovery.recover import settle_beside

    environment = process_environment()
    places = await places_of(store, batch, settings, environment.state_folder)
    await settle_beside(store, batch, places, command="view", clock=environment.clock, notice=console.message)


async def _path(store: "Store", name: str | None) -> str:
    """Where the page begins: at the batch, at the one last run, or at the list of none."""
    if name is not None:
        return f"/b/{quote((await store.batches.named(name)).name, safe='')}/"
    try:
        return f"/b/{quote((await store.batches.named(None)).name, safe='')}/"
    except UsageProblem:
        return "/"


async def _until_interrupted() -> None:
    try:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _signal in signals:
                return
    except NotImplementedError:
        await anyio.sleep_forever()


def _report(error: Exception) -> None:
    console.message(f"The page failed at a request: {type(error).__name__}: {error}", style="red")
