"""Calls to the API: one origin, one token, one try each."""

import re
import ssl
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Self

import anyio
import httpx
from pydantic import SecretStr

from jobs.errors import UsageProblem
from runner.http.api_url import checked_base, is_loopback, origin, split_origin
from runner.http.deadline import within
from runner.http.errors import deadline_passed, translate
from runner.http.exchange import (
    LARGEST_BODY_BYTES,
    ApiCall,
    Carrier,
    HttpxCarrier,
    PartialAnswer,
    SessionCarrier,
)
from runner.http.replies import Answer, Reply, SendMarker, never
from runner.http.session import Session
from runner.http.transport import tls_context
from runner.http.url_policy import loopback_socket, parsed

LONGEST_IDLE_SECONDS = 30.0
"""A connection for polls and results: below the 60 s at which common load balancers drop an idle one."""

LONGEST_IDLE_BEFORE_SUBMIT_SECONDS = 0.5
"""A submit on a connection that was just dropped would be unconfirmed by our own fault, and some servers drop
one that idles for a second or two."""

CONNECT_SECONDS = 10.0

_PATH = re.compile(r"(/([A-Za-z0-9._~-]|%[0-9A-F]{2})+)+(\?[A-Za-z0-9._~=&%-]+)?")
_BODY_READ = {"gzip", "x-gzip", "deflate"}
_SHORTEST_SECRET = 8
"""A shorter token (an emulator takes any) may be a word of the answer itself."""


class ApiClient:
    """Sends the token to `base` and nowhere else; follows no redirect, keeps no cookie, retries nothing.

    A test passes `transport`, which then carries every request and is not closed here. Raises UsageProblem
    for a base URL that cannot be used.
    """

    def __init__(
        self,
        base: str,
        token: SecretStr | None,
        *,
        transport: httpx.AsyncBaseTransport | Carrier | None = None,
        proxy: str | None = None,
        tls: ssl.SSLContext | None = None,
        user_agent: str = "nightsheet",
    ) -> None:
        self._base = _usable(checked_base(base))
        scheme, self._host, _port = split_origin(self._base)
        self._token = token
        self._headers = {
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": user_agent,
        }
        self._own: list[SessionCarrier] = []
        self._make: Callable[..., Session] | None = None
        self._submits: Carrier
        self._others: Carrier
        if transport is not None:
            if isinstance(transport, httpx.AsyncBaseTransport):
                transport = HttpxCarrier(transport)
            self._submits = self._others = transport
            return
        here = is_loopback(self._host)
        self._make = partial(
            Session,
            tls=tls or tls_context(),
            proxy=None if here else proxy,
            # The name `localhost` may lead elsewhere, and then plain http would show the token.
            socket_factory=loopback_socket if scheme == "http" else None,
        )
        self.forget_connections()

    @property
    def origin(self) -> str:
        """`scheme://host:port` of the base."""
        return origin(self._base)

    def forget_connections(self) -> None:
        """Open new connections from here on. Requests in flight end on the old ones."""
        if self._make is None:
            return
        # Of a submit alone it matters whether it may have left: every other call is free, and repeated.
        submits = SessionCarrier(
            self._make(keepalive_seconds=LONGEST_IDLE_BEFORE_SUBMIT_SECONDS, reports=True)
        )
        others = SessionCarrier(self._make(keepalive_seconds=LONGEST_IDLE_SECONDS))
        self._own += [submits, others]
        self._submits, self._others = submits, others

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        for carrier in self._own:
            await carrier.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        json_body: bytes | None = None,
        timeout_seconds: float,
        fresh: bool = False,
        is_late: Callable[[], bool] = never,
    ) -> Reply:
        """One call of `path` (with its query) below the base, given up after `timeout_seconds` in all.

        `fresh` is for a request that must not be sent twice: it uses no connection idle for over 0.5 s.
        Once it may have been sent, its answer is still read for a grace after the deadline. Where it
        `is_late` once there is a connection, nothing is sent.
        aiohttp itself may repeat a GET once whose connection was dropped, never a POST. Raises ValueError for
        a path that could leave the base; nothing else but cancellation leaves as an exception.
        """
        call = self._call(method, path, json_body, timeout_seconds, SendMarker(is_late))
        marker, got = call.marker, PartialAnswer()

        def may_be_answered() -> bool:
            return marker.sent or not marker.watched

        try:
            if fresh:
                await within(timeout_seconds, may_be_answered, partial(self._submits.exchange, call, got))
            else:
                with anyio.move_on_after(timeout_seconds):
                    await self._others.exchange(call, got)
        except Exception as error:  # every one is translated below: the border is here
            if got.status is None:
                return translate(error, marker, self._host)
        if got.status is None:
            return deadline_passed(marker, self._host, timeout_seconds)
        return self._without_token(_answer(got.status, got))

    def _without_token(self, answer: Answer) -> Answer:
        """An API that repeats the token in an answer must not bring it into the table and the manifests."""
        secret = "" if self._token is None else self._token.get_secret_value()
        if len(secret.encode()) < _SHORTEST_SECRET:
            return answer
        body = answer.body
        for spelling in (secret, secret.replace("/", "\\/")):  # as some JSON is written
            body = body.replace(spelling.encode(), b"[token]")
        headers = answer.headers
        if any(secret in value for value in headers.values()):
            headers = {name: value.replace(secret, "[token]") for name, value in headers.items()}
        if body == answer.body and headers is answer.headers:
            return answer
        return replace(answer, body=body, headers=headers)

    def _call(
        self, method: str, path: str, json_body: bytes | None, timeout_seconds: float, marker: SendMarker
    ) -> ApiCall:
        if not _PATH.fullmatch(path) or ".." in path.split("?")[0].split("/"):
            raise ValueError(f"not a path below the API's base: {path!r}")
        headers = dict(self._headers)
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token.get_secret_value()}"
        if json_body is not None:
            headers["content-type"] = "application/json"
        connect_seconds = min(CONNECT_SECONDS, timeout_seconds)
        return ApiCall(method, self._base + path, headers, json_body, connect_seconds, marker)


