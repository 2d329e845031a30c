"""An API on loopback that is not the bottleneck: a process of its own, raw bytes, no framework.

It has the shape of RunComfy's Model API, and answers what was prepared: submit, status, result, picture. It
checks nothing and keeps nothing but times, so that its core is idle while a runner is measured; how idle, and
how many requests a second it could answer, is measured beside each run. Which service time the n-th submit
has depends on the seed alone: every runner gets the same draws in the order of its submits.
"""

import argparse
import asyncio
import http.client
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.child import ROOT, python

PRICE = b'{"base_price_usd": 0.04, "price_unit": "image"}'
INSTANT_POLLS = 2
"""Of an instant service: the first status says that the job is worked on, the second that it is done."""
_RESULT = b'{"request_id": "%s", "status": "succeeded", "cost": 0.04, "output": {"image": "%s/media/%s"}}'
_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Service:
    """How long a job takes at the API: lognormal with this median in seconds; 0 is at once."""

    median: float = 0.0
    sigma: float = 0.4
    seed: int = 1

    def draws(self, jobs: int) -> list[float]:
        """The service times of the first jobs, in the order of their submits."""
        dice = random.Random(self.seed)  # noqa: S311 - service times
        return [self.median * dice.lognormvariate(0.0, self.sigma) for _ in range(jobs)]


@dataclass(frozen=True, slots=True)
class Figures:
    """What the server saw of one run."""

    jobs: int
    span: float
    """Seconds from its first submit to its last picture."""
    requests: int
    polls: int
    connections: int
    first_at: float
    """The moment of the first submit, of the monotonic clock that all processes share."""
    cpu_seconds: float
    """Of the server, in that time."""

    @property
    def busy(self) -> float:
        """The share of its time that the server was at work."""
        return self.cpu_seconds / self.span if self.span else 0.0


@dataclass(slots=True)
class _State:
    """The jobs of one run, and when things happened."""

    service: Service
    dice: random.Random
    done_at: list[float] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    requests: int = 0
    polls: int = 0
    pictures: int = 0
    connections: int = 0
    first_at: float = 0.0
    first_cpu: float = 0.0
    last_at: float = 0.0
    last_cpu: float = 0.0

    def submitted(self) -> int:
        now = time.monotonic()
        if not self.done_at:
            self.first_at, self.first_cpu = now, time.process_time()
        service = self.service
        self.done_at.append(now + service.median * self.dice.lognormvariate(0.0, service.sigma))
        self.asked.append(0)
        return len(self.done_at) - 1

    def is_done(self, number: int) -> bool:
        self.asked[number] += 1
        self.polls += 1
        if self.service.median:
            return time.monotonic() >= self.done_at[number]
        return self.asked[number] >= INSTANT_POLLS

    def delivered(self) -> None:
        self.pictures += 1
        self.last_at, self.last_cpu = time.monotonic(), time.process_time()

    def figures(self) -> dict[str, Any]:
        return {
            "jobs": self.pictures,
            "span": self.last_at - self.first_at,
            "requests": self.requests,
            "polls": self.polls,
            "connections": self.connections,
            "first_at": self.first_at,
            "cpu_seconds": self.last_cpu - self.first_cpu,
        }


class _Server:
    """All connections share one run's state and one picture."""

    def __init__(self, picture: bytes, kind: str) -> None:
        self.picture = _answer(picture, kind.encode())
        self.state = _fresh(Service())
        self.origin = b""
        self.runs = 0
        """Two runs over one table get no id twice."""

    def answer(self, method: bytes, path: bytes, body: bytes) -> bytes:
        state = self.state
        if path.startswith(b"/bench/"):
            return self._control(path, body)
        state.requests += 1
        if method == b"POST":
            return _answer(b'{"request_id": "r%d-%08d"}' % (self.runs, state.submitted()))
        parts = path.partition(b"?")[0].split(b"/")
        match parts[1:]:
            case [b"v1", b"requests", name, b"status"]:
                word = b"completed" if state.is_done(int(name.rpartition(b"-")[2])) else b"in_progress"
                return _answer(b'{"request_id": "%s", "status": "%s"}' % (name, word))
            case [b"v1", b"requests", name, b"result"]:
                return _answer(_RESULT % (name, self.origin, name))
            case [b"media", _name]:
                state.delivered()
                return self.picture
            case [b"v1", b"models", *_model]:
                return _answer(PRICE)
            case _:
                return b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"

    def _control(self, path: bytes, body: bytes) -> bytes:
        if path == b"/bench/begin":
            self.state = _fresh(Service(**json.loads(body)))
            self.runs += 1
            return _answer(b"{}")
        return _answer(json.dumps(self.state.figures()).encode())


