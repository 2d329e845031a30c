"""How many jobs are at the API at once: as many as a person says, or, with `auto`, as many as it works on.

Nobody has published how many requests the API works on at once, nor whether it queues or turns away the
others. `auto` finds out from its answers: it grows while nothing waits; where requests wait in the API's
queue, it keeps just so many ahead that no machine idles; where a submit is answered 429, it goes back to what
is there, and probes for one more now and then. A 5xx or a silence says nothing about it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio
from anyio import CapacityLimiter

from jobs.concurrency import AUTO, Concurrency, FoundLimit

FIRST = 8
BEGINS_UNTIL = 64
"""Until there it doubles as soon as all that is at the API was seen at work, before any job has ended."""
LEAST = 1
MOST = 256
PROBE_AFTER = 40
"""Accepted submits between two probes for one more job: fewer than 3 of 100 are turned away by them."""
_AHEAD = 8
"""One job waits in the API's queue for each so many that it works on."""
_TELLING = 32
"""Fewer jobs in a generation say nothing about how many end in a second."""
_HELD = 4
"""So many generations it stays, where more jobs at the API did not mean more that end."""


class InFlight:
    """The jobs at the API, and how many these may be."""

    def __init__(
        self,
        concurrency: Concurrency,
        monotonic: Callable[[], float],
        *,
        most: int = MOST,
        found: FoundLimit | None = None,
    ) -> None:
        """`found` is what an earlier night found out: `auto` goes on from there."""
        self.slots = CapacityLimiter(1)
        """A worker needs one to have a job at the API."""
        self._at_api: dict[int, bool | None] = {}
        """By job, whether it waited in the API's queue when it was last polled; None before that."""
        self._submitting: dict[int, int] = {}
        """By job, how often the limit had shrunk when its submit was admitted."""
        self._shrunk = 0
        self._most = min(most, MOST)
        self._monotonic = monotonic
        self._changed = anyio.Event()
        self._found = found
        self._has_judged = False
        self.set(concurrency)

    def set(self, concurrency: Concurrency) -> None:
        """Have so many jobs at the API from here on. `auto` begins with what earlier nights found."""
        self.concurrency = concurrency
        found = self._found
        self._doubles = found is None
        ceiling = None if found is None else found.ceiling
        self._ceiling = None if ceiling is None else max(LEAST, ceiling)  # whatever a copied table says
        self._before: tuple[int, float] | None = None
        """The limit before it last grew, and how many jobs a second ended under it."""
        self._holds = 0
        """Generations in which it does not grow."""
        self._accepted = 0
        first = FIRST if found is None else max(LEAST, found.in_flight)
        self._resize(min(first, self._most) if concurrency == AUTO else concurrency)

    @property
    def limit(self) -> int:
        """The most jobs at the API at the moment."""
        return self._limit

    @property
    def found(self) -> FoundLimit | None:
        """What `auto` has found out in this run; None where it has found out nothing yet."""
        if self.concurrency != AUTO or not self._has_judged:
            return None
        return FoundLimit(self._limit, self._ceiling)

    @property
    def has_room(self) -> bool:
        """Whether one more may be submitted. With a fixed number the slots alone decide."""
        return self.concurrency != AUTO or len(self._at_api) + len(self._submitting) < self._limit

    async def room(self) -> None:
        """Wait until one more may be submitted."""
        while not self.has_room:
            self._was_full = True
            await self._changed.wait()

    # -- what happens to a job --

    @contextmanager
    def submitting(self, job_id: int) -> Iterator[None]:
        """A submit is on its way, for the length of the block."""
        self._submitting[job_id] = self._shrunk
        try:
            yield
        finally:
            self._submitting.pop(job_id, None)
            self._wake()

    def begun(self, job_id: int) -> None:
        """The API has a job, just accepted or from an earlier run."""
        if self._submitting.pop(job_id, self._shrunk) < self._shrunk and self._ceiling is not None:
            self._ceiling += 1  # it was on its way when another was turned away: there is room for it as well
            self._resize(self._limit + 1)
        self._at_api[job_id] = None
        self._accepted += 1
        self._was_full = self._was_full or len(self._at_api) >= self._limit

    def polled(self, job_id: int, *, waits: bool) -> None:
        """A job was found unfinished; `waits`: in the API's queue."""
        if job_id not in self._at_api:
            return
        if self._at_api[job_id] is None:
            self._first_polls += 1
            self._found_waiting += waits
        self._at_api[job_id] = waits
        begins = self.concurrency == AUTO and self._doubles and self._limit < BEGINS_UNTIL
        if begins and len(self._at_api) >= self._limit and None not in self._at_api.values():
            self._judge()

    def ended(self, job_id: int) -> None:
        """A job has left the API, or holds up no other one any more."""
        if self._at_api.pop(job_id, None) is not None:
            self._left -= 1
            if self.concurrency == AUTO and self._left <= 0:
                self._judge()
        self._wake()

    def turned_away(self, job_id: int) -> bool:
        """A submit was answered 429; whether to submit again as soon as there is room.

        Submits that were on their way together count once. What is at the API is what it takes; where it
        takes nothing more although some have left, others use the account too: the limit shrinks by a third.
        """
        if self.concurrency != AUTO:
            return False
        there = len(self._at_api)
        if self._submitting.get(job_id, self._shrunk) == self._shrunk:
            in_a_row = self._ceiling is not None and self._accepted == 0
            self._ceiling = max(LEAST, min(there, self._limit * 2 // 3 if in_a_row else there))
            self._doubles, self._accepted, self._has_judged = False, 0, True
            self._shrunk += 1
            self._resize(self._ceiling)
        return there > 0

    # -- how the limit moves, once for each generation of jobs --

    def _judge(self) -> None:
        waiting = sum(waits is True for waits in self._at_api.values())
        working = sum(waits is False for waits in self._at_api.values())
        ahead = max(1, working // _AHEAD)
        idle = 2 * self._found_waiting < self._first_polls
        """Whether most new jobs found a machine that had nothing to do."""
        self._doubles = self._doubles and waiting < ahead
        self._has_judged = True
        self._holds = max(0, self._holds - 1)
        rate = (self._generation - self._left) / max(self._monotonic() - self._since, 1e-9)
        before, self._before = self._before, None
        if self._was_full and before is not None and rate < _worth(before, self._limit):
            self._holds = _HELD
            self._resize(before[0])
        elif waiting > 3 * ahead and not idle:
            self._resize(max(LEAST, self._limit - waiting + 2 * ahead))
        elif waiting < 2 * ahead and idle and self._was_full and not self._holds:
            if self._left <= 0 and self._limit >= _TELLING:
                self._before = self._limit, rate
            self._grow()
        else:
            self._resize(self._limit)

    def _grow(self) -> None:
        limit = self._limit * 2 if self._doubles else self._limit + max(1, self._limit // 4)
        if self._ceiling is not None and limit > self._ceiling:
            limit = self._ceiling
            if self._limit >= self._ceiling and self._accepted >= PROBE_AFTER:
                limit, self._ceiling = self._limit + 1, None
        self._resize(min(limit, self._most))

    def _resize(self, limit: int) -> None:
        self._limit = limit
        self._since = self._monotonic()
        self._generation = self._left = limit
        """Jobs that end until the limit is judged again."""
        self._was_full = False
        self._first_polls = self._found_waiting = 0
        self.slots.total_tokens = limit
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


def _worth(before: tuple[int, float], limit: int) -> float:
    """The jobs a second that end now if growing was worth it: a quarter of what more machines would add."""
    smaller, rate = before
    return rate * (1 + (limit / smaller - 1) / 4)
