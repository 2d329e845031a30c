"""The network between a run and the API, which sees all that leaves: what may not leave is found here.

Requests take their time, which the seed draws. A dead process sends nothing; what was on its way when it died
arrives all the same.
"""

import hashlib
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.simulation.committed import Committed
from tests.simulation.history import History
from tests.simulation.process import PROCESS, Killed, Process
from tests.support.in_process import InProcess
from tests.support.night import BASE, TOKEN

_HOST = urlsplit(BASE).netloc
_STOPS = {400004, 400002}
"""Error codes of the API after which nothing may be submitted: the token, the balance."""
_OBEYED_WITHIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Receipt:
    """A request_id that a process has received, in whatever dress."""

    process: Process
    request_id: str


class Net(InProcess):
    """Carries requests of every process, and checks those that leave."""

    gate = 4
    look_seconds = 5.0
    deduping = False
    """Whether every run is with `--dedupe`."""

    def __init__(
        self,
        app: ASGIApp,
        clock: Callable[[], float],
        dice: random.Random,
        history: History,
        table: Committed,
    ) -> None:
        async def world(scope: Scope, receive: Receive, send: Send) -> None:
            PROCESS.set(None)  # the API's code is nobody's whom we could kill
            await app(scope, receive, send)

        super().__init__(world, clock)
        self.receipts: list[Receipt] = []
        self._refused_prices: set[str] = set()
        """Processes that may ask a second, free question about the price that was refused to them."""
        self.stopped: dict[str, float] = {}
        """By process: when the API first told it to stop, and nobody has cleared that since."""
        self.accepted: Callable[[], list[str]] = list
        """The request_ids that the API has given so far."""
        self._dice = dice
        self._history = history
        self._table = table
        self._posts: list[Process | None] = []
        self._submitters: list[Process] = []
        """Each from its first submit on; there is one at a time."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        process = PROCESS.get()
        if process is not None:
            if process.dead:
                raise Killed("the dead send nothing")
            process.reach("before a request")
        paid = request.method == "POST" and "/models/" in request.url.path
        with self._history.watched():
            self._check(request)
            if paid:
                self._check_submit(request, process)
        name = f"{request.method} {_short(request.url.path)}"
        self._history.note(name)
        self._seconds = self._dice.choice((0.02, 0.02, 0.1, 1.5))
        try:
            response = await self._carried(request, process, paid)
        except httpx.HTTPError as error:
            self._history.note(f"{name}: {type(error).__name__}")
            raise
        self._history.note(f"{name}: {response.status_code}")
        if process is not None:
            process.reach("before an answer")
        if "/media/" in request.url.path:
            return response
        assert isinstance(response.stream, httpx.AsyncByteStream)
        if paid:
            self._received(process, response.headers.get("location", "").encode())
        stream = _Noted(response.stream, lambda body: self._answered(process, request, body))
        return httpx.Response(response.status_code, headers=response.headers, stream=stream, request=request)

    async def _carried(self, request: httpx.Request, process: Process | None, paid: bool) -> httpx.Response:
        if not paid:
            return await super().handle_async_request(request)
        self._posts.append(process)
        try:
            return await super().handle_async_request(request)
        finally:
            self._posts.remove(process)

    def cut(self) -> None:
        """Break every connection."""
        for exchange in sorted(self._exchanges, key=lambda exchange: hash(exchange.task)):
            exchange.break_off()

    def allowed_again(self) -> None:
        """A person cleared what stood in the way."""
        self.stopped.clear()

    def _check(self, request: httpx.Request) -> None:
        url = request.url
        assert url.netloc.decode() == _HOST, f"I14: a request to {url.netloc.decode()}"
        to_the_api = url.path.startswith(urlsplit(BASE).path)
        shown = [name for name, value in request.headers.items() if TOKEN in value]
        assert shown == (["authorization"] if to_the_api else []), f"I13: the token in {shown} of {url.path}"
        assert TOKEN not in str(url), "I13: the token in an address"

    def _check_submit(self, request: httpx.Request, process: Process | None) -> None:
        sent = hashlib.sha256(request.content).hexdigest()
        assert sent in self._table.intents, "I2: a submit without a committed intent"
        beside = self._table.sent_beside(sent) if self.deduping else []
        assert not beside, f"I1: sent beside one that says the same, and is {beside}"
        assert process is not None
        assert process.runs, f"I1: {process.name} submits"
        if process not in self._submitters:
            self._submitters.append(process)
        assert process is self._submitters[-1], f"I16: {process.name} and {self._submitters[-1].name} submit"
        under_way = sum(other is process for other in self._posts)
        assert under_way < self.gate, f"I11: {under_way + 1} submits at once, the gate is {self.gate}"
        told_at = self.stopped.get(process.name)
        assert told_at is None or self._clock() - told_at <= _OBEYED_WITHIN_SECONDS, "I12: told to stop"
        assert process.held != self._table.pauses, f"I12: it began paused ({self._table.paused}), and sends"
        if self._table.paused_by is process:  # what has its money aside may still leave
            assert self._table.paused in (None, "budget"), f"I12: paused ({self._table.paused}), and sends"

    def _received(self, process: Process | None, answer: bytes) -> None:
        """Note each id that the API has given and that stands in an answer to a submit."""
        if process is not None and not process.dead:
            ids = [request_id for request_id in self.accepted() if request_id.encode() in answer]
            self.receipts += [Receipt(process, request_id) for request_id in ids]

    def _answered(self, process: Process | None, request: httpx.Request, body: bytes) -> None:
        if process is None or process.dead:
            return
        if request.method == "POST" and "/models/" in request.url.path:
            self._received(process, body)
        try:
            document = json.loads(body)
        except ValueError:
            return
        if not isinstance(document, dict):
            return
        submit = "/models/" in request.url.path
        if document.get("error_code") in _STOPS and (submit or "/requests/" in request.url.path):
            if request.method == "POST" and not submit:
                return  # a cancel is asked again, whatever was said to it
            if request.method == "GET" and submit:
                self._refused_prices.add(process.name)
                return  # a price is a convenience
            if process.name in self._refused_prices:
                self._refused_prices.remove(process.name)
                return  # the second question, about that price
            self.stopped.setdefault(process.name, self._clock())


class _Noted(httpx.AsyncByteStream):
    """A body that tells when all of it has been read."""

    def __init__(self, stream: httpx.AsyncByteStream, told: Callable[[bytes], Any]) -> None:
        self._stream = stream
        self._told = told

    async def __aiter__(self) -> AsyncIterator[bytes]:
        body = bytearray()
        async for chunk in self._stream:
            body += chunk
            yield chunk
        self._told(bytes(body))

    async def aclose(self) -> None:
        await self._stream.aclose()


def _short(path: str) -> str:
    """A path without what a link is signed with."""
    return "/media" if path.startswith("/media/") else path.removeprefix("/v1")
