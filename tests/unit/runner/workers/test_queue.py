"""The source of work: its order, what is in hand, what is set aside, and when it is over."""

from datetime import timedelta
from pathlib import Path
from unittest import mock

import anyio

from jobs.failures import FailureKind
from jobs.outcomes import Accepted, NotAccepted
from jobs.pauses import PauseReason
from jobs.store.store import Store
from jobs.views import OpenJob, QueuedJob
from runner.limits.guards import GuardLimits
from tests.support.tables import MODEL, claimed, rows
from tests.support.virtual_time import virtual
from tests.support.world import World, world


async def accept(w: World, key: str) -> OpenJob:
    """Bring a job to the API, behind the source's back."""
    job = await w.queued(key)
    assert await w.store.jobs.claim(claimed(job.id, w.clock.now(), None))
    assert await w.store.jobs.apply(Accepted(job.id, f"req-{key}", w.clock.now()))
    return await w.running(key)


async def drained(w: World, seconds: float = 100) -> list[str]:
    """The keys of all that comes, each sent, and polled no longer."""
    keys: list[str] = []
    with anyio.fail_after(seconds):
        while (job := await w.run.queue.jobs.next()) is not None:
            keys.append(job.key)
            if isinstance(job, QueuedJob):
                await accept(w, job.key)
            w.run.queue.jobs.leave(job.id)
    return keys


@virtual
async def test_what_the_api_has_comes_first_then_the_sheet_in_its_order(tmp_path: Path) -> None:
    """What is paid for does not wait behind what is not."""
    async with world(tmp_path, "a", "b", "c") as w:
        w.run.queue.jobs.give(await accept(w, "c"))
        first = await w.run.queue.jobs.next()
        assert isinstance(first, OpenJob)
        assert first.key == "c"
        w.run.queue.jobs.leave(first.id)
        assert await drained(w) == ["a", "b"]


@virtual
async def test_pages_of_a_long_sheet_follow_each_other(tmp_path: Path) -> None:
    """Each job once."""
    keys = [f"{number:03}" for number in range(450)]
    async with world(tmp_path, *keys) as w:
        got = [job.key for _ in keys if (job := await w.run.queue.jobs.next()) is not None]
        assert got == keys


@virtual
async def test_a_job_in_hand_is_not_handed_out_again(tmp_path: Path) -> None:
    """And the source is not over while one is: it may leave work."""
    async with world(tmp_path, "a") as w:
        job = await w.run.queue.jobs.next()
        assert job is not None
        with anyio.move_on_after(30) as scope:
            await w.run.queue.jobs.next()
        assert scope.cancelled_caught
        w.run.queue.jobs.release(job.id)
        again = await w.run.queue.jobs.next()
        assert again is not None
        assert again.id == job.id


@virtual
async def test_what_a_job_in_hand_leaves_is_taken_at_once(tmp_path: Path) -> None:
    """Without waiting for the next look at the table."""
    async with world(tmp_path, "a") as w:
        job = await accept(w, "a")
        w.run.queue.jobs.hold(job)
        got: list[object] = []

        async def wait() -> None:
            got.append(await w.run.queue.jobs.next())
            got.append(w.clock.monotonic())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await w.clock.sleep(10.25)
            w.run.queue.jobs.give(job)
        assert got == [job, 10.25]


@virtual
async def test_a_job_set_aside_is_left_alone(tmp_path: Path) -> None:
    """The others go on, and the run comes to its end."""
    async with world(tmp_path, "a", "b") as w:
        job = await w.run.queue.jobs.next()
        assert job is not None
        w.run.queue.jobs.set_aside(job.id)
        assert await drained(w) == ["b"]


@virtual
async def test_work_that_another_process_adds_is_taken_up(tmp_path: Path) -> None:
    """A `retry` or a `review` while the run is on, in front of where it has come to as well as behind."""
    async with world(tmp_path, "a", "b") as w:
        held = await accept(w, "b")
        w.run.queue.jobs.hold(held)
        other = Store(w.store.database, w.clock.now)
        got: list[str] = []

        async def work() -> None:
            while (job := await w.run.queue.jobs.next()) is not None:
                got.append(job.key)
                await accept(w, job.key)
                w.run.queue.jobs.leave(job.id)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            await w.clock.sleep(10)
            path = Path(w.run.batch.sheet)
            sheet = rows("a", "b", "c")
            await other.batches.load(name="night", sheet=path, origin=w.run.batch.origin, planned=sheet)
            await other.batches.agree(w.run.batch.id)
            await w.clock.sleep(10)
            assert got == ["a", "c"]
            w.run.queue.jobs.leave(held.id)


@virtual
async def test_an_id_that_another_process_attached_is_polled_before_the_end(tmp_path: Path) -> None:
    """Also where nothing new may be sent; not where nothing may be polled."""
    async with world(tmp_path, "a", "b") as w:
        await accept(w, "b")
        w.run.limits.brake.pause(PauseReason.BALANCE, "")
        assert await drained(w) == ["b"]
        await accept(w, "a")
        w.run.limits.brake.pause(PauseReason.OUTAGE, "")
        assert await drained(w) == []


