"""httpx over aiohttp: what carries the requests for images, and what proves a server's certificate."""

import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import cache
from typing import cast

import aiohttp
import httpx

from jobs.errors import UsageProblem
from runner.http.session import Session, release

Transport = httpx.AsyncBaseTransport
"""What carries requests: ours, or a test's."""

SYSTEM_AUTHORITIES = "system"
_PIECE_BYTES = 16 * 1024


@cache
def tls_context(more_authorities: str | None = None) -> ssl.SSLContext:
    """The usual certificate authorities, and those of a PEM file or of the system; read once for all.

    Raises:
        UsageProblem: there are none in the file.
    """
    context = httpx.create_ssl_context(trust_env=False)
    if more_authorities is None:
        return context
    # From Python 3.13 on, a certificate has to say what those of companies' proxies often do not.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if more_authorities == SYSTEM_AUTHORITIES:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(more_authorities)
    except OSError as error:  # OpenSSL's errors are some, too, and speak in numbers
        why = "there is no certificate in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise UsageProblem(
            f"The certificate authorities in {more_authorities} cannot be used: {why}.",
            hint="ca is a file of certificates in PEM form, or `system`.",
        ) from error
    return context


class SessionTransport(httpx.AsyncBaseTransport):
    """Carries httpx's requests over a session. What aiohttp raises leaves as it is."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        limits = request.extensions.get("timeout", {})
        answer = await self._session.send(
            request.method,
            str(request.url),
            request.headers,
            request.content,
            connect_seconds=limits.get("connect"),
            idle_seconds=limits.get("read"),
        )
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=_Body(answer))

    async def aclose(self) -> None:
        await self._session.aclose()


class _Body(httpx.AsyncByteStream):
    """The body of an answer, in pieces of at most `piece_bytes`."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        self.piece_bytes = _PIECE_BYTES

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._answer.content.iter_chunked(self.piece_bytes):
            yield piece

    async def aclose(self) -> None:
        await release(self._answer)


def body_of(
    response: httpx.Response, chunk_bytes: int | None = None
) -> aclosing[AsyncGenerator[bytes, None]]:
    """The body's chunks as they arrive, for `async with`, which closes the generator if it is left early.

    Also for a body that is in memory already, as in tests. A chunk has at most `chunk_bytes`, or 16 KB: of
    many megabytes that is a great many.
    """
    stream = cast("httpx.AsyncByteStream", response.stream)
    if chunk_bytes is not None and isinstance(stream, _Body):
        stream.piece_bytes = chunk_bytes
    return aclosing(cast("AsyncGenerator[bytes, None]", stream.__aiter__()))
