"""A provider that says what a test tells it to, and remembers what it was asked."""

import inspect
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from runner.clock import Clock
from runner.http.replies import never
from runner.providers.base import (
    CancelTaken,
    CancelVerdict,
    Priced,
    PriceVerdict,
    RemoteStatus,
    RemoteStatusReport,
    ResultReady,
    ResultVerdict,
    StatusVerdict,
    SubmitVerdict,
    Taken,
)
from runner.providers.vendor import is_handle

URL = "https://pictures.runcomfy.net/1.png"
PRICE = Decimal("0.04")

DONE = RemoteStatusReport(RemoteStatus.DONE, "completed")
WORKING = RemoteStatusReport(RemoteStatus.WORKING, "in_progress")


@dataclass(frozen=True, slots=True)
class Call:
    """One call: to what, about which model or request_id, when, and what was sent."""

    name: str
    about: str
    at: float
    payload: bytes = b""


Script = Any | Callable[[Call], Any | Awaitable[Any]]
"""A verdict, or a function from the call to one."""


class ScriptedProvider:
    """Implements `Provider`. Unless told otherwise every job is taken, done at once, and has one picture.

    A call takes `seconds`; its verdict is chosen when it begins, and made when it ends.
    """

    def __init__(self, clock: Clock, seconds: float = 0.1) -> None:
        self.calls: list[Call] = []
        self.seconds = seconds
        self.most_submits_at_once = 0
        self._clock = clock
        self._scripts: defaultdict[str, deque[Script]] = defaultdict(deque)
        self._submits_under_way = 0

    def says(self, name: str, *scripts: Script) -> None:
        """What the next calls of that name are answered; the last one goes for all that follow."""
        self._scripts[name] = deque(scripts)

    def asked(self, name: str) -> list[Call]:
        """The calls of that name so far."""
        return [call for call in self.calls if call.name == name]

    def is_handle(self, text: str) -> bool:
        return is_handle(text)

    async def submit(self, model: str, payload: bytes, is_late: Callable[[], bool] = never) -> SubmitVerdict:
        self._submits_under_way += 1
        self.most_submits_at_once = max(self.most_submits_at_once, self._submits_under_way)
        taken = Taken(f"req-{len(self.asked('submit')) + 1}")
        try:
            verdict: SubmitVerdict = await self._answer("submit", model, taken, payload)
        finally:
            self._submits_under_way -= 1
        return verdict

    async def status(self, request_id: str) -> StatusVerdict:
        verdict: StatusVerdict = await self._answer("status", request_id, DONE)
        return verdict

    async def result(self, request_id: str) -> ResultVerdict:
        verdict: ResultVerdict = await self._answer("result", request_id, ResultReady((URL,), PRICE))
        return verdict

    async def cancel(self, request_id: str) -> CancelVerdict:
        verdict: CancelVerdict = await self._answer("cancel", request_id, CancelTaken())
        return verdict

    async def price(self, model: str) -> PriceVerdict:
        verdict: PriceVerdict = await self._answer("price", model, Priced(PRICE))
        return verdict

    async def _answer(self, name: str, about: str, usual: Any, payload: bytes = b"") -> Any:
        call = Call(name, about, self._clock.monotonic(), payload)
        self.calls.append(call)
        scripts = self._scripts[name]
        script = usual
        if scripts:
            script = scripts.popleft() if len(scripts) > 1 else scripts[0]
        await self._clock.sleep(self.seconds)
        answer = script(call) if callable(script) else script
        return await answer if inspect.isawaitable(answer) else answer
