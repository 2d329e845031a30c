"""Where a run stands: counted from the table, told about once a second, and not at any price."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import anyio

from jobs.failures import Failure, FailureKind
from jobs.outcomes import Accepted
from jobs.pauses import PauseReason, Wait
from jobs.states import JobState
from jobs.views import Account
from runner.events.observer import Progress
from runner.events.progress import ProgressCounter, watched
from runner.limits.brake import Reach
from runner.providers.base import CallFailed, Denied, TurnedAway, Unconfirmed
from runner.workers.edge.submit import submit
from tests.support.tables import claimed
from tests.support.virtual_time import virtual
from tests.support.world import World, world


class Watcher:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Progress] = []

    def progress(self, progress: Progress) -> None:
        self.told.append(progress)

    def notice(self, text: str) -> None:
        raise AssertionError(text)


def meter(w: World) -> tuple[ProgressCounter, Watcher]:
    observer = Watcher()
    return ProgressCounter(watched(w.run, w.clock.monotonic()), observer), observer


@virtual
async def test_the_counts_add_up(tmp_path: Path) -> None:
    """All eight states, over the whole batch."""
    async with world(tmp_path, "a", "b", "c", "d") as w:
        m, _watcher = meter(w)
        job = await w.queued("a")
        await w.store.jobs.claim(claimed(job.id, w.clock.now(), None))
        await w.store.jobs.apply(Accepted(job.id, "req-a", w.clock.now()))
        w.provider.says("submit", Denied(Failure(FailureKind.REFUSED, "why")), Unconfirmed("silence"))
        await submit(w.run, await w.queued("b"))
        await submit(w.run, await w.queued("c"))
        progress = await m.count()
        assert set(progress.counts) == set(JobState)
        assert progress.total == 4
        assert {state for state, many in progress.counts.items() if many} == {
            JobState.QUEUED,
            JobState.RUNNING,
            JobState.FAILED,
            JobState.UNCONFIRMED,
        }
        assert (progress.ended_here, progress.images, progress.account.submits) == (1, 0, 2)
        assert progress.waiting_for is None


@virtual
async def test_when_it_will_be_done(tmp_path: Path) -> None:
    """At the pace of this run; not before the first job has ended, nor while it is paused."""
    async with world(tmp_path, "a", "b", "c", "d") as w:
        m, _watcher = meter(w)
        assert (await m.count()).done_at is None
        w.provider.says("submit", Denied(Failure(FailureKind.REFUSED, "why")))
        await w.clock.sleep(59.9)
        await submit(w.run, await w.queued("a"))
        progress = await m.count()
        assert progress.done_at is not None
        assert abs(progress.done_at - w.clock.now() - timedelta(seconds=180)) < timedelta(seconds=1)
        w.run.limits.brake.pause(PauseReason.BALANCE, "empty")
        progress = await m.count()
        assert (progress.done_at, progress.paused is not None) == (None, True)


@virtual
async def test_no_estimate_where_there_can_be_none(tmp_path: Path) -> None:
    """Beyond the calendar, and where nothing is left."""
    async with world(tmp_path, "a", "b") as w:
        m, _watcher = meter(w)
        w.provider.says("submit", Denied(Failure(FailureKind.REFUSED, "why")))
        await submit(w.run, await w.queued("a"))
        w.clock.jump(datetime.max.replace(tzinfo=UTC) - w.clock.now() - timedelta(hours=45))
        await w.clock.sleep(20 * 3600)
        assert (await m.count()).done_at is not None
        await w.clock.sleep(10 * 3600)
        assert (await m.count()).done_at is None
        w.clock.jump(timedelta(days=-3650))
        assert (await m.count()).done_at is not None
        await submit(w.run, await w.queued("b"))
        assert (await m.count()).done_at is None


@virtual
async def test_a_wait_is_said(tmp_path: Path) -> None:
    """Why nothing moves just now."""
    async with world(tmp_path, "a") as w:
        m, _watcher = meter(w)
        w.run.limits.throttle.turned_away(1, TurnedAway("429", 90.0, busy=True))
        assert (await m.count()).waiting_for == "the API is busy, next submit in 90 s"


@virtual
async def test_others_hear_of_a_wait_once(tmp_path: Path) -> None:
    """When it begins, when it takes longer than was said, and when it is over."""
    async with world(tmp_path, "a") as w:
        said: list[str | None] = []

        def say(waiting: Wait | None) -> None:
            said.append(None if waiting is None else waiting.reason)

        counter = ProgressCounter(watched(w.run, w.clock.monotonic(), say), Watcher())

        async def tick(seconds: int) -> None:
            for _ in range(seconds):
                await w.clock.sleep(1)
                await counter.tick()

        await tick(3)
        assert said == []
        w.run.limits.throttle.turned_away(1, TurnedAway("429", 30.0, busy=True))
        await tick(10)
        assert said == ["busy"]
        w.run.limits.throttle.turned_away(1, TurnedAway("429", 60.0, busy=True))
        await tick(10)
        assert said == ["busy", "busy"]
        w.run.limits.health.submit_unconfirmed()
        w.provider.says("price", CallFailed("no answer"))
        with anyio.move_on_after(10), w.run.limits.brake.guarding(Reach.POLLS):
            await w.run.limits.health.ready()
        await tick(1)
        assert said == ["busy", "busy", "outage"]
        w.run.limits.health.waiting = None
        await tick(60)
        assert said[3:] == ["busy", None]


@virtual
async def test_what_is_to_come_is_known_with_its_prices(tmp_path: Path) -> None:
    """At most, of what is queued; nothing is said where a price is unknown."""
    async with world(tmp_path, "a", "b") as w:
        m, _watcher = meter(w)
        queued = await w.store.preview.to_send(w.run.batch.id)
        assert (await m.count()).to_come_usd == queued.price_range(w.run.limits.budget.prices)[1]


@virtual
async def test_counting_takes_a_small_part_of_the_time(tmp_path: Path) -> None:
    """A count that takes a second is made every twenty."""
    async with world(tmp_path, "a") as w:
        m, observer = meter(w)
        real = w.store.jobs.counts_and_account

        async def slowly(batch_id: int) -> tuple[dict[JobState, int], Account]:
            await w.clock.sleep(1)
            return await real(batch_id)

        with mock.patch.object(w.store.jobs, "counts_and_account", slowly):
            for _ in range(100):
                await m.tick()
                await w.clock.sleep(1)
        assert 4 <= len(observer.told) <= 6


@virtual
async def test_a_cheap_count_is_made_each_time(tmp_path: Path) -> None:
    """About once a second."""
    async with world(tmp_path, "a") as w:
        m, observer = meter(w)
        for _ in range(5):
            await m.tick()
            await w.clock.sleep(1)
        assert [progress.seconds for progress in observer.told] == [0, 1, 2, 3, 4]
