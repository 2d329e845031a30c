"""A table that went back in time is told what it forgot: each submit once, to the row that asked for it."""

import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from jobs.errors import CannotWrite
from jobs.failures import Failure, FailureKind
from jobs.outcomes import Accepted, Cancelled, Requeued, Unsendable
from jobs.states import JobState
from jobs.submit_record import Answered, SettledTo, SubmitEnd, SubmitRecord
from runner.recovery.healing import heal, moved_notice, unmatched
from runner.recovery.journal import open_journal
from runner.recovery.journal_format import HEADER_BYTES, Header, JournalReader
from runner.recovery.journal_places import new_name
from tests.support.tables import ESTIMATE, ORIGIN, claimed, planned, rows
from tests.support.virtual_time import virtual
from tests.support.world import World, world


@asynccontextmanager
async def forgotten(
    w: World, *records: SubmitRecord, days: int = 0, database: str = ""
) -> AsyncIterator[Path]:
    """A run of before whose submits the table does not know; yields its journal."""
    begun = w.clock.now() - timedelta(days=days)
    uid = database or await w.store.witness.database_uid()
    header = Header(uid, str(w.path), "here", ORIGIN, begun)
    name = new_name(w.places, begun, Random(99))
    with open_journal(w.places, name, header, w.notices.append) as journal:
        for record in records:
            await journal.sent(replace(record, end=None))
            if record.end is not None:
                journal.ended(record.uid, record.end)
    yield w.places.beside / name


async def record(w: World, key: str, request_id: str | None = None, *, number: int = 1) -> SubmitRecord:
    """A submit of a row: accepted under an id, or without an answer."""
    job = await w.job(key)
    end = None if request_id is None else SubmitEnd(Answered.ACCEPTED, w.clock.now(), request_id)
    uid = f"{job.id:016x}{number:016x}"
    return SubmitRecord(
        uid, job.fingerprint, "night", key, "5" * 64, w.clock.now(), estimate_usd=ESTIMATE, end=end
    )


def keys(records: Sequence[SubmitRecord]) -> list[str]:
    return [one.key for one in records]


@virtual
async def test_a_receipt_runs_and_a_doubt_waits(tmp_path: Path) -> None:
    """What was surely not accepted is left alone; twice comes to the same, and the file is not read again."""
    async with world(tmp_path, "a", "b", "c", "d") as w:
        free = replace(await record(w, "c"), end=SubmitEnd(Answered.REFUSED, w.clock.now()))
        named = replace(await record(w, "d"), end=SubmitEnd(Answered.NAMED, w.clock.now(), "req-d"))
        async with forgotten(w, await record(w, "a", "req-a"), await record(w, "b"), free, named):
            healing = await heal(w.store, w.places, w.clock.now())
            assert (keys(healing.healed.found), keys(healing.healed.doubtful)) == (["a"], ["b", "d"])
            states = {"a": JobState.RUNNING, "b": JobState.UNCONFIRMED, "c": JobState.QUEUED}
            assert await w.states() == states | {"d": JobState.UNCONFIRMED}
            assert [attempt["request_id"] for attempt in w.attempts("a")] == ["req-a"]
            assert [attempt["named_id"] for attempt in w.attempts("d")] == ["req-d"]
            assert (await w.job("a")).estimate_usd == ESTIMATE
            (told,) = healing.sentences()
            assert "did not know 3 submits" in told
            assert "1 of them go on, free; 2 have no answer and may have cost $0.24" in told
            assert (await heal(w.store, w.places, w.clock.now())).sentences() == []


@virtual
async def test_what_is_settled_is_not_read_again(tmp_path: Path) -> None:
    """A table that knows of its journal up to a place is held against the rest of it, by `audit` too."""
    async with world(tmp_path, "a", "b") as w:
        async with forgotten(w, await record(w, "a", "req-a"), await record(w, "b", "req-b")) as path:
            with path.open("rb") as file:
                (_place, length, _), (second, *_) = JournalReader(file).places(HEADER_BYTES, {})
            assert second == HEADER_BYTES + length
        await w.store.witness.settle_journal_to(path.name, SettledTo(second))
        await w.store.witness.settle_journal_to(path.name, SettledTo(second))
        assert keys(await unmatched(w.store, w.places)) == ["b"]
        assert keys((await heal(w.store, w.places, w.clock.now())).healed.found) == ["b"]
        assert (await heal(w.store, w.places, w.clock.now())).sentences() == []


