"""The machines behind the API: `slots` of them, and one queue, first come first served.

Nothing here waits. `advance` moves the farm to a time; arrivals and cancels happen at that time. Its state
follows from those events alone, whenever it is read. Every step costs O(log n).
"""

from bisect import bisect_left, insort
from dataclasses import dataclass
from heapq import heappop, heappush


@dataclass(slots=True)
class Turn:
    """One request in the farm. Times are seconds since the epoch."""

    seconds: float
    """How long it takes once started."""
    started: float | None = None
    cancelled: float | None = None

    @property
    def ended(self) -> float | None:
        """When it ends or ended; None while it waits."""
        if self.cancelled is not None:
            return self.cancelled
        return None if self.started is None else self.started + self.seconds


class Farm:
    """Waiting, running and finished requests, numbered 0, 1, 2 in order of arrival."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self.now = 0.0
        self.turns: list[Turn] = []
        self._next = 0  # the first that has not started; cancelled ones stay in line and are stepped over
        self._gone: list[int] = []  # sorted numbers of those cancelled in the queue
        self._working: list[tuple[float, int]] = []  # heap of (end, number)

    def resize(self, slots: int) -> None:
        """Use `slots` machines from now on; running requests finish."""
        self._slots = slots
        self._start_waiting()

    def arrive(self, seconds: float) -> int:
        """Put a request at the end of the queue, or on a free machine; returns its number."""
        self.turns.append(Turn(seconds))
        self._start_waiting()
        return len(self.turns) - 1

    def cancel(self, number: int) -> bool:
        """Take a waiting request out of the queue; False if it is not waiting."""
        turn = self.turns[number]
        if turn.started is not None or turn.cancelled is not None:
            return False
        turn.cancelled = self.now
        insort(self._gone, number)
        return True

    def advance(self, at: float) -> list[int]:
        """Bring everything up to `at` (an earlier moment than the last one changes nothing).

        Returns the numbers that ended on the way, in order.
        """
        ended = []
        while self._working and self._working[0][0] <= at:
            self.now, number = heappop(self._working)
            ended.append(number)
            self._start_waiting()
        self.now = max(self.now, at)
        return ended

    def position(self, number: int) -> int:
        """The place in the queue, 1 being the next to start."""
        gone_before = bisect_left(self._gone, number) - bisect_left(self._gone, self._next)
        return number - self._next - gone_before + 1

    @property
    def waiting(self) -> int:
        """How many requests wait in the queue."""
        return self.position(len(self.turns)) - 1

    @property
    def busy(self) -> bool:
        """Whether a request that arrives now would have to wait."""
        return len(self._working) >= self._slots

    def _start_waiting(self) -> None:
        while self._next < len(self.turns) and len(self._working) < self._slots:
            turn = self.turns[self._next]
            if turn.cancelled is None:
                turn.started = self.now
                heappush(self._working, (self.now + turn.seconds, self._next))
            self._next += 1
