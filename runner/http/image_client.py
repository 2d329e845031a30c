"""Opens image URLs: without token, cookie or referrer, every redirect checked before it is followed."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver

from runner.http.api_url import is_loopback, split_origin
from runner.http.errors import chain, describe
from runner.http.image_answer import HttpxImages, ImageAnswer, ImageCarrier, SessionImages
from runner.http.session import Session
from runner.http.transport import tls_context
from runner.http.url_policy import AddressRefused, Blocked, GuardedResolver, ImageUrlPolicy, host_of

MOST_REDIRECTS = 3

_WITH_IMAGE = frozenset({200, 206})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429})
_IDLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class LinkGone:
    """The link no longer leads to the image: the API may have a fresh one."""

    status: int


@dataclass(frozen=True, slots=True)
class DownloadFailed:
    """The network or the server failed, not the image: worth a retry."""

    reason: str
    status: int | None = None

    @property
    def alone(self) -> bool:
        """The server answered, and neither with an image nor with an error: this image's own trouble."""
        return self.status is not None and self.status < 400


class ImageClient:
    """Opens image URLs that `policy` allows.

    A test passes `transport`, which then carries every request; only the URLs are checked. The same holds
    behind a `proxy`, which resolves names itself. With an API on this machine no proxy is used.
    """

    def __init__(
        self,
        policy: ImageUrlPolicy,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        proxy: str | None = None,
        tls: ssl.SSLContext | None = None,
        resolver: Callable[[], AbstractResolver] = ThreadedResolver,
        user_agent: str = "nightsheet",
    ) -> None:
        self._policy = policy
        self._headers = {"accept": "image/*", "accept-encoding": "identity", "user-agent": user_agent}
        self._own: SessionImages | None = None
        self._carrier: ImageCarrier
        if transport is not None:
            self._carrier = HttpxImages(transport)
        else:
            _scheme, own_host, _port = split_origin(policy.api_origin)
            proxy = None if is_loopback(own_host) else proxy
            session = Session(
                tls=tls or tls_context(),
                keepalive_seconds=_IDLE_SECONDS,
                proxy=proxy,
                resolver=None if proxy else lambda: GuardedResolver(policy, resolver()),
                socket_factory=None if proxy else policy.open_socket,
            )
            self._carrier = self._own = SessionImages(session)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._own is not None:
            await self._own.aclose()

    async def open(
        self,
        url: str,
        *,
        connect_seconds: float,
        idle_seconds: float,
        method: str = "GET",
        first_bytes: int | None = None,
    ) -> ImageAnswer | Blocked | LinkGone | DownloadFailed:
        """The 200 behind `url`, its body unread, for the caller to close; or why there is none.

        `idle_seconds` is the longest silence between two bytes; a total deadline is the caller's. With
        `first_bytes` only those are requested; a server may still send everything. A 206 is accepted without
        them, too: it may be the whole of the image, which is for the caller to find out.
        """
        headers = dict(self._headers)
        if first_bytes is not None:
            headers["range"] = f"bytes=0-{first_bytes - 1}"
        target = self._policy.check(url)
        for _hop in range(MOST_REDIRECTS + 1):
            if isinstance(target, Blocked):
                return target
            try:
                answer = await self._carrier.ask(
                    method, target, headers, connect_seconds=connect_seconds, idle_seconds=idle_seconds
                )
            except Exception as error:  # each is translated to a value
                return refusal(error) or DownloadFailed(describe(error, host_of(target)))
            if answer.status in _WITH_IMAGE:
                return answer
            await answer.close()
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not location:
                return _without_image(answer.status, answer.host)
            target = self._next(target, location)
        return target if isinstance(target, Blocked) else Blocked(f"{host_of(target)} redirects too often")

    def _next(self, url: httpx.URL, location: str) -> httpx.URL | Blocked:
        try:
            target = url.join(location)
        except (httpx.InvalidURL, ValueError):
            return Blocked(f"{host_of(url)} redirects to something that is not a URL")
        return self._policy.check(str(target))


def refusal(error: BaseException) -> Blocked | None:
    """Why the policy refused an address, if that is what caused `error`."""
    for link in chain(error):
        if isinstance(link, AddressRefused):
            return Blocked(str(link.strerror))
    return None


def _without_image(status: int, host: str) -> LinkGone | DownloadFailed:
    # Hosts refuse an expired link in more than one way: 403, 404, 410, and 400 by some stores.
    if 400 <= status < 500 and status not in _WORTH_ANOTHER_TRY:
        return LinkGone(status)
    return DownloadFailed(f"{host} answered {status}", status)
