"""The emulator on a port of this machine, inside the running event loop. Loopback only."""

import asyncio
import ipaddress
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from jobs.errors import UsageProblem
from runner.clock import Clock
from runner.emulator.http.app import create_app
from runner.emulator.http.wire import TRANSPORT
from runner.emulator.service.journal import FileJournal, Journal, MemoryJournal
from runner.emulator.service.service import EmulatorService
from runner.emulator.settings import EmulatorSettings

_BACKLOG = 2048
_KEEP_ALIVE_SECONDS = 75


@dataclass(frozen=True, slots=True)
class Handle:
    """A running emulator. `base_url` is the API base, with /v1; `origin` is it without."""

    origin: str
    service: EmulatorService

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"


class _Protocol(H11Protocol):
    """uvicorn's protocol, which gives the application the connection, and reports its end."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {TRANSPORT: transport}
        self.ended: asyncio.Future[None] = self.loop.create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.ended.set_result(None)


@asynccontextmanager
async def serve(
    settings: EmulatorSettings,
    clock: Clock,
    state_path: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[Handle]:
    """Run an emulator for the length of the block; port 0 takes a free one.

    With `state_path` it goes on where the last one with that file ended, however that was. Leaving the block
    breaks off every connection. Raises `UsageProblem` for a host that is not loopback, a port that is taken
    and a file that is not an emulator's; `LockHeld` and `CannotWrite` as `FileJournal` does.
    """
    _must_be_loopback(host)
    host = "127.0.0.1" if host == "localhost" else host
    journal = await anyio.to_thread.run_sync(_open_journal, state_path)
    try:
        service = await anyio.to_thread.run_sync(EmulatorService, settings, clock, journal)
        async with _listening(service, host, port) as origin:
            yield Handle(origin, service)
    finally:
        if isinstance(journal, FileJournal):
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(journal.close)


@asynccontextmanager
async def _listening(service: EmulatorService, host: str, port: int) -> AsyncIterator[str]:
    # uvicorn.Server is left out: it catches signals, ticks ten times a second and takes its time to end.
    config = Config(
        create_app(service),
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    config.load()
    state = ServerState()

    def protocol() -> _Protocol:
        return _Protocol(config=config, server_state=state, app_state={})

    try:
        # Left to asyncio: a socket made by hand says protocol 0, and would get no TCP_NODELAY (40 ms a call).
        server = await asyncio.get_running_loop().create_server(protocol, host, port, backlog=_BACKLOG)
    except OSError as problem:
        raise UsageProblem(
            f"The emulator cannot listen on port {port}: {problem.strerror or problem}.",
            hint="Choose another --port; 0 takes a free one.",
        ) from problem
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        with anyio.CancelScope(shield=True):
            server.close()
            await _break_off(state)
            await server.wait_closed()


async def _break_off(state: ServerState) -> None:
    for _ in range(3):  # a connection just accepted shows itself a turn of the loop later
        await asyncio.sleep(0)  # noqa: TID251 - one turn of the loop, while a socket closes
        open_now = [protocol for protocol in state.connections if isinstance(protocol, _Protocol)]
        for protocol in open_now:
            protocol.transport.abort()
        await asyncio.gather(*(protocol.ended for protocol in open_now))
    if state.tasks:
        await asyncio.wait(set(state.tasks))


def _must_be_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise UsageProblem(
            f"The emulator does not listen on {host!r}.",
            hint="It asks nobody for a password, so it is for this machine alone: 127.0.0.1 or ::1.",
        )


def _open_journal(state_path: Path | None) -> Journal:
    nonce = secrets.token_hex(16)
    return MemoryJournal(nonce) if state_path is None else FileJournal(state_path, nonce)
