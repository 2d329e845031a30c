"""The page on a port of this machine, inside the running event loop. Loopback only."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from jobs.errors import UsageProblem
from jobs.store.sqlite.thumb_file import ThumbFile
from runner.clock import Clock
from runner.page.access.guard import PageGuard, refused
from runner.page.access.links import announced
from runner.page.access.session import PageSession, Rights
from runner.page.door import PageDoor
from runner.page.folders import ShownFolders
from runner.page.pace import WritePace
from runner.page.page import Page
from runner.page.shell import served_files
from runner.page.stream import ChangeFeed
from runner.page.thumbs import ThumbMaker

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from jobs.store.store import Store
    from jobs.views import BatchView, RunView

HOST = "127.0.0.1"
_AT_ONCE = 64
"""Connections that are answered at once; streams count among them. Others get a 503."""
_COMING = ("IDLE", "SEND_BODY")
"""h11's states of a request that is not whole yet."""
PATIENCE_SECONDS = 10.0
"""So long a request may take to come. Who is slower would keep others out."""


class PromptProtocol(H11Protocol):
    """A connection that is broken off when a request does not come whole within some seconds."""

    _ends: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if repr(self.conn.their_state) in _COMING:
            self._expect()
        else:
            self._came()

    def connection_lost(self, exc: Exception | None) -> None:
        self._came()
        super().connection_lost(exc)

    def _expect(self) -> None:
        if self._ends is None:
            self._ends = self.loop.call_later(PATIENCE_SECONDS, self.transport.abort)

    def _came(self) -> None:
        if self._ends is not None:
            self._ends.cancel()
        self._ends = None


class ServedPage:
    """A page that listens."""

    def __init__(self, port: int, session: PageSession) -> None:
        self.port = port
        self._session = session

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"

    def link(self, path: str = "/") -> str:
        """A new address to enter by, good once, for a minute."""
        return address(self.port, path, self._session.new_link())


def address(port: int, path: str, link: str) -> str:
    """Where a link leads; its secret is in the fragment, which is sent to nobody."""
    return f"http://{HOST}:{port}{path}#{link}"


@asynccontextmanager
async def serving(
    store: "Store",
    root_of: "Callable[[BatchView], Path]",
    clock: Clock,
    *,
    active_run: "Callable[[BatchView], Awaitable[RunView | None]]",
    command: Callable[..., str],
    report: Callable[[Exception], None],
    port: int = 0,
    rights: Rights = Rights.DECIDE,
    settle: "Callable[[BatchView], Awaitable[None]]",
    folder: Path,
    usual: Mapping[str, Any],
    state: Path | None = None,
) -> AsyncIterator[ServedPage]:
    """Serve a page over `store` for the length of the block; port 0 takes a free one.

    `root_of` says the output folder of a batch, `report` is told of defects; sheets of re-rolls are written
    into `folder`. In the user's `state` folder `links.py` meets other processes; None is not to.

    Raises:
        UsageProblem: the port is taken.
    """
    file = ThumbFile.beside(store.database.path)
    thumbs, folders, pace = ThumbMaker(file, report), ShownFolders(), WritePace(clock)
    feed = ChangeFeed(store.database.watching, folders, clock)
    page = Page(
        store, root_of, clock, thumbs, folders, feed, active_run, command, pace, settle, folder, usual
    )
    door, session = PageDoor(), PageSession(clock, rights)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(feed.work)
            tasks.start_soon(thumbs.work)
            async with _listening(door, session, port, report) as served:
                with announced(state, store.database.path, served.port, clock) as session.laid:
                    tasks.start_soon(_open, door, page, session, served.port)
                    yield served
            tasks.cancel_scope.cancel()
    finally:
        file.close()


async def _open(door: PageDoor, page: Page, session: PageSession, port: int) -> None:
    """Import what answers, and put it behind the door, while the browser begins."""
    try:
        await to_thread.run_sync(_import_app, page.store)
        from runner.page.app import create_page_app

        door.open(create_page_app(page, session, port))
    except BaseException:
        door.open(refused(503))  # who waits at it is not to wait for ever
        raise


def _import_app(store: "Store") -> None:
    """All that a first screen needs: a part of the store is imported when it is first asked for."""
    served_files()
    import runner.page.app  # noqa: F401

    for part in ("rerolls", "tiles"):
        getattr(store, part)


@asynccontextmanager
async def _listening(
    door: PageDoor, session: PageSession, port: int, report: Callable[[Exception], None]
) -> AsyncIterator[ServedPage]:
    # uvicorn.Server is left out, as in the emulator: it catches signals, and takes its time to end.
    state = ServerState()

    def protocol() -> PromptProtocol:
        return PromptProtocol(config=config, server_state=state, app_state={})

    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(protocol, HOST, port, start_serving=False)
    except OSError as problem:
        raise UsageProblem(
            f"The page cannot listen on port {port}: {problem.strerror or problem}.",
            hint="Choose another --port; 0 takes a free one.",
        ) from problem
    port = server.sockets[0].getsockname()[1]
    config = Config(
        PageGuard(door, port, session, report),
        http=PromptProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_AT_ONCE,
    )
    config.load()
    await server.start_serving()
    try:
        yield ServedPage(port, session)
    finally:
        with anyio.CancelScope(shield=True):
            server.close()
            await _break_off(state)
            await server.wait_closed()


async def _break_off(state: ServerState) -> None:
    for _ in range(3):  # a connection just accepted shows itself a turn of the loop later
        for connection in tuple(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # noqa: TID251 - one turn of the loop, while a socket closes
    if state.tasks:
        await asyncio.wait(set(state.tasks))
