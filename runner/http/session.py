"""aiohttp as it is used here: the exact URL, nothing of the environment, a report of what may have been sent.

httpcore, which httpx brings along, scans its whole pool at every request: with 64 connections that costs six
times what aiohttp's pool does.
"""

import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver
from yarl import URL

from jobs.errors import UsageProblem
from runner.http.replies import SendMarker, TooLate

SocketFactory = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Proxy:
    url: URL
    headers: Mapping[str, str]


class Session:
    """Connections that are used again. Every method may raise what aiohttp raises.

    `keepalive_seconds` is the longest that a connection may idle before it is used again. The number of
    connections has no limit: callers bound themselves, and a lower limit here would only discard connections.
    `proxy` (`http://[user:password@]host:port`) resolves names itself, without `resolver`, which is made at
    the first request. No proxy, credentials or cookies are taken from the environment. With `reports` the
    marker of a request hears how far it got, which costs as much as a quarter of the request.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext,
        keepalive_seconds: float,
        proxy: str | None = None,
        resolver: Callable[[], AbstractResolver] | None = None,
        socket_factory: SocketFactory | None = None,
        reports: bool = False,
    ) -> None:
        self._tls = tls
        self._reports = reports
        self._keepalive_seconds = keepalive_seconds
        self._resolver = resolver
        self._socket_factory = socket_factory
        self._proxy = _proxy(proxy)
        self._client: aiohttp.ClientSession | None = None

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        connect_seconds: float | None,
        idle_seconds: float | None = None,
        marker: SendMarker | None = None,
    ) -> aiohttp.ClientResponse:
        """Send a request; its answer, the body unread, for the caller to `release`. No redirect is followed.

        The URL goes out letter by letter: yarl would write `%2F` as `/`, and the signature of a link covers
        it. A repeated GET over a dropped connection is aiohttp's own.
        """
        client = self._client = self._client or self._opened()
        proxy = self._proxy
        return await client.request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=body or None,
            allow_redirects=False,
            timeout=_limits(connect_seconds, idle_seconds),
            proxy=None if proxy is None else proxy.url,
            proxy_headers=None if proxy is None else proxy.headers,
            trace_request_ctx=marker,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    def _opened(self) -> aiohttp.ClientSession:
        """At the first request, because a session belongs to the running event loop."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self._tls,
                limit=0,
                keepalive_timeout=self._keepalive_seconds,
                resolver=self._resolver() if self._resolver else None,
                socket_factory=self._socket_factory,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            trace_configs=[_reports()] if self._reports else None,
        )


async def release(response: aiohttp.ClientResponse) -> None:
    """Give the connection back, or drop it where the body was not read to its end."""
    response.release()
    await response.wait_for_close()


@lru_cache(maxsize=64)
def _limits(connect_seconds: float | None, idle_seconds: float | None) -> aiohttp.ClientTimeout:
    connect = connect_seconds
    return aiohttp.ClientTimeout(connect=connect, sock_connect=connect, sock_read=idle_seconds)


def _proxy(address: str | None) -> _Proxy | None:
    """The proxy, its login as a header. Raises UsageProblem, which repeats neither."""
    if address is None:
        return None
    try:
        url = httpx.URL(address)
        if url.scheme not in {"http", "https"} or not url.host:
            raise ValueError("no proxy that aiohttp can use")
        login = b64encode(f"{url.username}:{url.password}".encode()).decode("ascii")
        headers = {"Proxy-Authorization": f"Basic {login}"} if url.userinfo else {}
        return _Proxy(URL(str(url.copy_with(userinfo=b""))), headers)
    except (httpx.InvalidURL, ValueError):
        raise UsageProblem("Invalid proxy.", hint="Write it as http://[user:password@]host:port.") from None


def _reports() -> aiohttp.TraceConfig:
    """Tells the marker of a request how far it got."""

    async def started(_session: aiohttp.ClientSession, own: SimpleNamespace, _told: object) -> None:
        if own.trace_request_ctx is not None:
            own.trace_request_ctx.watch()

    async def connected(_session: aiohttp.ClientSession, own: SimpleNamespace, _told: object) -> None:
        if own.trace_request_ctx is not None:
            if own.trace_request_ctx.is_late():
                raise TooLate
            own.trace_request_ctx.mark()

    reports = aiohttp.TraceConfig()
    reports.on_request_start.append(started)
    reports.on_connection_create_end.append(connected)
    reports.on_connection_reuseconn.append(connected)
    return reports
