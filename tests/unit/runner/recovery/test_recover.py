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
from runner.recovery.lock import holding
from runner.recovery.recover import recover, settle_beside
from runner.recovery.spool import Spooled
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


def line(w: World, job_id: int, key: str, request_id: str, batch_id: int | None = None) -> Spooled:
    at = w.clock.now().isoformat()
    return Spooled(w.run.batch.id if batch_id is None else batch_id, job_id, key, request_id, at)


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
            found = await recover(w.store, w.run.batch, w.run.spool)
            assert (found.unconfirmed, found.from_spool) == (expected, 0)
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
async def test_spooled_ids_are_taken_up(tmp_path: Path) -> None:
    """Those of other batches stay for their own next run."""
    async with world(tmp_path, "a", "b") as w:
        w.run.spool.add(line(w, await claim(w, "a"), "a", "kept"))
        other = line(w, 99, "a", "theirs", batch_id=99)
        w.run.spool.add(other)
        await claim(w, "b")
        found = await recover(w.store, w.run.batch, w.run.spool)
        assert (found.unconfirmed, found.from_spool) == (1, 1)
        assert [job.request_id for job in found.running] == ["kept"]
        assert w.run.spool.lines == (other,)
        assert (await w.job("a")).failure is None


def beside(w: World) -> Coroutine[Any, Any, None]:
    return settle_beside(
        w.store, w.run.batch, w.run.store.database.path, command="review", clock=w.clock, notice=print
    )


@virtual
async def test_a_receipt_is_taken_up_when_a_command_makes_room(tmp_path: Path) -> None:
    """Whoever decided without it, because a `cancel` was at work just then, would pay twice."""
    async with world(tmp_path, "a") as w:
        w.run.spool.add(line(w, await claim(w, "a"), "a", "kept"))
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
        a, b = await claim(w, "a"), await claim(w, "b")
        await accept(w, "c")
        await recover(w.store, w.run.batch, w.run.spool)
        await w.store.jobs.apply(Discarded(a, Failure(FailureKind.DISCARDED, "let go"), w.clock.now()))
        late = line(w, a, "a", "late")
        w.run.spool.add(late)
        w.run.spool.add(line(w, b, "b", "req-c"))
        found = await recover(w.store, w.run.batch, w.run.spool)
        assert (found.from_spool, found.left) == (1, ())
        assert await w.states() == {"a": JobState.RUNNING, "b": JobState.UNCONFIRMED, "c": JobState.RUNNING}
        assert w.run.spool.lines == ()


@virtual
async def test_a_receipt_of_another_database_fits_nobody(tmp_path: Path) -> None:
    """Ids start from 1 in a new database of the same name: the job's key has to fit as well."""
    async with world(tmp_path, "a") as w:
        w.run.spool.add(line(w, await claim(w, "a"), "somebody else", "kept"))
        found = await recover(w.store, w.run.batch, w.run.spool)
        assert (found.unconfirmed, found.from_spool, found.left) == (1, 0, ("kept",))


@virtual
async def test_killed_before_the_spool_was_read(tmp_path: Path) -> None:
    """A doubt whose id is at hand is not shown to anybody: both are settled, or neither."""
    async with world(tmp_path, "a", "b") as w:
        w.run.spool.add(line(w, await claim(w, "a"), "a", "kept"))
        broken = mock.patch("jobs.store.jobs.moves.apply", side_effect=CannotWrite("full"))
        with broken, pytest.raises(CannotWrite):
            await recover(w.store, w.run.batch, w.run.spool)
        assert len(w.run.spool.lines) == 1
        assert (await w.job("a")).state is JobState.SUBMITTING
        found = await recover(w.store, w.run.batch, w.run.spool)
        assert (found.from_spool, found.unconfirmed) == (1, 0)
        assert await w.states() == {"a": JobState.RUNNING, "b": JobState.QUEUED}


@virtual
async def test_killed_before_the_spool_was_emptied(tmp_path: Path) -> None:
    """What was taken up is not taken up twice."""
    async with world(tmp_path, "a") as w:
        w.run.spool.add(line(w, await claim(w, "a"), "a", "kept"))
        with (
            mock.patch.object(w.run.spool, "keep", side_effect=OSError(5, "I/O error")),
            pytest.raises(OSError, match="I/O"),
        ):
            await recover(w.store, w.run.batch, w.run.spool)
        found = await recover(w.store, w.run.batch, w.run.spool)
        assert (found.unconfirmed, found.from_spool, len(found.running)) == (0, 0, 1)
