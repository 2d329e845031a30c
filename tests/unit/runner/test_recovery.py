"""What the last run left behind is put in order; twice, or killed in between, comes to the same."""

from pathlib import Path
from unittest import mock

import pytest

from jobs.errors import CannotWrite
from jobs.failures import Failure, FailureKind
from jobs.outcomes import Accepted, Claimed, Discarded, RemoteDone
from jobs.states import JobState
from runner.recovery import recover
from runner.spool import Spooled
from tests.support.virtual_time import virtual
from tests.support.world import World, world


async def claim(w: World, key: str) -> int:
    """Leave a job in the middle of its submit."""
    job = await w.queued(key)
    assert await w.store.claim(Claimed(job.id, "5" * 64, w.clock.now()))
    return job.id


async def accept(w: World, key: str) -> int:
    job_id = await claim(w, key)
    assert await w.store.apply(Accepted(job_id, f"req-{key}", w.clock.now()))
    return job_id


def line(w: World, job_id: int, request_id: str, batch_id: int | None = None) -> Spooled:
    at = w.clock.now().isoformat()
    return Spooled(w.run.batch.id if batch_id is None else batch_id, job_id, "key", request_id, at)


@virtual
async def test_every_interrupted_submit_is_in_doubt(tmp_path: Path) -> None:
    """Nothing of it is sent again by itself; the rest stays where it is."""
    async with world(tmp_path, "a", "b", "c", "d", "e") as w:
        await claim(w, "a")
        await claim(w, "b")
        await accept(w, "c")
        done = await accept(w, "d")
        await w.store.apply(RemoteDone(done, ("https://pictures.runcomfy.net/1.png",), None))
        for expected in (2, 0):
            found = await recover(w.store, w.run.batch, w.run.spool)
            assert (found.in_doubt, found.from_spool) == (expected, 0)
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
        w.run.spool.add(line(w, await claim(w, "a"), "kept"))
        other = line(w, 99, "theirs", batch_id=99)
        w.run.spool.add(other)
        await claim(w, "b")
        found = await recover(w.store, w.run.batch, w.run.spool)
        assert (found.in_doubt, found.from_spool) == (1, 1)
        assert [job.request_id for job in found.running] == ["kept"]
        assert w.run.spool.lines == (other,)
        assert (await w.job("a")).failure is None


@virtual
async def test_what_a_person_settled_meanwhile_stays_settled(tmp_path: Path) -> None:
    """And an id that is in the database already is not given to another job."""
    async with world(tmp_path, "a", "b", "c") as w:
        a, b = await claim(w, "a"), await claim(w, "b")
        await accept(w, "c")
        await recover(w.store, w.run.batch, w.run.spool)
        await w.store.apply(Discarded(a, Failure(FailureKind.DISCARDED, "let go"), w.clock.now()))
        w.run.spool.add(line(w, a, "late"))
        w.run.spool.add(line(w, b, "req-c"))
        found = await recover(w.store, w.run.batch, w.run.spool)
        assert found.from_spool == 0
        assert await w.states() == {"a": JobState.FAILED, "b": JobState.UNCONFIRMED, "c": JobState.RUNNING}
        assert w.run.spool.lines == ()


@virtual
async def test_killed_before_the_spool_was_read(tmp_path: Path) -> None:
    """The next recovery finds the doubt noted already, and the id still to be taken up."""
    async with world(tmp_path, "a", "b") as w:
        w.run.spool.add(line(w, await claim(w, "a"), "kept"))
        broken = mock.patch.object(w.store, "apply", side_effect=CannotWrite("full"))
        with broken, pytest.raises(CannotWrite):
            await recover(w.store, w.run.batch, w.run.spool)
        assert len(w.run.spool.lines) == 1
        found = await recover(w.store, w.run.batch, w.run.spool)
        assert (found.from_spool, found.in_doubt) == (1, 0)
        assert await w.states() == {"a": JobState.RUNNING, "b": JobState.QUEUED}


@virtual
async def test_killed_before_the_spool_was_emptied(tmp_path: Path) -> None:
    """What was taken up is not taken up twice."""
    async with world(tmp_path, "a") as w:
        w.run.spool.add(line(w, await claim(w, "a"), "kept"))
        with (
            mock.patch.object(w.run.spool, "keep", side_effect=OSError(5, "I/O error")),
            pytest.raises(OSError, match="I/O"),
        ):
            await recover(w.store, w.run.batch, w.run.spool)
        found = await recover(w.store, w.run.batch, w.run.spool)
        assert (found.in_doubt, found.from_spool, len(found.running)) == (0, 0, 1)