@virtual
@pytest.mark.parametrize(
    "note", ["", "x", "{}", "[]", "[-1]", '["x"]', "[5000, -1]", "null", "7", "[1e999]", f"[{1 << 70}]"]
)
async def test_a_note_that_somebody_else_wrote_is_none(tmp_path: Path, note: str) -> None:
    """All is read."""
    async with world(tmp_path, "a") as w:
        async with forgotten(w, await record(w, "a", "req-a")) as path:
            await w.store.witness.settle_journal_to(path.name, SettledTo((1 << 40) - 1))
        with closing(sqlite3.connect(w.path)) as connection, connection:
            connection.execute("UPDATE settledjournal SET settled_to = ?", (note,))
        assert keys((await heal(w.store, w.places, w.clock.now())).healed.found) == ["a"]


@virtual
async def test_the_row_is_known_by_what_it_says(tmp_path: Path) -> None:
    """Another key takes a row that says the same and was never sent; its own row is not taken away."""
    alike = [row._replace(fingerprint="f" * 64) for row in rows("a", "b")]
    async with world(tmp_path, planned=alike) as w:
        renamed = replace(await record(w, "a", "req-2", number=2), key="gone")
        async with forgotten(w, await record(w, "b", "req-1"), renamed):
            healing = await heal(w.store, w.places, w.clock.now())
        assert keys(healing.healed.found) == ["b", "gone"]
        assert [attempt["request_id"] for key in "ab" for attempt in w.attempts(key)] == ["req-2", "req-1"]


@virtual
async def test_a_submit_that_fits_no_row_is_told_and_kept(tmp_path: Path) -> None:
    """Each time, with what it may have cost, until its row is there."""
    async with world(tmp_path, "a") as w:
        strange = replace(await record(w, "a", "req-9"), fingerprint="0" * 64)
        async with forgotten(w, strange):
            for _again in range(2):
                healing = await heal(w.store, w.places, w.clock.now())
                assert keys(healing.healed.unmatched) == ["a"]
                assert "1 submit that fit no row of this database: 'a', for $0.12" in healing.sentences()[0]
            assert [one.receipt for one in await unmatched(w.store, w.places)] == ["req-9"]
            assert await w.states() == {"a": JobState.QUEUED}


@virtual
async def test_a_row_that_was_sent_again_after_it_failed(tmp_path: Path) -> None:
    """The table went back to before its retry, or to before a cancel: it runs, and the repeat was allowed."""
    async with world(tmp_path, "a", "b") as w:
        failed = Failure(FailureKind.REFUSED, "too long")
        await w.store.jobs.apply(Unsendable((await w.job("a")).id, failed, w.clock.now()))
        gone = Failure(FailureKind.CANCELLED, "by a person")
        await w.store.jobs.apply(Cancelled((await w.job("b")).id, gone, w.clock.now()))
        async with forgotten(w, await record(w, "a", "req-a"), await record(w, "b", "req-b")):
            healing = await heal(w.store, w.places, w.clock.now())
        assert keys(healing.healed.found) == ["a", "b"]
        assert await w.states() == {"a": JobState.RUNNING, "b": JobState.RUNNING}


@virtual
async def test_a_row_at_work_is_not_disturbed(tmp_path: Path) -> None:
    """Another submit of it that the table does not know is kept as unmatched."""
    async with world(tmp_path, "a") as w:
        job = await w.queued()
        assert await w.store.jobs.claim(claimed(job.id, w.clock.now()))
        async with forgotten(w, await record(w, "a", "req-2", number=2)):
            healing = await heal(w.store, w.places, w.clock.now())
        assert (keys(healing.healed.found), keys(healing.healed.unmatched)) == ([], ["a"])
        assert await w.states() == {"a": JobState.SUBMITTING}


@virtual
async def test_an_id_that_a_person_attached_meanwhile(tmp_path: Path) -> None:
    """It is in the table under another name: nothing is missing, and no other row gets it."""
    async with world(tmp_path, "a", "b") as w:
        job = await w.queued("b")
        assert await w.store.jobs.claim(claimed(job.id, w.clock.now()))
        assert await w.store.jobs.apply(Accepted(job.id, "req-1", w.clock.now()))
        async with forgotten(w, await record(w, "b", "req-1")):
            assert await unmatched(w.store, w.places) == []
            assert (await heal(w.store, w.places, w.clock.now())).sentences() == []
        assert await w.states() == {"a": JobState.QUEUED, "b": JobState.RUNNING}


@virtual
async def test_the_seed_that_was_sent_counts(tmp_path: Path) -> None:
    """It was drawn anew when the sheet was loaded again: the manifest tells the one that was paid for."""
    seeded = [planned("a", inputs={"prompt": "a fox", "seed": 1})]
    async with world(tmp_path, planned=seeded) as w:
        async with forgotten(w, replace(await record(w, "a", "req-a"), seed=4711)):
            await heal(w.store, w.places, w.clock.now())
        assert '"seed":4711' in (await w.job("a")).inputs


