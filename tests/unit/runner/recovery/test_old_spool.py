"""A spool that an older version left: taken up once, and gone."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import CannotWrite
from jobs.states import JobState
from runner.recovery.old_spool import receipts_in, spool_of
from runner.recovery.recover import recover
from tests.support.tables import claimed
from tests.support.virtual_time import virtual
from tests.support.world import World, world

AT = datetime(2026, 11, 20, 22, tzinfo=UTC)


async def claim(w: World, key: str) -> int:
    """Leave a job in the middle of its submit."""
    job = await w.queued(key)
    assert await w.store.jobs.claim(claimed(job.id, w.clock.now(), None))
    return job.id


def line(w: World, job_id: int, key: str, request_id: str, **more: Any) -> str:
    told = {"batch_id": w.run.batch.id, "job_id": job_id, "key": key, "request_id": request_id}
    return json.dumps(told | {"at": AT.isoformat()} | more)


def write(w: World, *lines: str) -> Path:
    """As the older version did: whole lines, and room that no full disk can take away."""
    path = spool_of(w.path)
    path.write_bytes("\n".join([*lines, ""]).encode() + b"\0" * 100)
    return path


@virtual
async def test_its_ids_are_taken_up(tmp_path: Path) -> None:
    """Those of other batches stay for their own next run, and what is torn is passed over."""
    async with world(tmp_path, "a", "b") as w:
        theirs = line(w, 99, "a", "theirs", batch_id=99)
        path = write(w, line(w, await claim(w, "a"), "a", "kept"), '{"batch_id": 1, "jo', theirs, "[]")
        await claim(w, "b")
        found = await recover(w.store, w.run.batch, w.places, w.clock.now())
        assert (found.unconfirmed, [job.request_id for job in found.running]) == (1, ["kept"])
        assert path.exists()
        assert (await w.job("a")).failure is None


@virtual
async def test_it_is_gone_once_the_table_has_all_of_it(tmp_path: Path) -> None:
    """A receipt of another database fits nobody, and is kept: it is worth money."""
    async with world(tmp_path, "a") as w:
        path = write(w, line(w, await claim(w, "a"), "a", "kept", uid=""))
        await recover(w.store, w.run.batch, w.places, w.clock.now())
        assert await w.states() == {"a": JobState.RUNNING}
        assert not path.exists()
        path = write(w, line(w, 1, "somebody else", "kept too"))
        await recover(w.store, w.run.batch, w.places, w.clock.now())
        assert path.exists()


@virtual
async def test_one_that_cannot_be_read(tmp_path: Path) -> None:
    """Nothing is sent: it may hold what was paid for."""
    async with world(tmp_path, "a") as w:
        spool_of(w.path).mkdir()
        with pytest.raises(CannotWrite, match=r"night\.db\.spool cannot be read"):
            receipts_in(w.path, w.run.batch)
