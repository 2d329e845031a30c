"""Counts that are kept: right after every move, without counting a job."""

from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Connection

from jobs.errors import CannotWrite, SheetProblems
from jobs.outcomes import Fetched, RemoteDone
from jobs.problems import Problem, at
from jobs.sheets.planned import PlannedJob
from jobs.states import JobState, Move
from jobs.store.sqlite.keeping import counting_consent_at_once
from jobs.views import Account
from jobs.workload import Amount
from tests.support.tables import (
    MODEL,
    NIGHT,
    Table,
    opened_database,
    opened_table,
    picture,
    rows,
    select,
    tamper,
)


async def agree(table: Table) -> None:
    """Hold the kept counts against the rows."""
    assert await table.store.counts.wrong(table.batch.id) == 0


async def home(table: Table, key: str, *, last: bool = True) -> None:
    """Bring a job home with an image, which is recorded with the end or before it."""
    job_id = await table.bring(key, JobState.RUNNING)
    job = await table.store.jobs.advance(RemoteDone(job_id, ("https://p/1.png",), Decimal("0.04")))
    assert job is not None
    if not last:
        await table.store.ledger.record_image(job_id, job.attempt_id, picture())
    end = Fetched(job_id, ("One is odd.",), NIGHT)
    assert await table.store.jobs.succeed(end, job.attempt_id, picture() if last else None)


async def test_each_move_moves_the_counts(tmp_path: Path) -> None:
    """States, what is to be sent, money: each read from a few rows, each what the jobs say."""
    keys = [state.value for state in JobState]
    async with opened_table(tmp_path / "night.db", *keys) as table:
        store, batch = table.store, table.batch.id
        assert (await store.jobs.counts(batch))[JobState.QUEUED] == 8
        assert await store.preview.unagreed(batch) == {MODEL: Amount(8, 8)}
        for state in JobState:
            await table.bring(state.value, state)
            await agree(table)
        assert set((await store.jobs.counts(batch)).values()) == {1}
        assert await store.preview.to_send(batch) == {MODEL: Amount(1, 1)}
        assert await store.preview.unagreed(batch) == {}
        assert list(await store.overview.failures(batch)) == ["bad_picture"]
        assert await store.ledger.account(batch) == Account(Decimal("0.12"), Decimal("0.12"), 6)
        assert await store.ledger.unconfirmed_usd(batch) == Decimal("0.24")


async def test_consent_to_many_jobs_is_counted_at_once(tmp_path: Path) -> None:
    """Given to all, taken back from all but some, given again: whatever else the batch has. What comes after
    is counted row by row."""
    keys = [state.value for state in JobState]
    async with opened_table(tmp_path / "night.db", *keys, "linked", "held", "b", "c") as table:
        store, batch = table.store, table.batch.id
        for state in JobState:
            await table.bring(state.value, state)
        ids = {key: (await table.job(key)).id for key in ("linked", "running", "b", "c")}
        await store.links.link([(ids["linked"], ids["running"])])
        tamper(table.path, "UPDATE job SET agreed = 0, held = '{}' WHERE key = 'held'")
        await store.counts.recount(batch)
        for only, agreed in ((None, 3), ([ids["b"]], 1), ([ids["c"]], 1), ([], 0), (None, 3)):
            await store.batches.agree(batch, only)
            await agree(table)
            assert 3 - (await store.preview.unagreed(batch)).jobs == agreed
        await table.move("b", Move.CLAIM, Move.ACCEPTED)
        await agree(table)


async def test_consent_that_is_rolled_back_leaves_the_counting_in_place(tmp_path: Path) -> None:
    """Another write of its group fails: it is made again alone, and what follows is counted."""
    async with opened_table(tmp_path / "night.db", "a", "b") as table:

        def fails(connection: Connection) -> None:
            with counting_consent_at_once(connection, table.batch.id, agreed=True):
                raise CannotWrite("The disk is full.")

        with pytest.raises(CannotWrite):
            await table.store.database.write(fails)
        await table.move("a", Move.CLAIM, Move.ACCEPTED)
        await agree(table)


