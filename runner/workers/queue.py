"""The job that a worker takes next: first the jobs that the API already has, then queued ones in turn."""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import anyio

from jobs.errors import LockLost
from jobs.states import JobState
from jobs.store.store import Store
from jobs.views import FRONT, OpenJob, QueuedJob, UnconfirmedJob
from runner.clock import Clock
from runner.limits.brake import Brake, Reach
from runner.limits.guards import Guards

_PAGE = 200
_LOOK_AGAIN_SECONDS = 1.0
"""Other processes queue jobs too (`retry`, `review`), and some jobs are not available yet."""
_LONGEST_WAIT = timedelta(hours=1)
"""No job is made to wait this long: if one seems to, the clock was set back after it was stored."""


class JobQueue:
    """The queue of one run over one batch. A job that is handed out is in hand until it is released."""

    def __init__(
        self,
        store: Store,
        batch_id: int,
        brake: Brake,
        clock: Clock,
        guards: Guards,
        lose: Callable[[LockLost], None] | None = None,
    ) -> None:
        """`lose` is told once the table has said that another runner has taken over."""
        self._store = store
        self._clock = clock
        self._guards = guards
        self._batch_id = batch_id
        self._lose = lose
        self._brake = brake
        self._open: deque[OpenJob] = deque()
        self._queued: deque[QueuedJob] = deque()
        self._beyond = FRONT
        self._clock_is_back = False
        self._in_hand: dict[int, str] = {}
        self._set_aside: set[int] = set()
        self._left: set[int] = set()
        self._let_go: set[int] = set()
        self._short: set[int] = set()
        self._looking = anyio.Lock()
        self._changed = anyio.Event()

    def give(self, job: OpenJob) -> None:
        """Add a job that the API has, to be polled."""
        self.hold(job)
        self._open.append(job)
        self._wake()

    def hold(self, job: OpenJob | UnconfirmedJob) -> None:
        """Mark a job as in hand without a worker: its images are being downloaded, say."""
        self._in_hand[job.id] = job.model
        self._left.discard(job.id)

    def release(self, job_id: int) -> None:
        """Mark a job as no longer in hand."""
        self._in_hand.pop(job_id, None)
        self._wake()

    def set_aside(self, job_id: int) -> None:
        """Release a job and never take it again in this run: it met an unexpected error."""
        self._set_aside.add(job_id)
        self.release(job_id)

    def leave(self, job_id: int) -> None:
        """Release a job that this run polls no longer, although it may still be at the API."""
        if job_id not in self._let_go:
            self._left.add(job_id)
        self._let_go.discard(job_id)
        self.release(job_id)

    def let_go(self, job_id: int) -> None:
        """Release a job that another runner has taken over: it may come back to this one."""
        self._let_go.add(job_id)

    async def others_end(self, job_id: int) -> bool:
        """Wait a moment for a job in hand to end; False if all jobs left are short of money too."""
        self._short.add(job_id)
        try:
            without_a_slot = {job.id for job in self._open}
            if (
                self._in_hand.keys() <= self._short | without_a_slot
            ):  # the latter wait for slots that the former hold
                return False
            with anyio.move_on_after(_LOOK_AGAIN_SECONDS):
                await self._changed.wait()
            return True
        finally:
            self._short.discard(job_id)

    async def next(self) -> OpenJob | QueuedJob | None:
        """The next job; None when nothing is left for this run. Waits while jobs in hand may add work."""
        async with self._looking:
            while True:
                if self._open:
                    return self._open.popleft()
                if not self._brake.stops(Reach.SUBMITS) and (job := await self._next_queued()) is not None:
                    if self._guards.admits(job.model, list(self._in_hand.values()).count(job.model)):
                        self._in_hand[job.id] = job.model
                        return job
                    self._queued.appendleft(job)  # and those behind it wait as well: they keep their turn
                if await self._is_over():
                    if not await self._found_running():
                        return None
                    continue
                with anyio.move_on_after(_LOOK_AGAIN_SECONDS):
                    await self._changed.wait()

    async def _next_queued(self) -> QueuedJob | None:
        """The next queued job that is free. At the end of the table the search starts again, once."""
        again = self._beyond != FRONT  # a job queued again meanwhile may be before the current place
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
        """Whether no more work can come, from a job in hand or from one that is not available yet."""
        if self._in_hand:
            return False
        if self._brake.stops(Reach.SUBMITS):
            return True
        moment = await self._store.jobs.next_available(self._batch_id)
        if moment is None:  # unless a job that waits for another's result now takes its place
            return not await self._store.links.settle(self._batch_id)
        wait = moment - self._clock.now()
        self._clock_is_back = wait > _LONGEST_WAIT
        return bool(self._set_aside) and wait <= timedelta(0)

    async def _found_running(self) -> bool:
        """Whether other processes gave jobs ids meanwhile (`review --attach`, a free `retry`): poll those."""
        if self._brake.stops(Reach.POLLS):
            return False
        passed_over = self._set_aside | self._left
        try:
            running = await self._store.jobs_to_do(self._batch_id, JobState.RUNNING)
        except LockLost as error:
            if self._lose is None:
                raise
            self._lose(error)
            return False
        found = [job for job in running if job.id not in passed_over]
        for job in found:
            self.give(job)
        return bool(found)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
