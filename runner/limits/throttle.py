"""When a submit may be sent: the gate, the rate limit, and a common wait while the API is busy."""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import anyio

from jobs.pauses import PauseReason, Wait
from runner.backoff import Backoff
from runner.clock import Clock
from runner.limits.brake import Brake
from runner.limits.concurrency import InFlight
from runner.limits.health import Health
from runner.providers.base import TurnedAway

_COOL_DOWN = Backoff(first=1.0, longest=60.0)


class Throttle:
    """Limits the submits of all workers: `gate` in flight at once, `rate` a minute (None is no limit)."""

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        brake: Brake,
        health: Health,
        in_flight: InFlight,
        *,
        gate: int,
        rate: float | None,
        outage_limit: float,
    ) -> None:
        self._clock = clock
        self._rng = rng
        self._brake = brake
        self._health = health
        self._in_flight = in_flight
        self._gate = anyio.Semaphore(gate)
        self._single_file = anyio.Lock()
        self.rate = rate
        self._limit = outage_limit
        self._free_at = clock.monotonic()
        self._cool_until = clock.monotonic()
        self._turned_away = 0
        self._busy_since: float | None = None

    @asynccontextmanager
    async def admit(self, job_id: int) -> AsyncIterator[None]:
        """Admit the submit of a job, for the length of the block.

        After a failure submits go one by one until one is answered: avoid a thundering herd after an outage.
        """
        async with AsyncExitStack() as held:
            await held.enter_async_context(self._gate)
            alone = False
            while not (self._clear and (alone or not self._careful)):
                if self._careful and not alone:
                    await held.enter_async_context(self._single_file)
                    alone = True
                await self._health.ready()
                await self._clock.sleep(self._wait)
                await self._in_flight.room()
            if self.rate:
                self._free_at = max(self._free_at, self._clock.monotonic()) + 60.0 / self.rate
            held.enter_context(self._in_flight.submitting(job_id))
            yield

    @property
    def _clear(self) -> bool:
        return self._wait <= 0 and not self._health.suspect and self._in_flight.has_room

    @property
    def _wait(self) -> float:
        now = self._clock.monotonic()
        return max(self._cool_until, self._free_at if self.rate else now) - now

    @property
    def _careful(self) -> bool:
        return self._turned_away > 0 or self._health.suspect or self._health.last_submit_unconfirmed

    @property
    def waiting_for(self) -> str | None:
        """Why no submit is sent at the moment, for a person."""
        seconds = self._cool_until - self._clock.monotonic()
        return f"the API is busy, next submit in {seconds:.0f} s" if seconds >= 1 else None

    @property
    def waiting(self) -> Wait | None:
        """The same for other programs: since the API is busy, until the next submit."""
        detail, now, here = self.waiting_for, self._clock.now(), self._clock.monotonic()
        if detail is None or self._busy_since is None:
            return None
        since = now - timedelta(seconds=here - self._busy_since)
        return Wait("busy", detail, since, now + timedelta(seconds=self._cool_until - here))

    def turned_away(self, job_id: int, verdict: TurnedAway) -> float:
        """Note that the API is busy. Returns the seconds that all submits wait now.

        None, where fewer jobs at the API are the answer: the next one leaves when one of them has ended.
        """
        now, retry_after_seconds = self._clock.monotonic(), verdict.retry_after_seconds
        if self._busy_since is None:
            self._busy_since = now
        gives_way = verdict.proven and self._in_flight.turned_away(job_id)
        if gives_way and retry_after_seconds is None and now - self._busy_since < self._limit:
            return 0.0
        if now >= self._cool_until:  # submits that were in flight together count once
            self._turned_away += 1
        wait = max(_COOL_DOWN.jittered(self._turned_away - 1, self._rng), retry_after_seconds or 0.0)
        self._cool_until = max(self._cool_until, now + wait)
        if now - self._busy_since >= self._limit:
            self._brake.pause(
                PauseReason.OUTAGE,
                f"The API has turned every submit away for {self._limit:g} s: {verdict.reason}.",
            )
        return wait

    def answered(self) -> None:
        """Note that the API accepted or refused a submit: it is not busy."""
        self._turned_away = 0
        self._busy_since = None