async def test_images_are_counted_whenever_they_come(tmp_path: Path) -> None:
    """With the end of their job, before it, once more, and after its row has left the sheet."""
    async with opened_table(tmp_path / "night.db", "a", "b", "c") as table:
        store, batch = table.store, table.batch.id
        await home(table, "a")
        await home(table, "b", last=False)
        await agree(table)
        assert await store.overview.image_count(batch) == 2
        assert await store.jobs.warned(batch) == 2
        job = await table.job("a")
        attempt = table.attempts(job.id)[0]["id"]
        await store.ledger.record_image(job.id, attempt, picture(path="/outputs/night/a/2.png"))
        await agree(table)
        assert await store.overview.image_count(batch) == 2
        await table.load(rows("b", "c"))
        await agree(table)
        assert await store.overview.image_count(batch) == 1
        await table.load(rows("a", "b", "c"))
        assert await store.overview.image_count(batch) == 2
        await table.move("a", Move.REOPEN)
        await agree(table)
        assert await store.overview.image_count(batch) == 1


async def test_an_image_of_a_job_that_left_is_counted_where_a_row_shares_it(tmp_path: Path) -> None:
    """It is that row's."""
    async with opened_table(tmp_path / "night.db", "a", "b", "c") as table:
        await home(table, "a")
        first, *others = [(await table.job(key)).id for key in "abc"]
        await table.store.links.link([(other, first) for other in others])
        await table.load(rows("b", "c"))
        await agree(table)
        assert await table.store.overview.image_count(table.batch.id) == 1


async def test_what_another_program_writes_is_found_and_counted(kept_on: str, tmp_path: Path) -> None:
    """The triggers are those of our connection: a file with triggers is refused. A server's count for all."""
    async with opened_table(tmp_path / "night.db", "a", "b") as table:
        tamper(table.path, "UPDATE job SET model = 'another' WHERE key = 'a'")
        assert await table.store.counts.wrong(table.batch.id) == (3 if kept_on == "file" else 0)
        tamper(table.path, "UPDATE jobtally SET jobs = jobs + 5")
        assert await table.store.counts.wrong(table.batch.id) > 0
        await table.store.counts.recount(table.batch.id)
        await agree(table)
        work = await table.store.preview.to_send(table.batch.id)
        assert work == {"another": Amount(1, 1), MODEL: Amount(1, 1)}
        await table.move("a", Move.CANCEL)
        await agree(table)


async def test_a_first_load_that_is_rolled_back_leaves_the_counting_as_it_was(tmp_path: Path) -> None:
    """Its jobs are counted together at its end; where it comes to none, the next rows are counted as ever."""
    async with opened_table(tmp_path / "night.db", "a") as table:
        store, batch = table.store, table.batch.id
        problem = at("other.csv", 3).problem("No such size.")
        attempts: list[list[PlannedJob | Problem]] = [[*rows("b"), problem], [*rows("b", "c")]]
        for planned in attempts:
            with pytest.raises(SheetProblems) if problem in planned else nullcontext():
                other, _ = await store.batches.load(
                    name="other", sheet="other.csv", origin=table.batch.origin, planned=planned
                )
        assert await store.counts.wrong(other.id) == 0
        assert (await store.jobs.counts(other.id))[JobState.QUEUED] == 2
        await table.load(rows("a", "d", "e"))
        await agree(table)
        assert (await store.jobs.counts(batch))[JobState.QUEUED] == 3


async def test_rows_after_a_first_load_are_counted_each_by_itself(tmp_path: Path) -> None:
    """The triggers that the first load did without are those of every connection, and not of the file."""
    async with opened_table(tmp_path / "night.db", "a") as table:

        def triggers(connection: Connection) -> list[tuple[str, str]]:
            found = connection.exec_driver_sql("SELECT name, sql FROM temp.sqlite_master ORDER BY name")
            return [(name, sql) for name, sql in found]

        async with opened_database(tmp_path / "new.db") as database:
            as_opened = await database.write(triggers)
        assert await table.store.database.write(triggers) == as_opened
        assert "job_comes" in dict(as_opened)
    assert select(tmp_path / "night.db", "SELECT name FROM sqlite_master WHERE type = 'trigger'") == []
