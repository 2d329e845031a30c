"""The progress of a run, counted from the table at intervals."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jobs.states import ENDED, JobState
from jobs.views import Pause
from runner.events.observer import Observer, Progress

if TYPE_CHECKING:  # a context loads the store, and with it SQLAlchemy
    from runner.workers.context import Context

_LEFT_ALONE = ENDED | {JobState.UNCONFIRMED}
_SHARE_OF_TIME = 0.05
"""The most of a run's time that counting may take: a large table takes a while to count."""


class ProgressCounter:
    """Counts the progress of a run and passes it to the observer."""

    def __init__(self, run: "Context", observer: Observer) -> None:
        self._run = run
        self._observer = observer
        self._begun = run.time.clock.monotonic()
        self._next = self._begun

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return self._run.time.clock.monotonic() - self._begun

    async def tick(self) -> None:
        """Count and show, unless the last count took long and is recent."""
        now = self._run.time.clock.monotonic()
        if now < self._next:
            return
        self._observer.progress(await self.count())
        spent = self._run.time.clock.monotonic() - now
        self._next = now + spent / _SHARE_OF_TIME

    async def count(self) -> Progress:
        """The progress now."""
        run = self._run
        counts, account = await run.store.jobs.counts_and_account(run.batch.id)
        stop = run.limits.brake.stop
        left = sum(many for state, many in counts.items() if state not in _LEFT_ALONE)
        return Progress(
            batch=run.batch.name,
            counts=counts,
            images=run.tally.images,
            account=account,
            budget_usd=run.limits.budget.limit,
            ended_here=run.tally.ended,
            seconds=self.seconds,
            done_at=self._done_at(left),
            paused=None if stop is None else Pause(stop.reason, stop.detail, run.time.clock.now()),
            waiting_for=run.limits.health.waiting_for or run.limits.throttle.waiting_for,
        )

    def _done_at(self, left: int) -> datetime | None:
        if left == 0 or self._run.tally.ended == 0 or self._run.limits.brake.stop is not None:
            return None
        seconds = left * self.seconds / self._run.tally.ended
        try:
            return self._run.time.clock.now() + timedelta(seconds=seconds)
        except OverflowError:
            return None