class _Connection(asyncio.Protocol):
    """One connection: whole requests in, whole answers out, in turn."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.state.connections += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (request := _request_in(self._buffer)) is not None:
            method, path, body, self._buffer = request
            self._transport.write(self._server.answer(method, path, body))


def _request_in(buffer: bytes) -> tuple[bytes, bytes, bytes, bytes] | None:
    """Method, path and body of the first request, and what follows it; None while it is not whole."""
    end = buffer.find(_HEAD_END)
    if end < 0:
        return None
    head = buffer[:end]
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    begin = end + len(_HEAD_END)
    if len(buffer) < begin + length:
        return None
    method, path, _version = head.partition(b"\r\n")[0].split(b" ")
    return method, path, buffer[begin : begin + length], buffer[begin + length :]


def _answer(body: bytes, kind: bytes = b"application/json") -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n%s" % (kind, len(body), body)


def _fresh(service: Service) -> _State:
    return _State(service, random.Random(service.seed))  # noqa: S311 - service times


async def _serve(picture: bytes, kind: str) -> None:
    """Say the port, and serve until standard input ends: with the process that wanted it."""
    server = _Server(picture, kind)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: _Connection(server), "127.0.0.1", 0, backlog=2048)
    port = listening.sockets[0].getsockname()[1]
    server.origin = b"http://127.0.0.1:%d" % port
    print(port, flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    async with listening:
        await ended.wait()


@dataclass(frozen=True, slots=True)
class Loopback:
    """A running server."""

    port: int

    @property
    def base(self) -> str:
        """The API's base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def begin(self, service: Service) -> None:
        """Forget the last run; this one has these service times."""
        said = {"median": service.median, "sigma": service.sigma, "seed": service.seed}
        self._ask("POST", "/bench/begin", json.dumps(said))

    def figures(self) -> Figures:
        """What it has seen since."""
        return Figures(**self._ask("GET", "/bench/figures"))

    def _ask(self, method: str, path: str, body: str | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@contextmanager
def loopback(picture: Path) -> Iterator[Loopback]:
    """A server in a process of its own, which has one picture. It ends with this block, or with us."""
    kind = "image/png" if picture.suffix == ".png" else "image/jpeg"
    command = python("-m", "benchmarks.loopback", str(picture), kind)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield Loopback(int(server.stdout.readline()))
        finally:
            server.stdin.close()
            server.wait(10)


# -- what the server could do --


async def _raw_job(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One job of a client that does next to nothing: prepared bytes out, answers read by their length."""

    async def ask(method: bytes, path: bytes) -> bytes:
        writer.write(b"%s %s HTTP/1.1\r\nhost: l\r\ncontent-length: 0\r\n\r\n" % (method, path))
        head = await reader.readuntil(_HEAD_END)
        return await reader.readexactly(int(head[: -len(_HEAD_END)].rpartition(b": ")[2]))

    name = json.loads(await ask(b"POST", b"/v1/models/m"))["request_id"].encode()
    for _ in range(INSTANT_POLLS):
        await ask(b"GET", b"/v1/requests/%s/status" % name)
    result = json.loads(await ask(b"GET", b"/v1/requests/%s/result" % name))
    await ask(b"GET", b"/media/" + result["output"]["image"].rpartition("/")[2].encode())


async def _raw(port: int, jobs: int, at_once: int) -> None:
    left = iter(range(jobs))

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            await _raw_job(reader, writer)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(worker() for _ in range(at_once)))


def ceiling(server: Loopback, jobs: int, at_once: int) -> Figures:
    """What it saw of a client that does next to nothing."""
    server.begin(Service())
    asyncio.run(_raw(server.port, jobs, at_once))
    return server.figures()


def main() -> None:
    """Serve: this is what `loopback` starts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loopback", description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("kind", help="the picture's media type")
    given = parser.parse_args()
    asyncio.run(_serve(given.picture.read_bytes(), given.kind))


if __name__ == "__main__":
    main()
