"""How often the API is asked about jobs, over all of them: as often as it answers.

Each job has its own time for a poll (`poll_schedule`). Where the API turns one away, all wait as long as it
says. From then on they come at half the pace at which they came, and faster again while none is turned away.
"""

from collections import deque

import anyio

from runner.clock import Clock

HOLD_SECONDS = 1.0
"""Polls that were on their way together are turned away together: for so long that counts once."""
SLOWEST = 0.5
"""Polls a second that are always tried."""
GROWS_EVERY_SECONDS = 10.0
_GROWS_BY = 0.1
"""Of the pace at which polls were turned away."""
_FORGOTTEN_AT = 2.0
"""Where the API answers at so many times that pace, it is no limit any more."""
_MEASURED_SECONDS = 2.0


class PollPace:
    """Turns for polls. There is no limit until one is turned away."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._in_line = anyio.Lock()
        self._recent: deque[float] = deque()
        self._held_until = 0.0
        self._free_at = 0.0
        self._turned_away_at = 0.0
        """Polls a second, when one was last turned away."""
        self._grown_at = 0.0
        self.pace: float | None = None
        """Polls a second that are allowed at the moment; None is no limit."""

    async def turn(self) -> None:
        """Wait until one more poll may be sent: who came first goes first."""
        if self._wait() > 0:
            async with self._in_line:
                while (wait := self._wait()) > 0:
                    await self._clock.sleep(wait)
        now = self._clock.monotonic()
        if self.pace is not None:
            self._free_at = max(self._free_at, now) + 1 / self.pace
        self._recent.append(now)
        self._forget(now)

    def turned_away(self, retry_after_seconds: float | None) -> None:
        """The API was asked too often."""
        now = self._clock.monotonic()
        if now >= self._held_until:
            self._forget(now)
            self._turned_away_at = len(self._recent) / _MEASURED_SECONDS
            self._set(max(SLOWEST, self._turned_away_at / 2), now)
        self._held_until = max(self._held_until, now + max(HOLD_SECONDS, retry_after_seconds or 0.0))

    def answered(self) -> None:
        """The API answered a poll."""
        now = self._clock.monotonic()
        if self.pace is None or now < max(self._held_until, self._grown_at + GROWS_EVERY_SECONDS):
            return
        more = self.pace + max(SLOWEST, _GROWS_BY * self._turned_away_at)
        self._set(None if more >= _FORGOTTEN_AT * self._turned_away_at else more, now)

    def _set(self, pace: float | None, now: float) -> None:
        self.pace, self._grown_at = pace, now

    def _wait(self) -> float:
        until = self._held_until if self.pace is None else max(self._held_until, self._free_at)
        return until - self._clock.monotonic()

    def _forget(self, now: float) -> None:
        while self._recent and self._recent[0] <= now - _MEASURED_SECONDS:
            self._recent.popleft()
