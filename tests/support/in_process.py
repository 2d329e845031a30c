"""HTTP without sockets: an httpx transport that hands requests to an ASGI application in the same loop.

So that an API can be talked to in virtual time. It streams, and it breaks off where the application's server
would: the emulator's faults come through as a client of the real one sees them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import httpx
from starlette.types import ASGIApp, Message

from runner.emulator.http.wire import TRANSPORT
from runner.http.replies import SENT_EXTENSION, SendMarker

_BROKEN = object()


class InProcess(httpx.AsyncBaseTransport):
    """Every request takes `seconds` to get there. With `offline`, no connection comes about."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float], seconds: float = 0.02) -> None:
        self.offline = False
        self.calls: list[tuple[float, str, str]] = []
        """When, method and path of all that was asked, offline as well."""
        self._app = app
        self._clock = clock
        self._seconds = seconds
        self._exchanges: set[_Exchange] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        marker = request.extensions.get(SENT_EXTENSION)
        self.calls.append((self._clock(), request.method, request.url.path))
        if isinstance(marker, SendMarker):
            marker.watch()
        if self.offline:
            await asyncio.sleep(self._seconds)
            raise httpx.ConnectError("offline", request=request)
        if isinstance(marker, SendMarker):
            marker.mark()
        exchange = _Exchange(request, await request.aread(), self._seconds)
        self._exchanges.add(exchange)
        exchange.task = asyncio.create_task(exchange.run(self._app))
        exchange.task.add_done_callback(lambda _task: self._exchanges.discard(exchange))
        try:
            return await exchange.response()
        except BaseException:
            exchange.hang_up()
            raise

    async def aclose(self) -> None:
        """Break off what is under way; raises what the application itself got wrong."""
        for exchange in tuple(self._exchanges):
            exchange.hang_up()
        while self._exchanges:
            await asyncio.gather(*(exchange.task for exchange in tuple(self._exchanges)))


class _Connection:
    """What the emulator uses of a connection: it breaks it off."""

    def __init__(self, exchange: "_Exchange") -> None:
        self.abort = exchange.break_off
        self.close = exchange.break_off

    def get_extra_info(self, _name: str) -> Any:
        return self

    def setsockopt(self, *_arguments: Any) -> None:
        """A reset looks like any other end."""


class _Exchange(httpx.AsyncByteStream):
    """One request and its answer, which is this stream."""

    task: asyncio.Task[None]

    def __init__(self, request: httpx.Request, body: bytes, seconds: float) -> None:
        self._request = request
        self._body: bytes | None = body
        self._seconds = seconds
        self._coming: asyncio.Queue[Message | object] = asyncio.Queue(maxsize=4)
        self._gone = asyncio.Event()
        self._silence = request.extensions.get("timeout", {}).get("read")

    async def run(self, app: ASGIApp) -> None:
        await asyncio.sleep(self._seconds)
        try:
            await app(self._scope(), self._receive, self._send)
        finally:
            await self._send(_BROKEN)

    def _scope(self) -> dict[str, Any]:
        url = self._request.url
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self._request.method,
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.split(b"?")[0],
            "query_string": url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "client": ("127.0.0.1", 1),
            "server": (url.host, url.port),
            "state": {TRANSPORT: _Connection(self)},
        }

    async def _receive(self) -> Message:
        body, self._body = self._body, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message | object) -> None:
        if self._gone.is_set():
            await asyncio.sleep(0)
            return
        if not self._coming.full():
            self._coming.put_nowait(message)
            await asyncio.sleep(0)
            return
        sending = asyncio.ensure_future(self._coming.put(message))
        leaving = asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()

    def break_off(self) -> None:
        """The server ends the connection; what it has sent arrives."""
        self._breaking = asyncio.create_task(self._break_off())

    async def _break_off(self) -> None:
        await self._send(_BROKEN)
        self._gone.set()

    def hang_up(self) -> None:
        """The client has gone; the application ends in its own time."""
        self._gone.set()

    async def response(self) -> httpx.Response:
        start = await self._next()
        if not isinstance(start, dict):
            raise httpx.ReadError("the connection broke", request=self._request)
        return httpx.Response(start["status"], headers=start["headers"], stream=self, request=self._request)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._next()
            if not isinstance(message, dict):  # over aiohttp's own, as other transports raise it
                raise httpx.ReadError("the answer broke off") from aiohttp.ClientPayloadError()
            more = message.get("more_body", False)
            if message.get("body"):
                yield message["body"]

    async def aclose(self) -> None:
        self.hang_up()

    async def _next(self) -> Message | object:
        try:
            async with asyncio.timeout(self._silence):
                return await self._coming.get()
        except TimeoutError:
            raise httpx.ReadTimeout("silence", request=self._request) from None
