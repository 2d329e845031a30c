"""How an answer is sent: whole, or as its fault demands: not at all, in part, or slowly.

A connection is closed on the transport itself, so that a client sees the same as in a real outage.
"""

import socket
import struct
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from email.utils import format_datetime

import anyio
from starlette.types import Receive, Scope, Send

from runner.clock import Clock
from runner.emulator.faults.faults import Fault, FaultKind
from runner.emulator.faults.spoiling import Content, kept

TRANSPORT = "transport"
"""Key in the ASGI scope's `state` under which the server puts the connection's asyncio transport."""

_PIECES = 64
_HUGE = 1 << 30
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Delivery:
    """An answer on its way, as an ASGI application that answers one call."""

    status: int
    headers: tuple[tuple[str, str], ...]
    content: Content
    fault: Fault | None
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self.fault
        match None if fault is None else fault.kind:
            case FaultKind.STALL:
                await _gone(receive)
            case FaultKind.DROP:
                scope["state"][TRANSPORT].abort()
                await _gone(receive)
            case FaultKind.RESET:
                _linger_no_more(scope["state"][TRANSPORT].get_extra_info("socket"))
                scope["state"][TRANSPORT].abort()
                await _gone(receive)
            case FaultKind.TRUNCATE if fault is not None:
                await self._start(send, max(1, len(self.content.data)))
                piece = self.content.data[: kept(self.content.data, fault)]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                scope["state"][TRANSPORT].close()
                await _gone(receive)
            case FaultKind.DRIP if fault is not None:
                data = self.content.data.ljust(fault.count or 0, b"\0")
                await self._start(send, len(data))
                await _stream(self._drops(data, fault.seconds), receive, send)
            case FaultKind.HUGE if fault is not None:
                size = _HUGE if fault.count is None else fault.count
                await self._start(send, size)
                await _stream(_zeros(size), receive, send)
            case _:
                await self._start(send, len(self.content.data))
                await send({"type": "http.response.body", "body": self.content.data})

    async def _start(self, send: Send, length: int) -> None:
        headers = [
            ("date", format_datetime(self.clock.now(), usegmt=True)),
            ("content-type", self.content.content_type),
            ("content-length", str(length)),
            *self.headers,
        ]
        if self.content.encoding is not None:
            headers.append(("content-encoding", self.content.encoding))
        raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})

    async def _drops(self, data: bytes, seconds: float) -> AsyncGenerator[bytes]:
        step = max(1, -(-len(data) // _PIECES))
        for start in range(0, len(data), step):
            yield data[start : start + step]
            await self.clock.sleep(seconds)


async def _zeros(size: int) -> AsyncGenerator[bytes]:
    chunk = bytes(_CHUNK)
    for start in range(0, size, _CHUNK):
        yield chunk[: size - start]


async def _stream(pieces: AsyncGenerator[bytes], receive: Receive, send: Send) -> None:
    """Send `pieces`, and stop when the client is gone."""

    async def watch() -> None:
        await _gone(receive)
        both.cancel_scope.cancel()

    async with aclosing(pieces), anyio.create_task_group() as both:
        both.start_soon(watch)
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        both.cancel_scope.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _linger_no_more(connection: socket.socket) -> None:
    """Make closing send RST: nothing is flushed, and the peer is told that the connection broke."""
    linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
