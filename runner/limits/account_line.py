"""The line before an account's own limits, which the job table keeps: one asks at a time while it refuses.

The table decides, in the transaction of the intent. Here is only when it is worth asking: whoever was refused
waits until the time that the table told, or until a job of this run has ended.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import anyio

from jobs.admission import Bound, NotAdmitted, SubmitTerms
from jobs.attempts import Intent
from jobs.pauses import Wait
from runner.clock import Clock
from runner.limits.health import Health

_LEAST_SECONDS = 0.01
"""Clocks are not exact: whoever comes a moment early asks once more."""
_FREED_BY_AN_END = frozenset({Bound.IN_FLIGHT, Bound.GATE, Bound.BUDGET})
_OBEYS_WITHIN_SECONDS = 1.0
"""Nobody waits for longer until a rate's next turn: a person may have raised it meanwhile."""
_TOLD_AFTER_SECONDS = 1.0
"""A wait that is shorter is nothing that anybody asks about."""


class AccountLine:
    """The line of one run. `account_id` is the account's in the table; `doubt` is one that it began with."""

    def __init__(
        self,
        clock: Clock,
        health: Health,
        *,
        account_id: int,
        batch_id: int,
        gate: int | None = None,
        doubt: datetime | None = None,
    ) -> None:
        self.account_id = account_id
        self._clock = clock
        self._health = health
        self._batch_id = batch_id
        self._gate = gate
        self._doubt = doubt
        self._refused: NotAdmitted | None = None
        self._since = 0.0
        self._ask_at = 0.0
        self._asks: int | None = None
        """The job that asks, while the account refuses."""
        self._in_line = 0
        self._changed = anyio.Event()

    def terms(self, budget: Decimal | None) -> SubmitTerms:
        """What the table holds a submit against. A doubt is cleared once the API has answered this run."""
        cleared = None if self._health.suspect else self._doubt
        return SubmitTerms(self.account_id, self._batch_id, budget, self._gate, cleared)

    async def ready(self, job_id: int) -> None:
        """Return when it is worth asking for this job, at once unless the account refuses."""
        self._in_line += 1
        try:
            while self._refused is not None:
                if self._asks is None:
                    self._asks = job_id
                if self._asks != job_id:
                    await self._changed.wait()
                elif (wait := self._ask_at - self._clock.monotonic()) > 0:
                    with anyio.move_on_after(wait):
                        await self._changed.wait()
                else:
                    return
        finally:
            self._in_line -= 1

    @contextmanager
    def place(self, job_id: int) -> Iterator[None]:
        """A place in the line, for the length of the block: whoever leaves it, the next one asks."""
        try:
            yield
        finally:
            self._let_go(job_id)

    def told(self, job_id: int, answer: Intent | NotAdmitted | None) -> None:
        """Note what the table has answered for a job; the next one in line asks."""
        now = self._clock.monotonic()
        if isinstance(answer, NotAdmitted):
            if self._refused is None or self._refused.bound is not answer.bound:
                self._since = now
            self._refused = answer
            most = _OBEYS_WITHIN_SECONDS if answer.bound is Bound.RATE else answer.wait_seconds
            self._ask_at = now + max(_LEAST_SECONDS, min(most, answer.wait_seconds))
            if answer.doubt is not None:
                self._doubt = answer.doubt
                self._health.doubted_elsewhere()
        elif self._in_line:
            self._ask_at = now  # there may be room for the next one as well
        else:
            self._refused = None
        self._asks = None if self._asks == job_id else self._asks
        self._wake()

    def doubted(self, at: datetime) -> None:
        """Note a doubt of this run's own, which the table names by its time."""
        self._doubt = at

    def ended(self) -> None:
        """Note that a job has left the API: there may be room."""
        if self._refused is not None and self._refused.bound in _FREED_BY_AN_END:
            self._ask_at = self._clock.monotonic()
            self._wake()

    @property
    def waiting_for(self) -> str | None:
        """Why no submit is sent at the moment, for a person; None where nobody wants to send one."""
        refused, now = self._refused, self._clock.monotonic()
        if refused is None or now - self._since < _TOLD_AFTER_SECONDS:
            return None
        return refused.detail if self._in_line or self._asks is not None else None

    @property
    def waiting(self) -> Wait | None:
        """The same for other programs, until the table is asked again."""
        detail = self.waiting_for
        if detail is None:
            return None
        now, here = self._clock.now(), self._clock.monotonic()
        since, until = (now + timedelta(seconds=at - here) for at in (self._since, max(here, self._ask_at)))
        return Wait("account", detail, since, until)

    def _let_go(self, job_id: int) -> None:
        if self._asks == job_id:
            self._asks = None
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
