"""The answer behind an image's URL, as it is read: over connections of ours, or over httpx."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol, cast

import aiohttp
import httpx

from runner.http.exchange import read_headers
from runner.http.session import Session, release


class ImageBody(Protocol):
    """A body that arrives."""

    async def read(self, most_bytes: int) -> bytes:
        """What has come, at most so much at once; nothing at its end. Raises whatever cut it off."""
        ...

    async def aclose(self) -> None:
        """Give the connection back, or drop it where the body was not read to its end."""
        ...


class ImageAnswer:
    """A status, headers with their names in lower case, and a body of `host`, for the caller to close."""

    __slots__ = ("_body", "headers", "host", "status")

    def __init__(self, status: int, headers: Mapping[str, str], host: str, body: ImageBody) -> None:
        self.status = status
        self.headers = headers
        self.host = host
        self._body = body

    async def read(self, most_bytes: int) -> bytes:
        """More of the body, nothing at its end. A body that is in memory, as in tests, may come whole."""
        return await self._body.read(most_bytes)

    async def close(self) -> None:
        """Let it go. Its connection may be broken already, which is no error."""
        with suppress(httpx.HTTPError, aiohttp.ClientError, OSError):
            await self._body.aclose()


class ImageCarrier(Protocol):
    """Asks for an image. Every exception leaves."""

    async def ask(
        self,
        method: str,
        url: httpx.URL,
        headers: dict[str, str],
        *,
        connect_seconds: float,
        idle_seconds: float,
    ) -> ImageAnswer:
        """Once; no redirect is followed."""
        ...


class SessionImages:
    """Over connections of ours."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def ask(
        self,
        method: str,
        url: httpx.URL,
        headers: dict[str, str],
        *,
        connect_seconds: float,
        idle_seconds: float,
    ) -> ImageAnswer:
        answer = await self._session.send(
            method, str(url), headers, None, connect_seconds=connect_seconds, idle_seconds=idle_seconds
        )
        return ImageAnswer(
            answer.status, read_headers(answer.raw_headers), url.raw_host.decode("ascii"), _OwnBody(answer)
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.aclose()


class _OwnBody:
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def read(self, most_bytes: int) -> bytes:
        return await self._answer.content.read(most_bytes)

    async def aclose(self) -> None:
        await release(self._answer)


class HttpxImages:
    """Over a transport that somebody else closes: a test's, or the emulator in the same process."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def ask(
        self,
        method: str,
        url: httpx.URL,
        headers: dict[str, str],
        *,
        connect_seconds: float,
        idle_seconds: float,
    ) -> ImageAnswer:
        limits = {"connect": connect_seconds, "pool": connect_seconds, "read": idle_seconds}
        request = httpx.Request(method, url, headers=headers, extensions={"timeout": limits})
        response = await self._transport.handle_async_request(request)
        return ImageAnswer(
            response.status_code,
            read_headers(response.headers.raw),
            url.raw_host.decode("ascii"),
            HttpxBody(response),
        )


class HttpxBody:
    """The body of an answer of httpx."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._pieces = cast("httpx.AsyncByteStream", response.stream).__aiter__()

    async def read(self, most_bytes: int) -> bytes:
        async for piece in self._pieces:
            if piece:
                return piece
        return b""

    async def aclose(self) -> None:
        if hasattr(self._pieces, "aclose"):
            await self._pieces.aclose()
        await self._response.aclose()
