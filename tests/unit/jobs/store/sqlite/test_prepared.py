"""Statements that are made once: they give what SQLAlchemy gives, and they are few."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from jobs.attempts import SubmitOutcome
from jobs.states import JobState, Move
from jobs.store.schema import ATTEMPT, JOB
from jobs.store.sqlite import prepared
from jobs.store.sqlite.prepared import Prepared, change, given
from tests.support.tables import Table

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
