"""What the last run left behind is put in order; twice, or killed in between, comes to the same."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from unittest import mock

import anyio
import pytest

from jobs.errors import CannotWrite, LockHeld
from jobs.failures import Failure, FailureKind
from jobs.outcomes import Accepted, Discarded, RemoteDone
from jobs.states import JobState
from jobs.submit_record import Answered, SubmitEnd
from runner.recovery.lock import holding
from runner.recovery.recover import recover, settle_beside
from runner.workers.edge.journaling import record_of
from tests.support.tables import claimed
from tests.support.virtual_time import virtual
from tests.support.world import World, world


async def claim(w: World, key: str) -> int:
    """Leave a job in the middle of its submit."""
    job = await w.queued(key)
    assert await w.store.jobs.claim(claimed(job.id, w.clock.now(), None))
    return job.id


async def accept(w: World, key: str) -> int:
    job_id = await claim(w, key)
    assert await w.store.jobs.apply(Accepted(job_id, f"req-{key}", w.clock.now()))
    return job_id


async def witnessed(w: World, key: str, request_id: str | None, *, claims: bool = True) -> int:
    """Leave a job in the middle of its submit, and the answer in the journal of its run, which was killed."""
    job = await w.queued(key)
    sent = claimed(job.id, w.clock.now(), None)
    if claims:
        assert await w.store.jobs.claim(sent)
    await w.run.journal.sent(record_of(w.run.batch, job, sent))
    if request_id is not None:
        w.run.journal.ended(sent.uid, SubmitEnd(Answered.ACCEPTED, w.clock.now(), request_id))
    return job.id


@virtual
async def test_every_interrupted_submit_is_in_doubt(tmp_path: Path) -> None:
    """Nothing of it is sent again by itself; the rest stays where it is."""
    async with world(tmp_path, "a", "b", "c", "d", "e") as w:
        await claim(w, "a")
        await claim(w, "b")
        await accept(w, "c")
        done = await accept(w, "d")
        await w.store.jobs.apply(RemoteDone(done, ("https://pictures.runcomfy.net/1.png",), None))
        for expected in (2, 0):
            found = await recover(w.store, w.run.batch, w.places, w.clock.now())
            assert found.unconfirmed == expected
            assert [job.request_id for job in found.running] == ["req-c"]
            assert [job.request_id for job in found.fetching] == ["req-d"]
        assert await w.states() == {
            "a": JobState.UNCONFIRMED,
            "b": JobState.UNCONFIRMED,
            "c": JobState.RUNNING,
            "d": JobState.FETCHING,
            "e": JobState.QUEUED,
        }
        failure = (await w.job("a")).failure
        assert failure is not None
        assert failure.kind is FailureKind.UNCONFIRMED


@virtual
async def test_receipts_in_the_journal_are_taken_up(tmp_path: Path) -> None:
    """They were never committed: nobody has a doubt about them."""
    async with world(tmp_path, "a", "b") as w:
        await witnessed(w, "a", "kept")
        await witnessed(w, "b", None)
        found = await recover(w.store, w.run.batch, w.places, w.clock.now())
        assert found.unconfirmed == 1
        assert [job.request_id for job in found.running] == ["kept"]
        assert (await w.job("a")).failure is None


def beside(w: World) -> Coroutine[Any, Any, None]:
    return settle_beside(w.store, w.run.batch, w.places, command="review", clock=w.clock, notice=print)


@virtual
async def test_a_receipt_is_taken_up_when_a_command_makes_room(tmp_path: Path) -> None:
    """Whoever decided without it, because a `cancel` was at work just then, would pay twice."""
    async with world(tmp_path, "a") as w:
        await witnessed(w, "a", "kept")
        at_work = anyio.Event()

        async def cancel() -> None:
            path = w.run.store.database.path
            async with holding(path, command="cancel", batch="n", clock=w.clock, notice=print):
                at_work.set()
                await w.clock.sleep(60)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cancel)
            await at_work.wait()
            await beside(w)
        assert await w.states() == {"a": JobState.RUNNING}


@virtual
async def test_nobody_decides_while_a_command_hangs(tmp_path: Path) -> None:
    """Nothing is changed, and it is told who stands in the way."""
    async with world(tmp_path, "a") as w:
        await claim(w, "a")
        path = w.run.store.database.path
        async with holding(path, command="cancel", batch="n", clock=w.clock, notice=print):
            with pytest.raises(LockHeld, match="`nightsheet cancel`"):
                await beside(w)
        assert await w.states() == {"a": JobState.SUBMITTING}


@virtual
async def test_a_receipt_counts_more_than_what_a_person_let_go(tmp_path: Path) -> None:
    """It is paid for. But an id that is in the database already is not given to another job."""
    async with world(tmp_path, "a", "b", "c") as w:
        a = await witnessed(w, "a", None)
        await witnessed(w, "b", None)
        await accept(w, "c")
        await recover(w.store, w.run.batch, w.places, w.clock.now())
        await w.store.jobs.apply(Discarded(a, Failure(FailureKind.DISCARDED, "let go"), w.clock.now()))
        for key, request_id in (("a", "late"), ("b", "req-c")):
            uid = w.attempts(key)[-1]["uid"]
            w.run.journal.ended(uid, SubmitEnd(Answered.ACCEPTED, w.clock.now(), request_id))
        found = await recover(w.store, w.run.batch, w.places, w.clock.now())
        assert [record.receipt for record in found.healing.healed.completed] == ["late"]
        assert await w.states() == {"a": JobState.RUNNING, "b": JobState.UNCONFIRMED, "c": JobState.RUNNING}


@virtual
async def test_killed_before_a_receipt_was_taken_up(tmp_path: Path) -> None:
    """A doubt whose id is at hand is not shown to anybody."""
    async with world(tmp_path, "a", "b") as w:
        await witnessed(w, "a", "kept")
        broken = mock.patch("jobs.store.witness.moves.apply", side_effect=CannotWrite("full"))
        with broken, pytest.raises(CannotWrite):
            await recover(w.store, w.run.batch, w.places, w.clock.now())
        assert (await w.job("a")).state is JobState.SUBMITTING
        for expected in (1, 0):  # and it is not taken up twice
            found = await recover(w.store, w.run.batch, w.places, w.clock.now())
            assert len(found.healing.healed.completed) == expected
        assert await w.states() == {"a": JobState.RUNNING, "b": JobState.QUEUED}
