"""The progress of a run, counted from the table at intervals."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jobs.errors import CannotWrite
from jobs.pauses import Wait
from jobs.states import ENDED, JobState
from jobs.views import Pause
from runner.events.observer import Observer, Progress

if TYPE_CHECKING:  # a context loads the store, and with it SQLAlchemy
    from collections.abc import Iterator

    from jobs.store.store import Store
    from jobs.views import BatchView
    from runner.clock import Clock
    from runner.limits.account_line import AccountLine
    from runner.limits.brake import Brake
    from runner.limits.budget import Budget
    from runner.limits.health import Health
    from runner.limits.throttle import Throttle
    from runner.workers.context import Context, Tally

LOOK_SECONDS = 1.0
_LEFT_ALONE = ENDED | {JobState.UNCONFIRMED}
_SHARE_OF_TIME = 0.05
"""The most of a run's time that counting may take: a large table takes a while to count."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What the progress of a run is read from. Before its work begins it has fewer parts."""

    store: "Store"
    batch: "BatchView"
    clock: "Clock"
    brake: "Brake"
    health: "Health"
    begun: float
    """When the run began, monotonic."""
    throttle: "Throttle | None" = None
    budget: "Budget | None" = None
    tally: "Tally | None" = None
    say: Callable[[Wait | None], object] = field(default=lambda _waiting: None)
    """Lets other processes know what the run waits for."""
    account: "AccountLine | None" = None

    @property
    def waits(self) -> "Iterator[Health | Throttle | AccountLine]":
        """What may keep submits waiting, the most pressing first."""
        yield from filter(None, (self.health, self.throttle, self.account))


def watched(
    run: "Context", begun: float, say: Callable[[Wait | None], object] = lambda _waiting: None
) -> Watched:
    """The parts of a run that is at work."""
    limits = run.limits
    return Watched(
        run.store,
        run.batch,
        run.time.clock,
        limits.brake,
        limits.health,
        begun,
        limits.throttle,
        limits.budget,
        run.tally,
        say,
        limits.account,
    )


class ProgressCounter:
    """Counts the progress of a run and passes it to the observer."""

    def __init__(self, run: Watched, observer: Observer) -> None:
        self._run = run
        self._observer = observer
        self._at_work_since = run.clock.monotonic()
        self._next = self._at_work_since
        self._said: Wait | None = None

    async def tick(self) -> None:
        """Count and show, unless the last count took long and is recent."""
        now = self._run.clock.monotonic()
        if now < self._next:
            return
        progress = await self.count()
        self._observer.progress(progress)
        if _other(progress.waiting, self._said):
            self._said = progress.waiting
            self._run.say(progress.waiting)
        spent = self._run.clock.monotonic() - now
        self._next = now + spent / _SHARE_OF_TIME

    async def each_second(self) -> None:
        """Count and show until it is cancelled. What takes less than a second shows nothing."""
        while True:
            await self._run.clock.sleep(LOOK_SECONDS)
            try:
                await self.tick()
            except CannotWrite:  # the table cannot be read: the run itself meets that, and says it
                return

    async def count(self) -> Progress:
        """The progress now."""
        run, now = self._run, self._run.clock.monotonic()
        counts, account = await run.store.jobs.counts_and_account(run.batch.id)
        queued = await run.store.preview.to_send(run.batch.id)
        prices = run.batch.prices if run.budget is None else run.budget.prices
        stop = run.brake.stop
        left = sum(many for state, many in counts.items() if state not in _LEFT_ALONE)
        return Progress(
            batch=run.batch.name,
            counts=counts,
            images=0 if run.tally is None else run.tally.images,
            account=account,
            budget_usd=run.batch.budget if run.budget is None else run.budget.limit,
            ended_here=0 if run.tally is None else run.tally.ended,
            seconds=now - run.begun,
            done_at=self._done_at(left, now),
            paused=None if stop is None else Pause(stop.reason, stop.detail, run.clock.now()),
            waiting_for=next(filter(None, (limit.waiting_for for limit in run.waits)), None),
            waiting=next(filter(None, (limit.waiting for limit in run.waits)), None),
            to_come_usd=queued.price_range(prices)[1],
            idle_seconds=self._at_work_since - run.begun,
        )

    def _done_at(self, left: int, now: float) -> datetime | None:
        tally = self._run.tally
        if left == 0 or tally is None or tally.ended == 0 or self._run.brake.stop is not None:
            return None
        seconds = left * (now - self._at_work_since) / tally.ended
        try:
            return self._run.clock.now() + timedelta(seconds=seconds)
        except OverflowError:
            return None


def _other(waiting: Wait | None, said: Wait | None) -> bool:
    """Whether other processes are to be told: not of each second of the same wait."""
    if waiting is None or said is None:
        return waiting is not said
    drift = max(abs(waiting.since - said.since), abs(waiting.until - said.until))
    return waiting.reason != said.reason or drift > timedelta(seconds=LOOK_SECONDS)
