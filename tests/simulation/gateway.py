"""What stands between a run and the API, and answers in the API's place: before it has accepted a submit, or
after. Caches, gateways, firewalls, rate limiters, portals, each in its own dress.

What means "not accepted" to a run (a 429, a refusal of a size or of a caller) is sent before alone: that is
what the run's reading of answers stands on. All else is sent after the API has accepted as well.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

VARNISH = (
    b"<!DOCTYPE html>\n<html><head><title>503 Backend fetch failed</title></head><body><p>XID: 1</p></body>"
)
NGINX = (
    b"<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<hr><center>nginx</center>\r\n</body></html>"
)
CLOUDFLARE = b"<!DOCTYPE html>\n<html lang=en-US><title>api | 524: A timeout occurred</title></html>"
PORTAL = b"<html><body><form action=/login>Welcome to the hotel</form></body></html>"
FIREWALL = b"<html><head><title>403 Forbidden</title></head><body>Request blocked. Ray ID: 8f</body></html>"


@dataclass(frozen=True, slots=True)
class Dress:
    """An answer of something in between."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def _json(status: int, document: Any, **headers: str) -> Dress:
    return Dress(status, json.dumps(document).encode(), {"content-type": "application/json"} | headers)


def _page(status: int, body: bytes, **headers: str) -> Dress:
    return Dress(status, body, {"content-type": "text/html"} | headers)


BEFORE: tuple[Dress, ...] = (
    _page(429, NGINX % (429, b"Too Many Requests"), **{"retry-after": "3"}),
    _json(429, {"message": "API rate limit exceeded", "request_id": "a-reference-of-kong"}),
    _json(429, {"message": "Too Many Requests"}),
    Dress(429),
    _page(413, NGINX % (413, b"Request Entity Too Large")),
    _page(403, FIREWALL),
    _json(403, {"message": "Forbidden"}),
    Dress(401),
    _json(422, {"detail": "a filter dislikes this"}),
)
"""Sent before the API has seen the submit, and never after."""

EVER: tuple[Dress, ...] = (
    _page(503, VARNISH, **{"retry-after": "5", "server": "Varnish"}),
    _page(503, NGINX % (503, b"Service Temporarily Unavailable"), **{"retry-after": "2"}),
    _page(502, NGINX % (502, b"Bad Gateway")),
    _page(504, NGINX % (504, b"Gateway Time-out"), server="nginx"),
    _page(524, CLOUDFLARE, **{"cf-ray": "8f"}),
    _page(408, NGINX % (408, b"Request Time-out"), **{"retry-after": "1"}),
    _page(425, b"<html>Too Early</html>", **{"retry-after": "1"}),
    _page(200, PORTAL),
    _page(404, NGINX % (404, b"Not Found")),
    _page(400, NGINX % (400, b"Bad Request")),
    Dress(302, b"", {"location": "https://login.example/"}),
    Dress(200),
    Dress(202),
    Dress(499),
    _json(504, {"message": "Endpoint request timed out"}, **{"x-amzn-errortype": "TimeoutException"}),
    _json(503, {"message": "Service Unavailable"}, **{"retry-after": "1"}),
    _json(500, {"message": "An unexpected error occurred", "request_id": "a-reference-of-kong"}),
    _json(200, {"status": "ok"}),
    _json(409, {"message": "conflict"}),
    _json(400, {"message": "Redis lock timeout"}),
    _json(200, []),
)
"""Sent before the API has seen the submit, or after it has accepted it."""


PAGES = tuple(dress for dress in EVER if dress.body.startswith(b"<"))
"""Sent to a free call."""


def _nested(receipt: bytes, _id: str) -> Dress:
    return _json(200, {"data": json.loads(receipt)})


def _listed(receipt: bytes, _id: str) -> Dress:
    return _json(200, [json.loads(receipt)])


def _spelled(_receipt: bytes, request_id: str) -> Dress:
    return _json(200, {"requestId": request_id, "status": "in_queue"})


def _trailing(receipt: bytes, _id: str) -> Dress:
    return Dress(200, receipt + b"\n<!-- cached -->")


def _latin(receipt: bytes, _id: str) -> Dress:
    return Dress(200, receipt.rstrip()[:-1] + b', "note": "caf\xe9"}')


def _undressed(receipt: bytes, _id: str) -> Dress:
    return _page(200, receipt)


def _erring(receipt: bytes, _id: str) -> Dress:
    return Dress(500, receipt)


def _located(_receipt: bytes, request_id: str) -> Dress:
    return Dress(202, b"", {"location": f"/v1/requests/{request_id}/status"})


NAMING: tuple[Callable[[bytes, str], Dress], ...] = (
    _nested,
    _listed,
    _spelled,
    _trailing,
    _latin,
    _undressed,
    _erring,
    _located,
)
"""A receipt as it arrives from something that has rewritten it: the id is in it."""


class Gateway:
    """In front of `app`, for a share of the submits, and a quarter of that share of the free calls.

    `told` is given what it does. `before` and `after` count what it answered to submits.
    """

    def __init__(self, app: ASGIApp, share: float, dice: random.Random, told: Callable[[str], None]) -> None:
        self.share = share
        self.free_share = share / 4
        self.before = 0
        self.after = 0
        self._app = app
        self._dice = dice
        self._told = told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        submits = scope.get("method") == "POST" and "/models/" in path
        share = self.share if submits else self.free_share
        if not path.startswith("/v1/") or self._dice.random() >= share:
            await self._app(scope, receive, send)
        elif not submits:
            await self._send(self._dice.choice(PAGES), send)
        elif self._dice.random() < 0.4:
            self.before += 1
            await self._send(self._dice.choice((*BEFORE, *EVER)), send)
        else:
            await self._after(scope, receive, send)

    async def _after(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a submit on, and answer in the API's place where it was accepted."""
        answer: list[Message] = []

        async def kept(message: Message) -> None:
            answer.append(message)

        await self._app(scope, receive, kept)
        body = b"".join(message.get("body", b"") for message in answer)
        request_id = _accepted(answer, body)
        if request_id is None:
            for message in answer:
                await send(message)
            return
        self.after += 1
        naming = self._dice.random() < 0.5
        await self._send(
            self._dice.choice(NAMING)(body, request_id) if naming else self._dice.choice(EVER), send
        )

    async def _send(self, dress: Dress, send: Send) -> None:
        self._told(f"a gateway answers: {dress.status} {dress.body[:60]!r}")
        headers = [(name.encode(), value.encode()) for name, value in dress.headers.items()]
        await send({"type": "http.response.start", "status": dress.status, "headers": headers})
        await send({"type": "http.response.body", "body": dress.body})


def _accepted(answer: list[Message], body: bytes) -> str | None:
    """The id of a whole receipt; None for anything else."""
    if not answer or not 200 <= answer[0].get("status", 0) < 300:
        return None
    try:
        document = json.loads(body)
    except ValueError:
        return None
    request_id = document.get("request_id") if isinstance(document, dict) else None
    return request_id if isinstance(request_id, str) and "error_code" not in document else None
