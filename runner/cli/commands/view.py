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
from runner.cli.steps.open import (
    execute,
    open_existing,
    process_environment,
    system_clock,
    tell_if_retired,
)
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
    link: Annotated[
        bool, typer.Option("--link", help="Print another address of the page that is being served, and end.")
    ] = False,
    forget: Annotated[
        bool,
        typer.Option("--forget-thumbnails", help="Delete the thumbnails that are kept: they are made again."),
    ] = False,
) -> None:
    """Show a batch as a page in the browser: every picture and every job, live. It never pays.

    It serves this machine alone, until Ctrl-C. The address that it prints works once, within a minute; --link
    prints another.
    """
    if link:
        if look or forget:
            other = "--look" if look else "--forget-thumbnails"
            raise UsageProblem(f"{other} is for a page that is to be served, --link for one that is.")
        execute(lambda: _link(settings, batch, port))
        return
    with suppress(KeyboardInterrupt):  # where signals cannot be awaited, on Windows
        execute(lambda: _view(settings, batch, port, browser=browser, look=look, forget=forget))


async def _view(
    settings: Settings, name: str | None, port: int, *, browser: bool, look: bool, forget: bool
) -> None:
    from jobs.store.sqlite.thumb_file import ThumbFile
    from runner.page.access.session import Rights
    from runner.page.server import serving

    clock = system_clock()
    async with open_existing(settings, clock) as store:
        path = await _path(store, name)
        looks_only = await tell_if_retired(store) or look
        if forget:
            ThumbFile.forget(store.database.path)
        async with serving(
            store,
            lambda batch: as_kept(settings, batch).output_root,
            clock,
            active_run=lambda batch: active_run(store, batch),
            command=partial(then, settings),
            report=_report,
            port=port,
            rights=Rights.LOOK if looks_only else Rights.DECIDE,
            settle=lambda batch: _settle(settings, store, batch),
            folder=Path.cwd(),
            usual={"concurrency": settings.concurrency, "rate": settings.rate, "budget": settings.budget},
            state=process_environment().state_folder,
        ) as page:
            url = page.link(path)
            _print(settings, url, page.port, os.getpid())
            if not settings.as_json:
                console.message("The page is served until Ctrl-C. The address works once, within a minute.")
                if browser and console.is_interactive():
                    await to_thread.run_sync(webbrowser.open, url)
            await _until_interrupted()


async def _link(settings: Settings, name: str | None, port: int) -> None:
    from runner.page.access.links import lay_link, served_pages
    from runner.page.server import address

    clock, state = system_clock(), process_environment().state_folder
    async with open_existing(settings, clock) as store:
        path = await _path(store, name)
    pages = [page for page in served_pages(state, settings.database) if port in (0, page.port)]
    if not pages:
        where = f" on port {port}" if port else ""
        raise UsageProblem(
            f"You serve no page over {settings.place}{where} on this machine.",
            hint=f"Serve one: {then(settings, 'view')}",
        )
    if len(pages) > 1:
        ports = ", ".join(str(page.port) for page in pages)
        raise UsageProblem(f"Pages are served on the ports {ports}.", hint="Choose one with --port.")
    try:
        secret = lay_link(state, pages[0], clock)
    except OSError as error:
        raise UsageProblem(f"No link can be made: {error.strerror or error}.") from error
    _print(settings, address(pages[0].port, path, secret), pages[0].port, pages[0].pid)


def _print(settings: Settings, url: str, port: int, pid: int) -> None:
    if settings.as_json:
        console.as_json({"url": url, "port": port, "pid": pid}, indent=None)
    else:
        console.result(url)


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
