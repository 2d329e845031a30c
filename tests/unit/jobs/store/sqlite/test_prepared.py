"""Statements that are made once: they give what SQLAlchemy gives, and they are few."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from jobs.attempts import SubmitOutcome
from jobs.outcomes import Accepted, Fetched, LinksExpired, RemoteDone
from jobs.states import JobState, Move
from jobs.store.schema import ATTEMPT, JOB
from jobs.store.sqlite import prepared
from jobs.store.sqlite.prepared import Prepared, change, given
from tests.support.tables import Table, claimed, picture

AT = datetime(2026, 11, 20, 22, 0, 0, 5, tzinfo=UTC)
PATH = [Move.CLAIM, Move.ACCEPTED, Move.REMOTE_DONE, Move.FETCHED]


async def test_rows_are_those_that_sqlalchemy_reads(table: Table) -> None:
    """Every column and type of a job and its attempt: JSON, times, money, truth, nothing."""
    for key in ("a", "b"):
        await table.bring(key, JobState.SUCCEEDED)

    def both(connection: Connection) -> tuple[list[Any], list[Any]]:
        by_state = select(JOB).where(JOB.c.state.in_(["succeeded", "queued"])).order_by(JOB.c.id)
        attempts = select(ATTEMPT).order_by(ATTEMPT.c.id)
        plain = [*connection.execute(by_state), *connection.execute(attempts)]
        return [*map(tuple, plain)], [
            *Prepared(by_state).rows(connection),
            *Prepared(attempts).rows(connection),
        ]

    plain, made = await table.store.database.read(both)
    assert len(plain) == 5
    assert made == plain
    assert [type(value) for row in made for value in row] == [type(value) for row in plain for value in row]


async def test_values_are_stored_as_sqlalchemy_stores_them(table: Table) -> None:
    """Of every type that a move writes, and an expression beside them."""
    job_id = await table.bring("a", JobState.RUNNING)
    values: dict[str, Any] = {
        "number": ATTEMPT.c.number + 4,
        "started_at": AT,
        "outcome": SubmitOutcome.ACCEPTED,
        "answer": {"status": 200, "body": "ü"},
        "urls": None,
        "automatic": True,
        "cost_usd": Decimal("0.035"),
    }
    of_the_job = ATTEMPT.c.job_id == job_id

    def plainly(connection: Connection) -> None:
        connection.execute(update(ATTEMPT).where(of_the_job).values(**values))

    def made_once(connection: Connection) -> int:
        base = update(ATTEMPT).where(ATTEMPT.c.job_id == given("job_id"))
        return change(connection, base, values | {"number": ATTEMPT.c.number + 0}, job_id=job_id)

    await table.store.database.write(plainly)
    plain = table.attempts(job_id)
    assert plain[0]["number"] == 5
    assert await table.store.database.write(made_once) == 1
    assert table.attempts(job_id) == plain


async def test_a_change_is_made_once_for_each_row(table: Table) -> None:
    """What is the same for all rows is given once; each value is stored as its column has it."""
    first, second = [job.id async for job in table.store.jobs.each(table.batch.id)][:2]
    renamed = Prepared(
        update(JOB)
        .where(JOB.c.id == given("job_id"))
        .values(columns=given("columns"), available_at=given("at"), cancel_requested=False)
    )
    rows = ({"job_id": job_id, "columns": {"n": str(job_id)}} for job_id in (first, second))
    await table.store.database.write(lambda c: renamed.change_each(c, rows, at=AT))
    for job_id in (first, second):
        row = table.row(job_id)
        assert json.loads(row["columns"]) == {"n": str(job_id)}
        assert row["available_at"] == AT.isoformat(timespec="microseconds")


async def test_a_query_without_a_row(table: Table) -> None:
    """Nothing is nothing."""
    query = Prepared(select(JOB.c.id).where(JOB.c.key == given("key")))
    assert await table.store.database.read(lambda c: query.first(c, key="nobody")) is None
    assert await table.store.database.read(lambda c: list(query.rows(c, key="nobody"))) == []


async def test_a_job_makes_no_statement_that_another_has_made(table: Table) -> None:
    """Otherwise each would be compiled again, and kept until there is no room."""
    await table.move("a", *PATH)
    made = prepared._setting.cache_info().misses
    await table.move("b", *PATH)
    assert prepared._setting.cache_info().misses == made


async def test_a_value_that_is_missing_is_a_defect(table: Table) -> None:
    """Not NULL: a statement would find nothing, and nobody would know why."""
    query = Prepared(select(JOB.c.id).where(JOB.c.key == given("key")))
    with pytest.raises(KeyError, match="key"):
        await table.store.database.read(lambda c: query.first(c))


def test_a_default_that_python_makes_is_refused() -> None:
    """The short way to the driver would leave it out in silence."""
    from sqlalchemy import Column, Integer, MetaData
    from sqlalchemy import Table as SqlTable

    counted = SqlTable("counted", MetaData(), Column("n", Integer, default=lambda: 1), Column("m", Integer))
    with pytest.raises(AssertionError, match="a default"):
        _ = Prepared(insert(counted).values(m=given("m")))._compiled


@pytest.mark.parametrize("tells", [True, False], ids=["told by the change", "read after it"])
async def test_a_move_tells_the_job_as_it_then_is(
    table: Table, monkeypatch: pytest.MonkeyPatch, tells: bool
) -> None:
    """By the change itself, or on a SQLite that cannot by a query after it: the same job."""
    monkeypatch.setattr(prepared, "_TELLS", tells and prepared._TELLS)
    jobs = table.store.jobs
    job_id = await table.bring("a", JobState.SUBMITTING)
    for outcome in (
        Accepted(job_id, "req-a", AT, table.attempts(job_id)[0]["uid"]),
        RemoteDone(job_id, ("https://p/1.png", "https://p/2.png"), Decimal("0.04"), AT),
    ):
        told = await jobs.advance(outcome)
        assert told is not None
        assert told == await jobs.open_job(job_id)
    await table.store.ledger.record_image(job_id, table.attempts(job_id)[0]["id"], picture(1))
    told = await jobs.advance(LinksExpired(job_id))
    assert told is not None
    assert told == await jobs.open_job(job_id)
    assert (told.has_images, told.urls, told.state) == (True, None, JobState.RUNNING)


@pytest.mark.parametrize("tells", [True, False], ids=["told by the change", "read after it"])
async def test_a_move_that_is_not_made_tells_nothing(
    table: Table, monkeypatch: pytest.MonkeyPatch, tells: bool
) -> None:
    """The job is elsewhere, or the id is another's: compare-and-set, whoever reads the row."""
    monkeypatch.setattr(prepared, "_TELLS", tells and prepared._TELLS)
    jobs = table.store.jobs
    job_id = await table.bring("a", JobState.RUNNING)
    other = await table.bring("b", JobState.SUBMITTING)
    taken = table.attempts(job_id)[0]["request_id"]
    assert await jobs.claim(claimed(job_id)) is None
    assert await jobs.advance(Accepted(job_id, "req-new", AT)) is None
    assert await jobs.advance(Accepted(other, taken, AT)) is None
    assert not await jobs.succeed(Fetched(job_id, (), AT), table.attempts(job_id)[0]["id"], picture())
    assert table.row(other)["state"] == "submitting"
    assert [row["outcome"] for row in (*table.attempts(job_id), *table.attempts(other))] == [
        "accepted",
        "intent",
    ]


async def test_a_last_image_that_is_recorded_again_replaces_the_record(table: Table) -> None:
    """A crash between the image's note and the job's end makes it happen twice."""
    job_id = await table.bring("a", JobState.FETCHING)
    attempt_id = table.attempts(job_id)[0]["id"]
    for number in (1, 2):
        await table.store.ledger.record_image(job_id, attempt_id, picture(number))
    again = picture(2, sha256="f" * 64)
    assert await table.store.jobs.succeed(Fetched(job_id, (), AT), attempt_id, again)
    assert await table.store.ledger.images_of(attempt_id) == {1: picture(1), 2: again}
