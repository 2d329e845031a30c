"""What a worker does next: first what the API already has, then what is queued, in its turn."""

from collections import deque
from datetime import UTC, datetime, timedelta

import anyio

from jobs.store.store import Store
from jobs.views import FRONT, OpenJob, QueuedJob
from runner.clock import Clock
from runner.limits.brake import Brake, Reach
from runner.limits.guards import Guards

_PAGE = 200
_LOOK_AGAIN_SECONDS = 1.0
"""Other processes queue jobs too (`retry`, `review`), and some wait for their time."""
_LONGEST_WAIT = timedelta(hours=1)
"""No job is made to wait for that long: one that seems to was written down before the clock was set back."""


class JobQueue:
    """One a batch and run. A job that was handed out is in hand until it is released."""

    def __init__(self, store: Store, batch_id: int, brake: Brake, clock: Clock, guards: Guards) -> None:
        self._store = store
        self._clock = clock
        self._guards = guards
        self._batch_id = batch_id
        self._brake = brake
        self._open: deque[OpenJob] = deque()
        self._queued: deque[QueuedJob] = deque()
        self._beyond = FRONT
        self._clock_is_back = False
        self._in_hand: set[int] = set()
        self._set_aside: set[int] = set()
        self._short: set[int] = set()
        self._looking = anyio.Lock()
        self._changed = anyio.Event()

    def give(self, job: OpenJob) -> None:
        """A job that the API has, to be polled."""
        self._in_hand.add(job.id)
        self._open.append(job)
        self._wake()

    def hold(self, job_id: int) -> None:
        """Someone beside the workers has it: its pictures are being fetched."""
        self._in_hand.add(job_id)

    def release(self, job_id: int) -> None:
        """Nobody of this run has it any more."""
        self._in_hand.discard(job_id)
        self._wake()

    def set_aside(self, job_id: int) -> None:
        """This run is not to take it up again: something went wrong that it does not understand."""
        self._set_aside.add(job_id)
        self.release(job_id)

    async def others_end(self, job_id: int) -> bool:
        """Wait a moment for the jobs in hand to end; False if all that are left are short of money too."""
        self._short.add(job_id)
        try:
            without_a_slot = {job.id for job in self._open}
            if self._in_hand <= self._short | without_a_slot:  # these wait for the very slots that we hold
                return False
            with anyio.move_on_after(_LOOK_AGAIN_SECONDS):
                await self._changed.wait()
            return True
        finally:
            self._short.discard(job_id)

    async def next(self) -> OpenJob | QueuedJob | None:
        """The next job; None when nothing is left to do in this run. Waits while others may leave work."""
        async with self._looking:
            while True:
                if self._open:
                    return self._open.popleft()
                if not self._brake.stops(Reach.SUBMITS) and not (self._in_hand and self._guards.holds_back):
                    job = await self._next_queued()
                    if job is not None:
                        self._in_hand.add(job.id)
                        self._guards.sent()
                        return job
                if await self._is_over():
                    return None
                with anyio.move_on_after(_LOOK_AGAIN_SECONDS):
                    await self._changed.wait()

    async def _next_queued(self) -> QueuedJob | None:
        """The next queued job that nobody has; at the end of the table once more from its beginning."""
        again = self._beyond != FRONT  # what was queued again meanwhile may stand before the place come to
        while True:
            while self._queued:
                job = self._queued.popleft()
                if job.id not in self._in_hand and job.id not in self._set_aside:
                    return job
            now = datetime.max.replace(tzinfo=UTC) if self._clock_is_back else None
            found = await self._store.jobs.queued(self._batch_id, after=self._beyond, limit=_PAGE, now=now)
            self._queued.extend(found)
            if self._queued:
                self._beyond = self._queued[-1].place
                continue
            self._beyond = FRONT
            if not again:
                return None
            again = False

    async def _is_over(self) -> bool:
        """Whether nothing can come any more, neither from a job in hand nor from one that waits its time."""
        if self._in_hand:
            return False
        if self._brake.stops(Reach.SUBMITS):
            return True
        moment = await self._store.jobs.next_available(self._batch_id)
        if moment is None:  # unless one of those that wait for another's result is to be sent in its stead
            return not await self._store.links.settle(self._batch_id)
        wait = moment - self._clock.now()
        self._clock_is_back = wait > _LONGEST_WAIT
        return bool(self._set_aside) and wait <= timedelta(0)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
