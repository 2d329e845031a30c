"""One call of the API and its answer, as it arrives: over aiohttp, or over any transport of httpx."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol, cast

import httpx

from runner.http.replies import SENT_EXTENSION, SendMarker
from runner.http.session import Session, release

LARGEST_BODY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ApiCall:
    """What is sent. `connect_seconds` bounds the wait for a connection; the caller bounds the rest."""

    method: str
    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    connect_seconds: float
    marker: SendMarker = field(default_factory=SendMarker)


class PartialAnswer:
    """An answer as far as it has arrived, so that a deadline in the middle of it loses nothing."""

    __slots__ = ("body", "headers", "status", "whole")

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        """Their names in lower case."""
        self.body = bytearray()
        self.whole = False

    def begin(self, status: int, raw_headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Take the head in."""
        self.headers = read_headers(raw_headers)
        self.status = status

    def add(self, chunk: bytes) -> bool:
        """Take a piece of the body in; False once it runs over its limit."""
        self.body += chunk
        return len(self.body) <= LARGEST_BODY_BYTES


class Carrier(Protocol):
    """Sends a call and takes the answer in. Its marker hears of it, and every exception leaves."""

    async def exchange(self, call: ApiCall, got: PartialAnswer) -> None:
        """Once. `got` has what came when it ends, however that is."""
        ...


class SessionCarrier:
    """Over connections of ours."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def exchange(self, call: ApiCall, got: PartialAnswer) -> None:
        answer = await self._session.send(
            call.method,
            call.url,
            call.headers,
            call.body,
            connect_seconds=call.connect_seconds,
            marker=call.marker,
        )
        try:
            got.begin(answer.status, answer.raw_headers)
            async for chunk in answer.content.iter_any():
                if not got.add(chunk):
                    return
            got.whole = True
        finally:
            await release(answer)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.aclose()


class HttpxCarrier:
    """Over a transport that somebody else closes: a test's, or the emulator in the same process."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def exchange(self, call: ApiCall, got: PartialAnswer) -> None:
        limits = {"connect": call.connect_seconds, "pool": call.connect_seconds}
        request = httpx.Request(
            call.method,
            call.url,
            headers=call.headers,
            content=call.body,
            extensions={"timeout": limits, SENT_EXTENSION: call.marker},
        )
        response = await self._transport.handle_async_request(request)
        try:
            got.begin(response.status_code, response.headers.raw)
            stream = cast("httpx.AsyncByteStream", response.stream)
            async with aclosing(cast("AsyncGenerator[bytes]", stream.__aiter__())) as chunks:
                async for chunk in chunks:
                    if not got.add(chunk):
                        return
            got.whole = True
        finally:
            await response.aclose()


def read_headers(raw_headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by their names in lower case. A name that comes twice has both values."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw_headers:
        name, value = _text(raw_name).lower(), _text(raw_value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _text(raw: bytes) -> str:
    """Servers write headers in UTF-8 or in what HTTP meant them to be in."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
