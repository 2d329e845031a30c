"""A tiny Model API on bare sockets, with one way of breaking one of its endpoints: what a real server cannot
be made to do.

Each way of breaking is given the proper answer, and does something else with it.
"""

import asyncio
import io
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache

from PIL import Image

from tests.support.wire import Call, Wire, serve

Break = Callable[[Call, bytes], Awaitable[bool]]
"""Plays an answer; True if the connection may be used again."""


@cache
def a_picture() -> bytes:
    """A PNG that is large enough to be cut in two."""
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(stream, "PNG")
    return stream.getvalue()


@dataclass
class BrokenApi:
    """Breaks `endpoint` in the way `how`, the first time or every time. Counts what it was asked."""

    endpoint: str
    how: Break
    for_ever: bool
    mended: bool = False
    base: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    accepted: dict[str, str] = field(default_factory=dict)
    """Prompts by the request_ids that were given out, whether or not they arrived."""

    async def serve(self, call: Call) -> None:
        """One connection, for as long as it is kept."""
        while request := await call.read():
            head, _, body = request.partition(b"\r\n\r\n")
            method, path = head.split(b" ", 2)[:2]
            endpoint, answer = self._answer(method.decode(), path.decode(), body)
            self.asked[endpoint] += 1
            broken = endpoint == self.endpoint and not self.mended
            if broken and (self.for_ever or self.asked[endpoint] == 1):
                if not await self.how(call, answer):
                    return
            else:
                await call.send(answer)

    def _answer(self, method: str, path: str, body: bytes) -> tuple[str, bytes]:
        if method == "POST":
            request_id = f"req-{len(self.accepted) + 1:032}"
            self.accepted[request_id] = json.loads(body)["prompt"]
            return "submit", _json({"request_id": request_id})
        if found := re.search(r"/requests/([^/]+)/(status|result)", path):
            request_id, endpoint = found.groups()
            output = {"images": [f"{self.base}/pictures/{request_id}.png"]}
            answer = {"request_id": request_id, "status": "completed", "output": output}
            return endpoint, _json(answer)
        if "/pictures/" in path:
            return "picture", _proper(a_picture(), "image/png")
        return "other", _json({})


def _json(value: Mapping[str, object]) -> bytes:
    return _proper(json.dumps(value).encode(), "application/json")


def _proper(body: bytes, content_type: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@asynccontextmanager
async def broken_api(endpoint: str, how: Break, *, for_ever: bool) -> AsyncIterator[BrokenApi]:
    """Serve one on loopback for as long as the block lasts."""
    api = BrokenApi(endpoint, how, for_ever)
    async with serve(api.serve) as wire:
        api.base = Wire(port=wire.port).base
        yield api


class Held:
    """Answers that are held back until the test lets them go."""

    def __init__(self) -> None:
        self.waiting = 0
        self.answered = 0
        self.free = asyncio.Event()

    async def __call__(self, call: Call, answer: bytes) -> bool:
        self.waiting += 1
        await self.free.wait()
        await call.send(answer)
        self.answered += 1
        return True


# -- ways of breaking ------------------------------------------------------------------------------------


def _half(answer: bytes) -> bytes:
    """The head, and a body that is cut before its first value is whole."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n" + body[: min(len(body) // 2, 10)]


def _with(answer: bytes, *headers: bytes, body: bytes | None = None) -> bytes:
    """The answer under other headers of length."""
    head, _, own = answer.partition(b"\r\n\r\n")
    kept = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    return b"\r\n".join([*kept, *headers]) + b"\r\n\r\n" + (own if body is None else body)


async def hangs_up(call: Call, answer: bytes) -> bool:
    """Closes without a word."""
    return False


async def resets(call: Call, answer: bytes) -> bool:
    """Drops the connection with an RST."""
    call.reset()
    return False


async def is_silent(call: Call, answer: bytes) -> bool:
    """Says nothing until the other side gives up."""
    await call.hang()
    return False


async def half_a_head(call: Call, answer: bytes) -> bool:
    """Closes in the middle of a header."""
    await call.send(answer[:25])
    return False


async def half_a_head_and_silence(call: Call, answer: bytes) -> bool:
    """Falls silent in the middle of a header."""
    await call.send(answer[:25])
    await call.hang()
    return False


async def half_a_body(call: Call, answer: bytes) -> bool:
    """Closes in the middle of the body."""
    await call.send(_half(answer))
    return False


async def half_a_body_and_reset(call: Call, answer: bytes) -> bool:
    """Drops the connection in the middle of the body."""
    await call.send(_half(answer))
    await asyncio.sleep(0)
    call.reset()
    return False


async def half_a_body_and_silence(call: Call, answer: bytes) -> bool:
    """Falls silent in the middle of the body."""
    await call.send(_half(answer))
    await call.hang()
    return False


async def drips(call: Call, answer: bytes) -> bool:
    """A byte now and then, so that it is never silent and never done."""
    for place in range(len(answer)):
        await call.send(answer[place : place + 1])
        await asyncio.sleep(0.02)
        if call.reader.at_eof():
            break
    return False


async def garbage(call: Call, answer: bytes) -> bool:
    """What it says is no HTTP."""
    await call.send(b"\x16\x03\x01\x00\xff\x00" * 40 + b"\r\n\r\n")
    return False


async def endless_head(call: Call, answer: bytes) -> bool:
    """Headers without an end."""
    await call.send(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 900) for n in range(400)))
    return False


async def broken_chunks(call: Call, answer: bytes) -> bool:
    """A chunk whose length is none."""
    await call.send(_with(answer, b"Transfer-Encoding: chunked", body=b"zz\r\n{}\r\n0\r\n\r\n"))
    return False


async def chunks_without_an_end(call: Call, answer: bytes) -> bool:
    """Chunks, and a connection that closes before the last."""
    await call.send(_with(answer, b"Transfer-Encoding: chunked", body=b"8\r\n        \r\n"))
    return False


async def gzip_that_is_none(call: Call, answer: bytes) -> bool:
    """Says that it is packed."""
    body = answer.partition(b"\r\n\r\n")[2]
    await call.send(_with(answer, b"Content-Encoding: gzip", b"Content-Length: %d" % len(body)))
    return True


async def goes_away_unasked(call: Call, answer: bytes) -> bool:
    """A proper answer, and a connection that closes though it said that it stays."""
    await call.send(answer)
    return False


async def says_too_much(call: Call, answer: bytes) -> bool:
    """More bytes than it told, which the next answer on this connection would begin with."""
    await call.send(answer + b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
    return True