@virtual
async def test_a_job_that_waits_its_time_is_waited_for(tmp_path: Path) -> None:
    """It was turned away in the last run, and may go in a minute."""
    async with world(tmp_path, "a") as w:
        job = await w.queued()
        await w.store.jobs.claim(claimed(job.id, w.clock.now(), None))
        await w.store.jobs.apply(NotAccepted(job.id, w.clock.now(), w.clock.now() + timedelta(seconds=60)))
        assert await drained(w) == ["a"]
        assert 60 <= w.clock.monotonic() < 63


@virtual
async def test_a_job_set_aside_hides_no_other_one(tmp_path: Path) -> None:
    """One that was queued again meanwhile, in front of where the source has come to, is not left behind."""
    async with world(tmp_path, "a", "b") as w:
        first, second = await w.run.queue.jobs.next(), await w.run.queue.jobs.next()
        assert first is not None
        assert second is not None
        w.run.queue.jobs.set_aside(second.id)
        w.run.queue.jobs.release(first.id)
        assert await drained(w) == ["a"]


@virtual
async def test_under_the_brake_nothing_queued_comes(tmp_path: Path) -> None:
    """What the API has does, and then it is over."""
    async with world(tmp_path, "a", "b") as w:
        open_job = await accept(w, "b")
        w.run.limits.brake.pause(PauseReason.BALANCE, "")
        w.run.queue.jobs.give(open_job)
        assert await drained(w) == ["b"]
        assert await w.run.queue.jobs.next() is None
        w.run.limits.brake.release()
        assert await drained(w) == ["a"]


async def waits(w: World) -> bool:
    """Whether nothing comes from the queue for half a minute."""
    with anyio.move_on_after(30) as scope:
        await w.run.queue.jobs.next()
    return scope.cancelled_caught


async def taken(w: World) -> str:
    """The key of the job that comes next."""
    job = await w.run.queue.jobs.next()
    assert job is not None
    return job.key


@virtual
async def test_canaries_go_alone(tmp_path: Path) -> None:
    """The next job waits until one of the first has succeeded; the one behind it does not overtake it."""
    async with world(tmp_path, *"abcde", guard_limits=GuardLimits(canary=2)) as w:
        assert [await taken(w), await taken(w)] == ["a", "b"]
        assert await waits(w)
        w.run.limits.guards.succeeded(MODEL)
        assert [await taken(w), await taken(w), await taken(w)] == ["c", "d", "e"]


@virtual
async def test_a_canary_that_was_not_sent_makes_room_for_another(tmp_path: Path) -> None:
    """It came back for want of a turn: it is no answer to the question."""
    async with world(tmp_path, "a", "b", guard_limits=GuardLimits(canary=1)) as w:
        first = await w.run.queue.jobs.next()
        assert first is not None
        assert await waits(w)
        w.run.queue.jobs.release(first.id)
        assert await taken(w) == "b"
        w.run.limits.guards.failed(MODEL, FailureKind.EXPIRED)
        assert w.stops == []
        w.run.queue.jobs.release((await w.job("b")).id)
        assert await w.run.queue.jobs.next() is None
        assert [stop.reason for stop in w.stops] == [PauseReason.GUARD]


@virtual
async def test_what_an_earlier_run_sent_is_a_canary_too(tmp_path: Path) -> None:
    """A run that is started again every minute sends no three more each time."""
    async with world(tmp_path, *"abcd", guard_limits=GuardLimits(canary=2)) as w:
        for key in "ab":
            w.run.queue.jobs.give(await accept(w, key))
        assert [await taken(w), await taken(w)] == ["a", "b"]
        assert await waits(w)


@virtual
async def test_one_worker_looks_at_the_table_for_all(tmp_path: Path) -> None:
    """A hundred idle workers ask the database about once a second, not a hundred times."""
    async with world(tmp_path, "a") as w:
        job = await w.run.queue.jobs.next()
        assert job is not None
        with mock.patch.object(w.store.jobs, "queued", wraps=w.store.jobs.queued) as looks:
            async with anyio.create_task_group() as tasks:
                for _ in range(100):
                    tasks.start_soon(w.run.queue.jobs.next)
                await w.clock.sleep(30)
                tasks.cancel_scope.cancel()
        assert looks.call_count <= 64


@virtual
async def test_a_clock_that_was_set_back_keeps_nobody_waiting(tmp_path: Path) -> None:
    """What was loaded "tomorrow" goes now: no job is ever made to wait for that long."""
    async with world(tmp_path, "a", "b") as w:
        w.clock.jump(timedelta(days=-1))
        assert await drained(w) == ["a", "b"]
        assert w.clock.monotonic() < 3