def _usable(base: str) -> str:
    try:
        parsed(base)
    except ValueError:
        raise UsageProblem("Invalid API base: its host is not a host name.") from None
    return base


def _answer(status: int, got: PartialAnswer) -> Answer:
    body, readable = _decoded(bytes(got.body[:LARGEST_BODY_BYTES]), got.headers.get("content-encoding"))
    return Answer(status, got.headers, body, got.whole and readable)


def _decoded(body: bytes, encoding: str | None) -> tuple[bytes, bool]:
    """The body, and whether it is whole. We ask for no encoding, but a proxy may use one all the same, and a
    request_id may be inside. Decompression stops at the limit.

    What cannot be read stays as it came: a proxy that only says `gzip` sends the plain document.
    """
    encoding = (encoding or "identity").strip().lower()
    if encoding in {"", "identity"}:
        return body, True
    if encoding not in _BODY_READ:
        return body, False
    for window in (_ANY_HEADER, _NO_HEADER):
        plain, whole = _unpacked(body, window)
        if plain:
            return plain, whole
    return body, False


_ANY_HEADER, _NO_HEADER = 47, -15
"""zlib's windows: gzip or zlib by its header, and the bare deflate that some servers send under that name."""
_PIECE_BYTES = 512


def _unpacked(body: bytes, window: int) -> tuple[bytes, bool]:
    """As much as can be unpacked, a piece at a time, so that what stands before a break is kept."""
    unpacker, plain = zlib.decompressobj(wbits=window), bytearray()
    try:
        for first in range(0, len(body), _PIECE_BYTES):
            room = LARGEST_BODY_BYTES - len(plain)
            plain += unpacker.decompress(body[first : first + _PIECE_BYTES], room) if room else b""
    except zlib.error:
        return bytes(plain), False
    return bytes(plain), unpacker.eof
