"""A job that is cancelled while it waits to be sent is let go of at once, and nothing of it is sent."""

from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from jobs.states import JobState
from runner.lifecycle.supervise import obey_the_table
from runner.providers.base import TurnedAway
from runner.settings import Settings
from runner.workers.edge.submit import submit
from tests.support.scripted import Call
from tests.support.virtual_time import virtual
from tests.support.world import World, world

LONG = 3000.0


def busy(_call: Call) -> TurnedAway:
    return TurnedAway("429", retry_after_seconds=LONG, busy=True)


async def nothing(*_told: object) -> None:
    pass


async def cancelled_while_waiting(w: World, key: str = "b") -> float:
    """Submit a job, cancel it after some seconds; how long its worker was still held by it."""
    job = await w.queued(key)
    async with anyio.create_task_group() as beside:
        beside.start_soon(obey_the_table, w.run, Settings(), nothing, nothing)
        ended = anyio.Event()

        async def work() -> None:
            assert await submit(w.run, job) is None
            ended.set()

        beside.start_soon(work)
        await w.clock.sleep(5)
        assert not ended.is_set()
        assert w.run.queue.pending.jobs == (job.id,)
        await w.store.jobs.cancel(w.run.batch.id, [key])
        begun = w.clock.monotonic()
        await ended.wait()
        beside.cancel_scope.cancel()
    assert (await w.job(key)).state is JobState.CANCELLED
    assert w.run.queue.pending.jobs == ()
    return w.clock.monotonic() - begun


@virtual
async def test_a_retry_after_is_not_sat_out(tmp_path: Path) -> None:
    """The slot is free a second later, and the money that was set aside."""
    async with world(tmp_path, "a", "b") as w:
        w.provider.says("submit", busy)
        assert await cancelled_while_waiting(w) < 2
        assert len(w.provider.calls) == 1
        assert w.run.limits.budget.committed == 0


@virtual
async def test_nor_is_the_spacing_of_submits(tmp_path: Path) -> None:
    """Whoever comes next has the turn."""
    async with world(tmp_path, "a", "b") as w:
        w.run.limits.throttle.rate = 60 / LONG
        assert await submit(w.run, await w.queued("a")) is not None
        assert await cancelled_while_waiting(w) < 2
        assert [call.name for call in w.provider.calls] == ["submit"]
        assert w.run.limits.budget.committed == w.run.limits.budget.estimate((await w.job("a")).model, 1)


@virtual
async def test_nor_is_the_want_of_money(tmp_path: Path) -> None:
    """As long as another job may turn out cheaper."""
    async with world(tmp_path, "a", "b") as w:
        w.run.limits.budget.limit = Decimal("0.01")
        first, second = await w.run.queue.jobs.next(), await w.run.queue.jobs.next()
        assert first is not None
        assert second is not None
        assert await cancelled_while_waiting(w) < 3
        assert w.provider.calls == []
        assert w.stops == []


@pytest.mark.parametrize("steps", range(0, 60, 3))
def test_an_end_at_any_step_cuts_nothing_off_that_was_sent(tmp_path: Path, steps: int) -> None:
    """What is on its way is recorded, and polled by this very run."""

    @virtual
    async def run() -> None:
        async with world(tmp_path, "a") as w:
            w.provider.seconds = 0
            job = await w.queued("a")
            taken = []

            async def work() -> None:
                taken.append(await submit(w.run, job))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(work)
                for _ in range(steps):
                    await anyio.lowlevel.checkpoint()
                w.run.queue.pending.end(job.id)
            state = (await w.job("a")).state
            assert (taken[0] is not None) is (state is JobState.RUNNING)
            assert state in (JobState.QUEUED, JobState.RUNNING)
            assert len(w.provider.calls) == int(state is JobState.RUNNING)

    run()