@virtual
async def test_the_copy_helps_where_the_journal_is_lost_or_damaged(tmp_path: Path) -> None:
    """And what neither can read is told."""
    async with world(tmp_path, "a", "b") as w:
        a, b = await record(w, "a", "req-a"), await record(w, "b", "req-b")
        async with forgotten(w, a) as first, forgotten(w, b) as second:
            first.unlink()
            second.write_bytes(b"no journal")
            assert w.places.copies is not None
            assert sorted(keys((await heal(w.store, w.places, w.clock.now())).healed.found)) == ["a", "b"]
            (w.places.copies / second.name).write_bytes(second.read_bytes()[:5])
            healing = await heal(w.store, w.places, w.clock.now())
            assert healing.damaged == 1
            assert "1 record of the journal cannot be read" in healing.sentences()[0]


@virtual
async def test_a_damaged_line_is_told_and_the_rest_is_taken(tmp_path: Path) -> None:
    """The copy has it, else it is left out."""
    async with world(tmp_path, "a", "b") as w:
        async with forgotten(w, await record(w, "a", "req-a"), await record(w, "b", "req-b")) as path:
            copy = w.places.copies
            assert copy is not None
            shutil.rmtree(copy)
            path.write_bytes(path.read_bytes().replace(b'"key":"a"', b'"key":"x"'))
            healing = await heal(w.store, w.places, w.clock.now())
        assert (keys(healing.healed.found), healing.damaged) == (["b"], 1)


@virtual
async def test_another_databases_journal_is_left_alone(tmp_path: Path) -> None:
    """This one was begun where another one lay."""
    async with world(tmp_path, "a") as w:
        async with forgotten(w, await record(w, "a", "req-a"), database="e" * 32):
            healing = await heal(w.store, w.places, w.clock.now())
        assert not healing.healed.found
        assert healing.newest is None


@virtual
async def test_old_journals_go_once_the_table_has_them(tmp_path: Path) -> None:
    """After ninety days; one that tells of something unknown stays."""
    async with world(tmp_path, "a") as w:
        a = await record(w, "a", "req-a")
        strange = replace(await record(w, "a", "req-9", number=2), fingerprint="0" * 64)
        async with forgotten(w, a, days=91) as old, forgotten(w, strange, days=92) as kept:
            for _start in range(2):
                await heal(w.store, w.places, w.clock.now())
            assert (old.exists(), kept.exists()) == (False, True)


@virtual
async def test_a_journal_of_a_later_version(tmp_path: Path) -> None:
    """It knows what this one cannot: nothing is sent."""
    async with world(tmp_path, "a") as w, forgotten(w, await record(w, "a", "req-a")) as path:
        path.write_bytes(path.read_bytes().replace(b"journal 1 ", b"journal 2 "))
        with pytest.raises(CannotWrite, match=r"newer Nightsheet \(journal 2\)"):
            await heal(w.store, w.places, w.clock.now())
        path.unlink()
        path.mkdir()
        with pytest.raises(CannotWrite, match="cannot be read"):
            await heal(w.store, w.places, w.clock.now())


@virtual
async def test_a_job_that_was_queued_again_takes_its_own_repeat(tmp_path: Path) -> None:
    """The table went back to the moment between the retry and its submit."""
    async with world(tmp_path, "a") as w:
        failed = Failure(FailureKind.REFUSED, "too long")
        job_id = (await w.job("a")).id
        await w.store.jobs.apply(Unsendable(job_id, failed, w.clock.now()))
        await w.store.jobs.apply(Requeued(job_id, w.clock.now()))
        async with forgotten(w, await record(w, "a", "req-a")):
            assert keys((await heal(w.store, w.places, w.clock.now())).healed.found) == ["a"]


def test_what_is_told_of_a_database_that_moved(tmp_path: Path) -> None:
    """Nothing where it was here; else where it was, and what follows."""
    here = tmp_path / "night.db"
    there = tmp_path / "there.db"
    header = Header("d" * 32, str(there), "here", ORIGIN, datetime(2026, 11, 20, tzinfo=UTC))
    assert moved_notice(None, here, "here") == ""
    assert moved_notice(replace(header, path=str(here)), here, "here") == ""
    assert moved_notice(header, here, "here").endswith("it was moved.")
    there.touch()
    assert "there is one there still" in moved_notice(header, here, "here")
    assert "neither knows what the other sends" in moved_notice(header, here, "another")
