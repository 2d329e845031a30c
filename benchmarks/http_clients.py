"""What a call to the API costs by what carries it: `python -m benchmarks.http_clients`.

Submit, two polls and the result of each job, against the server on loopback: bare aiohttp, the product's own
client, httpx over the product's connections, and httpx as it is shipped, with room for all connections.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import httpx
from pydantic import SecretStr

from benchmarks import sample_pictures
from benchmarks.loopback import INSTANT_POLLS, Loopback, Service, loopback
from benchmarks.peers.calls import MODEL, body
from benchmarks.rounds import Column, by_turns, options, tell
from runner.http.api_client import ApiClient
from runner.http.replies import Answer
from runner.http.session import Session, release
from runner.http.transport import tls_context

CALLS = INSTANT_POLLS + 2
COLUMNS = (Column("cpu_us", "CPU us/call", 0, ratio=True), Column("calls_a_second", "calls/s", 0))

Ask = Callable[[str, str, bytes | None], Awaitable[bytes]]
"""Method, path and body of a call; the answer's body."""
Client = Callable[[str], AbstractAsyncContextManager[Ask]]
"""Calls to the API at this base."""


@asynccontextmanager
async def bare_aiohttp(base: str) -> AsyncIterator[Ask]:
    """A session without a limit."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(method: str, path: str, content: bytes | None) -> bytes:
            async with session.request(method, base + path, data=content) as answer:
                return await answer.read()

        yield ask


@asynccontextmanager
async def our_client(base: str) -> AsyncIterator[Ask]:
    """As a run uses it: a submit has a grace, and a connection that is fresh."""
    async with ApiClient(base, SecretStr("benchmark")) as client:

        async def ask(method: str, path: str, content: bytes | None) -> bytes:
            fresh = content is not None
            reply = await client.request(method, path, json_body=content, timeout_seconds=60, fresh=fresh)
            assert isinstance(reply, Answer)
            return reply.body

        yield ask


class _OverOurs(httpx.AsyncBaseTransport):
    """Carries httpx's requests over a session."""

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
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._answer.content.iter_any():
            yield piece

    async def aclose(self) -> None:
        await release(self._answer)


@asynccontextmanager
async def over(transport: httpx.AsyncBaseTransport, base: str) -> AsyncIterator[Ask]:
    """httpx's client over a transport."""
    async with httpx.AsyncClient(transport=transport, timeout=60) as client:

        async def ask(method: str, path: str, content: bytes | None) -> bytes:
            return (await client.request(method, base + path, content=content)).content

        yield ask


def _httpx_over_ours(base: str) -> AbstractAsyncContextManager[Ask]:
    return over(_OverOurs(Session(tls=tls_context(), keepalive_seconds=30)), base)


def _httpx_shipped(base: str) -> AbstractAsyncContextManager[Ask]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return over(httpx.AsyncHTTPTransport(verify=tls_context(), limits=limits), base)


CLIENTS: Mapping[str, Client] = {
    "aiohttp": bare_aiohttp,
    "nightsheet": our_client,
    "httpx over nightsheet's connections": _httpx_over_ours,
    "httpx": _httpx_shipped,
}


async def _job(ask: Ask, number: int) -> None:
    told = await ask("POST", f"/models/{MODEL}", json.dumps(body(number)).encode())
    path = f"/requests/{json.loads(told)['request_id']}"
    for _ in range(INSTANT_POLLS):
        await ask("GET", f"{path}/status", None)
    await ask("GET", f"{path}/result", None)


async def _jobs(client: Client, base: str, jobs: int, at_once: int) -> dict[str, float]:
    async with client(base) as ask:
        left = iter(range(jobs))

        async def worker() -> None:
            for number in left:
                await _job(ask, number)

        begun, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(worker() for _ in range(at_once)))
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    calls = jobs * CALLS
    return {"cpu_us": cpu / calls * 1_000_000, "calls_a_second": calls / seconds}


def measured(server: Loopback, client: Client, jobs: int, at_once: int) -> dict[str, float]:
    """All jobs through one client."""
    server.begin(Service())
    return asyncio.run(_jobs(client, server.base, jobs, at_once))


def main() -> None:
    """Measure every client at every concurrency."""
    parser = options("http_clients", __doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[8, 64, 256])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    tables = []
    with (
        tempfile.TemporaryDirectory() as folder,
        loopback(sample_pictures.write(Path(folder), "small")) as server,
    ):
        for at_once in given.concurrency:
            told = (given.jobs, at_once)
            cases = {name: partial(measured, server, client, *told) for name, client in CLIENTS.items()}
            title = f"{given.jobs} jobs of {CALLS} calls, {at_once} at once"
            tables.append((title, by_turns(cases, given.rounds), COLUMNS))
    tell(given.json, tables)


if __name__ == "__main__":
    main()
