"""The submit edge is cut off at every one of its steps: nothing unrecorded leaves, and no id is lost."""

import asyncio
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from jobs.admission import NotAdmitted
from jobs.attempts import Intent
from jobs.states import JobState
from jobs.views import QueuedJob
from runner.limits.brake import Reach
from runner.providers.base import Taken, TurnedAway
from runner.recovery.recover import recover
from runner.workers.edge.submit import submit
from tests.support.journals import receipts
from tests.support.scripted import Call
from tests.support.tables import select
from tests.support.virtual_time import virtual
from tests.support.world import World, world

STEPS = 90
KEYS = [f"{number:03}" for number in range(STEPS)]


class Answers:
    """Remembers which ids the API has really given."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def __call__(self, call: Call) -> Taken:
        self.ids.append(f"req-{len(self.ids)}")
        return Taken(self.ids[-1])


def kept(w: World) -> set[str]:
    """The ids that are on disk."""
    rows = select(w.path, "SELECT request_id FROM attempt WHERE request_id IS NOT NULL")
    return {row["request_id"] for row in rows} | receipts(w.path.parent)


@virtual
async def test_a_cancel_at_every_step_loses_nothing(tmp_path: Path) -> None:
    """Each job is either untouched, or sent and recorded to the end."""
    async with world(tmp_path, *KEYS) as w:
        answers = Answers()
        w.provider.seconds = 0
        w.provider.says("submit", answers)
        untouched = 0
        for steps, key in enumerate(KEYS):
            job = await w.queued(key)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(submit, w.run, job)
                for _ in range(steps):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
            state = (await w.job(key)).state
            assert state in (JobState.QUEUED, JobState.RUNNING), f"cancelled after {steps} steps: {state}"
            untouched += state is JobState.QUEUED
        assert kept(w) == set(answers.ids)
        assert 0 < untouched < STEPS
        assert w.run.limits.budget.committed == len(answers.ids) * w.run.limits.budget.estimate(job.model, 1)  # type: ignore[operator]


@virtual
async def test_a_brake_at_every_step_loses_nothing(tmp_path: Path) -> None:
    """The first Ctrl-C: what is on its way is recorded."""
    async with world(tmp_path, *KEYS) as w:
        answers = Answers()
        w.provider.seconds = 0
        w.provider.says("submit", answers)
        for steps, key in enumerate(KEYS):
            job = await w.queued(key)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(submit, w.run, job)
                for _ in range(steps):
                    await anyio.lowlevel.checkpoint()
                w.run.limits.brake.interrupt(Reach.POLLS)
            assert (await w.job(key)).state in (JobState.QUEUED, JobState.RUNNING)
            w.run.limits.brake.reach = Reach.NOTHING
        assert kept(w) == set(answers.ids)


@virtual
async def test_a_bare_cancel_at_every_step_loses_nothing(tmp_path: Path) -> None:
    """One that passes every shield, as a debugger or a library may send it: at worst the job is in doubt."""
    async with world(tmp_path, *KEYS) as w:
        answers = Answers()
        w.provider.seconds = 0
        w.provider.says("submit", answers)
        for steps, key in enumerate(KEYS):
            task = asyncio.create_task(submit(w.run, await w.queued(key)))
            for _ in range(steps):
                await anyio.lowlevel.checkpoint()
            if not task.done():
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        await recover(w.store, w.run.batch, w.places, w.clock.now())
        assert kept(w) == set(answers.ids)
        sent = len(w.provider.asked("submit"))
        states = list((await w.states()).values())
        assert states.count(JobState.RUNNING) == len(answers.ids)
        assert states.count(JobState.RUNNING) + states.count(JobState.UNCONFIRMED) >= sent
        assert set(states) <= {JobState.QUEUED, JobState.RUNNING, JobState.UNCONFIRMED}


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    ("place", "state", "sent"),
    [
        ("before intent", JobState.QUEUED, 0),
        ("after intent", JobState.UNCONFIRMED, 0),
        ("after journal", JobState.UNCONFIRMED, 0),
        ("before submit", JobState.UNCONFIRMED, 0),
        ("after submit", JobState.UNCONFIRMED, 1),
        ("after end", JobState.RUNNING, 1),
        ("after commit", JobState.RUNNING, 1),
    ],
)
def test_a_kill_at_every_named_place(tmp_path: Path, place: str, state: JobState, sent: int) -> None:
    """What the next run finds: it sends nothing again by itself, and doing so twice changes nothing."""

    def probe(name: str) -> None:
        if name == place:
            raise Killed

    @virtual
    async def test() -> None:
        async with world(tmp_path, "a", probe=probe) as w:
            with pytest.raises(Killed):
                await submit(w.run, await w.queued())
            assert len(w.provider.asked("submit")) == sent
            for _ in range(2):
                await recover(w.store, w.run.batch, w.places, w.clock.now())
                assert (await w.job()).state is state
            assert len(w.attempts()) == (state is not JobState.QUEUED)

    test()


@virtual
async def test_a_pause_between_intent_and_submit_takes_the_intent_back(tmp_path: Path) -> None:
    """The last look before money is spent."""

    async with world(tmp_path, "a") as w:
        real = w.store.jobs.claim

        async def claim_slowly(*intent: Any) -> Intent | NotAdmitted | None:
            attempt = await real(*intent)
            w.run.limits.brake.interrupt(Reach.POLLS)
            return attempt

        object.__setattr__(w.store.jobs, "claim", claim_slowly)
        assert await submit(w.run, await w.queued()) is None
        assert w.provider.calls == []
        assert ((await w.job()).state, w.attempts()) == (JobState.QUEUED, [])
        assert w.run.limits.budget.committed == 0
        found = await recover(w.store, w.run.batch, w.places, w.clock.now())
        assert (found.healing.sentences(), (await w.job()).state) == ([], JobState.QUEUED)


@virtual
async def test_a_doubt_between_intent_and_submit_holds_it_back(tmp_path: Path) -> None:
    """Another worker's submit went without an answer: this one asks first, and goes then."""
    async with world(tmp_path, "a") as w:
        real = w.store.jobs.claim

        async def unconfirmed_meanwhile(*intent: Any) -> Intent | NotAdmitted | None:
            attempt = await real(*intent)
            if not w.provider.calls:
                w.run.limits.health.submit_unconfirmed()
            return attempt

        object.__setattr__(w.store.jobs, "claim", unconfirmed_meanwhile)
        assert await submit(w.run, await w.queued()) is not None
        assert [call.name for call in w.provider.calls] == ["price", "submit"]
        assert [row["number"] for row in w.attempts()] == [1]


@virtual
async def test_who_waits_to_send_again_may_be_stopped(tmp_path: Path) -> None:
    """It has cost nothing, and is queued."""
    async with world(tmp_path, "a") as w:
        w.provider.says("submit", TurnedAway("429", retry_after_seconds=500, busy=True))
        job: QueuedJob = await w.queued()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(submit, w.run, job)
            await w.clock.sleep(10)
            w.run.limits.brake.interrupt(Reach.SUBMITS)
        assert w.clock.monotonic() == 10
        assert len(w.provider.asked("submit")) == 1
        assert (await w.job()).state is JobState.QUEUED
