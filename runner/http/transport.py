"""httpx over aiohttp, with a report of when a request may have been sent.

httpcore, which httpx brings along, scans its whole pool at every request: with 64 connections that costs six
times what aiohttp's pool does. No proxy, credentials or cookies are taken from the environment.
"""

import socket
import ssl
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from contextvars import ContextVar
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import AiohttpResponseStream
from yarl import URL

from jobs.errors import UsageProblem
from runner.http.replies import SENT_EXTENSION, SendMarker

Transport = httpx.AsyncBaseTransport
"""What carries requests: ours, or a test's."""

SocketFactory = Callable[[Any], socket.socket]

_current: ContextVar[httpx.Request] = ContextVar("nightsheet_request")
"""The request that this task is sending: aiohttp has no other way to hand it to what is called back."""


SYSTEM_AUTHORITIES = "system"


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


class ReportingTransport(httpx.AsyncBaseTransport):
    """Carries requests and reports to their markers.

    `keepalive_seconds` is the longest that a connection may idle before it is used again. The number of
    connections has no limit: callers bound themselves, and a lower limit here would only discard connections.
    `proxy` (`http://[user:password@]host:port`) resolves names itself, without `resolver`, which is made at
    the first request.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext,
        keepalive_seconds: float,
        proxy: str | None = None,
        resolver: Callable[[], AbstractResolver] | None = None,
        socket_factory: SocketFactory | None = None,
    ) -> None:
        self._tls = tls
        self._keepalive_seconds = keepalive_seconds
        self._resolver = resolver
        self._socket_factory = socket_factory
        self._inner = AiohttpTransport(verify=tls, client=self._session, proxy=_proxy(proxy))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reset = _current.set(request)
        try:
            return await self._inner.handle_async_request(request)
        finally:
            _current.reset(reset)

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _session(self) -> aiohttp.ClientSession:
        """Made at the first request, because a session belongs to the running event loop."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self._tls,
                limit=0,
                keepalive_timeout=self._keepalive_seconds,
                resolver=self._resolver() if self._resolver else None,
                socket_factory=self._socket_factory,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            request_class=_ExactRequest,
            trust_env=False,
            trace_configs=[_reports()],
        )


def body_of(
    response: httpx.Response, chunk_bytes: int | None = None
) -> aclosing[AsyncGenerator[bytes, None]]:
    """The body's chunks as they arrive, for `async with`, which closes the generator if it is left early.

    Also for a body that is in memory already, as in tests. A chunk has at most `chunk_bytes`, or the 16 KB of
    the transport: of many megabytes that is a great many.
    """
    stream = cast("httpx.AsyncByteStream", response.stream)
    if chunk_bytes is not None and isinstance(stream, AiohttpResponseStream):
        stream.CHUNK_SIZE = chunk_bytes
    return aclosing(cast("AsyncGenerator[bytes, None]", stream.__aiter__()))


def _proxy(address: str | None) -> httpx.Proxy | None:
    """The proxy, its login as a header. Raises UsageProblem, which repeats neither."""
    if address is None:
        return None
    try:
        url = httpx.URL(address)
        login = b64encode(f"{url.username}:{url.password}".encode()).decode("ascii")
        headers = {"Proxy-Authorization": f"Basic {login}"} if url.userinfo else None
        return httpx.Proxy(url.copy_with(userinfo=b""), headers=headers)
    except (httpx.InvalidURL, ValueError):
        raise UsageProblem("Invalid proxy.", hint="Write it as http://[user:password@]host:port.") from None


class _ExactRequest(aiohttp.ClientRequest):
    """Asks for the URL letter by letter. yarl would write `%2F` as `/`, and the signature of a link covers
    it."""

    def __init__(self, method: str, _url: URL, **options: Any) -> None:
        super().__init__(method, URL(str(_current.get().url), encoded=True), **options)


def _marker() -> SendMarker:
    marker = _current.get().extensions.get(SENT_EXTENSION)
    return marker if isinstance(marker, SendMarker) else SendMarker()


def _reports() -> aiohttp.TraceConfig:
    """aiohttp awaits these in the task of the request itself, which is where `_current` is set."""

    async def started(_session: aiohttp.ClientSession, _own: SimpleNamespace, _told: object) -> None:
        _marker().watch()

    async def connected(_session: aiohttp.ClientSession, _own: SimpleNamespace, _told: object) -> None:
        _marker().mark()

    reports = aiohttp.TraceConfig()
    reports.on_request_start.append(started)
    reports.on_connection_create_end.append(connected)
    reports.on_connection_reuseconn.append(connected)
    return reports
