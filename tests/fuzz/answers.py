"""The API's answers: whatever comes over the wire has a meaning, and in doubt a submit is a doubt."""

import asyncio
import gzip
import random
import zlib
from typing import Any

import httpx
from pydantic import SecretStr

from runner.clock import SystemClock
from runner.http.api_client import ApiClient
from runner.http.url_policy import Blocked, ImageUrlPolicy, host_of
from runner.providers.base import Denied, ResultReady, Stopped, Taken, TurnedAway, Unconfirmed
from runner.providers.runcomfy.api import RunComfy
from runner.providers.runcomfy.endpoint import DEFAULT_BASE, IMAGE_HOSTS
from runner.providers.runcomfy.responses import is_request_id
from tests.fuzz.dresses import dressed, kept
from tests.fuzz.mutating import mutated

TOKEN = "canary-fuzz-token"

_SEEDS = (
    b'{"request_id": "6d2b7a10-4c1e-4f7a-9b0d-1f2e3d4c5b6a", "status_url": "https://x/", "status": "queued"}',
    b'{"error_code": 400004, "error_message": "token", "request_id": "r"}',
    b'{"status": "completed", "output": {"images": ["https://a.runcomfy.net/1.png"]}, "cost": 0.04}',
    b'{"status": "failed", "error": {"code": "content_policy", "message": "sensitive"}, "cost": "0.1"}',
    b'{"status": "in_progress", "queue_position": 3}',
    b'{"outcome": "cancelled", "status": "completed"}',
    b'{"base_price_usd": "0.04", "price_unit": "image", "model_id": "x"}',
    b'{"detail": [{"loc": ["body", "size"], "msg": "bad", "type": "value_error"}]}',
    b"<html><body>Please log in</body></html>",
    b'{"request_id": 17}',
    b"",
)
_WORDS = (
    *(
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b"null",
        b"true",
        b"1e400",
        b"-0",
        b"NaN",
        b"\\u0000",
        b"\\ud800",
    ),
    *(b'"request_id":', b'"error_code":', b'"status":', b'"output":', b'"images":', b'"url":', b'"cost":'),
    *(b'"../../x"', b'"a/b?c"', b'"completed"', b'"failed"', b"400002", b'"429"', b"<html>", TOKEN.encode()),
    *(b'"https://evil.example/1.png"', b'"https://runcomfy.net.evil/1"', b'"http://[::1]/"', b'"\\\\\\\\a"'),
)
_STATUSES = (200, 200, 200, 202, 204, 301, 307, 400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 429)
_WORSE = (500, 502, 503, 504, 520, 599, 226, 418, 451)
_HEADERS = {
    "content-type": (b"application/json", b"text/html", b"\xff", b""),
    "retry-after": (
        b"5",
        b"-5",
        b"999999999999",
        b"Fri, 31 Dec 9999 23:59:59 -2359",
        b"soon",
        b"1e9",
        b"\xb2",
    ),
    "date": (b"Mon, 01 Jan 0001 00:00:00 +2359", b"Fri, 20 Nov 2026 22:00:05 GMT", b"junk"),
    "content-encoding": (b"gzip", b"deflate", b"br", b"identity", b"gzip, gzip", b""),
    "location": (b"https://evil.example/", b"//x", b""),
}


class Api:
    """A client of an API that answers as the dice say. For one event loop."""

    def __init__(self) -> None:
        self.answer = httpx.Response(200)
        transport = httpx.MockTransport(lambda _request: self.answer)
        client = ApiClient(DEFAULT_BASE, SecretStr(TOKEN), transport=transport)
        self.provider = RunComfy(client, SystemClock(), submit_timeout=5, timeout=5)
        self.policy = ImageUrlPolicy.of(DEFAULT_BASE, IMAGE_HOSTS)
        self.loop = asyncio.Runner()

    def one(self, dice: random.Random) -> bytes:
        """One answer to each of the five calls. Returns what it was made of."""
        body = mutated(dice, _SEEDS, _WORDS)
        headers = {name: dice.choice(values) for name, values in _HEADERS.items() if dice.random() < 0.25}
        if headers.get("content-encoding") in (b"gzip", b"deflate") and dice.random() < 0.8:
            pack = gzip.compress if headers["content-encoding"] == b"gzip" else zlib.compress
            body = pack(body, 1)[: dice.choice((None, None, 20))]
        status = dice.choice(_STATUSES if dice.random() < 0.8 else _WORSE)
        self.hear(status, headers, body)
        return f"{status} {headers}\n".encode() + body

    def hear(self, status: int, headers: dict[str, bytes], body: bytes) -> None:
        """The same for an answer that is given."""

        def answer() -> httpx.Response:
            raw = [(name.encode(), value) for name, value in headers.items()]
            return httpx.Response(status, headers=raw, stream=_Body(body))

        self.loop.run(self._all(answer, status))

    def dress(self, dice: random.Random) -> bytes:
        """One answer to a submit that holds an id, in some dress: the id is kept. Returns the answer."""
        request_id, status, headers, body = dressed(dice)
        self.answer = httpx.Response(
            status, headers=[(name.encode(), value) for name, value in headers.items()], stream=_Body(body)
        )
        verdict = self.loop.run(self.provider.submit("bytedance/seedream-4-5/text-to-image", b"{}"))
        assert kept(request_id, verdict), f"{request_id} is lost: {verdict!r}"
        return f"{status} {headers}\n".encode() + body

    async def _all(self, answer: Any, status: int) -> None:
        self.answer = answer()
        _submitted(await self.provider.submit("bytedance/seedream-4-5/text-to-image", b"{}"), status)
        for call in (self.provider.status, self.provider.result, self.provider.cancel, self.provider.price):
            self.answer = answer()
            verdict = await call("req-1")
            assert TOKEN not in repr(verdict)
            if isinstance(verdict, ResultReady):
                assert len(verdict.urls) <= 64
                for url in verdict.urls:
                    self._fetchable(url)

    def _fetchable(self, url: str) -> None:
        target = self.policy.check(url)
        if not isinstance(target, Blocked):
            assert target.scheme == "https"
            host = host_of(target)
            assert host.endswith((".runcomfy.net", ".runcomfy.com")), url


class _Body(httpx.AsyncByteStream):
    """As a server sends it: bytes that nobody has looked at."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> Any:
        for first in range(0, len(self._body), 4096):
            yield self._body[first : first + 4096]


def _submitted(verdict: Any, status: int) -> None:
    """What a submit came to: only a clear no sends it again, only a 2xx takes it."""
    assert TOKEN not in repr(verdict)
    match verdict:
        case Taken(request_id=request_id):
            assert is_request_id(request_id)
            assert 200 <= status < 300
        case TurnedAway(reason=said, retry_after_seconds=seconds):
            assert said.isprintable()
            assert seconds is None or 0 <= seconds <= 600
        case Stopped(message=said) | Unconfirmed(message=said):
            assert said.isprintable()
            assert said
        case Denied(failure=failure):
            assert failure.message.isprintable()
            assert failure.message
        case _:
            raise AssertionError(f"no verdict: {verdict!r}")
