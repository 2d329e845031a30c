"""The columns keep times, money and states as they say; the CHECKs refuse nonsense."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite
from sqlmodel import SQLModel

import jobs.store.schema  # noqa: F401 - all tables
from jobs.store.sql.stored import Stored
from jobs.store.sqlite import migrate
from jobs.store.sqlite.columns import Instant, Money
from tests.support.tables import NIGHT

DIALECT = sqlite.dialect()

BATCH = {"id": 1, "name": "night", "sheet": "s", "origin": "o", "created_at": "t", "generation": 1}
JOB = {
    "id": 1,
    "batch_id": 1,
    "key": "a",
    "revision": 1,
    "folder": "a",
    "position": 0,
    "row": 2,
    "generation": 1,
    "current": 1,
    "agreed": 0,
    "model": "m",
    "fingerprint": "f",
    "inputs": "{}",
    "pictures": 1,
    "columns": "{}",
    "warnings": "[]",
    "state": "queued",
    "available_at": "t",
    "attempts": 0,
    "failed_runs": 0,
    "authorised": 0,
    "cancel_requested": 0,
    "created_at": "t",
}
ATTEMPT = {
    "id": 1,
    "uid": "1",
    "job_id": 1,
    "number": 1,
    "payload_sha256": "5" * 64,
    "started_at": "t",
    "outcome": "intent",
    "automatic": 0,
}
ARTIFACT = {
    "id": 1,
    "job_id": 1,
    "attempt_id": 1,
    "number": 1,
    "path": "p",
    "url": "u",
    "sha256": "5" * 64,
    "bytes": 1,
    "width": 1,
    "height": 1,
    "content_type": "image/png",
}
DECISION = {
    "id": 1,
    "job_id": 1,
    "number": 1,
    "sha256": "5" * 64,
    "verdict": "accepted",
    "stars": 0,
    "note": "",
    "decided_at": "t",
    "source": "page",
}
REROLL = {"id": 1, "job_id": 1, "number": 1, "seed": "new", "variants": 1, "inputs_patch": "{}"}
ACTION = {
    "id": 1,
    "action_id": "x",
    "batch_id": 1,
    "kind": "decisions",
    "told": "{}",
    "answer": "{}",
    "done_at": "t",
}
SOUND = {"batch": BATCH, "job": JOB, "attempt": ATTEMPT, "artifact": ARTIFACT}
"""A row in each table that there has been since the first version."""
DECIDED = {"decision": DECISION, "reroll": REROLL, "action": ACTION}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """One sound row in each table, by a connection that keeps foreign keys, as ours do."""
    path = tmp_path / "night.db"
    migrate.prepare(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = 1")
        for table, row in (SOUND | DECIDED).items():
            insert(connection, table, **row)
        yield connection


def insert(connection: sqlite3.Connection, table: str, **values: object) -> None:
    """One row, without the help of the store."""
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))


@pytest.mark.parametrize(
    ("table", "changes", "rule"),
    [
        ("batch", {"paused_reason": "token"}, "batch_paused_reason_and_since"),
        ("batch", {"paused_since": "t"}, "batch_paused_reason_and_since"),
        ("batch", {"paused_reason": "boredom", "paused_since": "t"}, "batch_paused_reason"),
        ("job", {"state": "waiting"}, "job_state"),
        ("job", {"state": "cancelled", "finished_at": "t", "error_kind": "boredom"}, "job_error_kind"),
        ("job", {"finished_at": "t"}, "job_finished_at"),
        ("job", {"state": "cancelled", "error_kind": "cancelled"}, "job_finished_at"),
        ("job", {"state": "failed", "finished_at": "t"}, "job_error"),
        ("job", {"error_kind": "lost"}, "job_error"),
        ("job", {"state": "submitting"}, "job_attempts"),
        ("job", {"state": "running"}, "job_attempts"),
        ("job", {"state": "unconfirmed", "error_kind": "unconfirmed"}, "job_attempts"),
        ("job", {"state": "succeeded", "finished_at": "t"}, "job_attempts"),
        ("job", {"same_as": 1, "agreed": 1}, "job_same_as"),
        ("job", {"same_as": 1, "attempts": 1}, "job_same_as"),
        ("job", {"held": "{}", "agreed": 1}, "job_held"),
        ("attempt", {"outcome": "perhaps"}, "attempt_outcome"),
        ("attempt", {"outcome": "accepted"}, "attempt_accepted"),
        ("attempt", {"outcome": "unanswered", "request_id": "r"}, "attempt_accepted"),
        ("attempt", {"outcome": "accepted", "request_id": ""}, "attempt_request_id_length"),
        ("attempt", {"outcome": "accepted", "request_id": "r" * 129}, "attempt_request_id_length"),
        ("artifact", {"bytes": 0}, "artifact_size"),
        ("artifact", {"width": 0}, "artifact_size"),
        ("artifact", {"height": -1}, "artifact_size"),
        ("decision", {"number": 0}, "decision_sha256"),
        ("decision", {"sha256": None}, "decision_sha256"),
        ("decision", {"verdict": "perhaps"}, "decision_verdict"),
        ("decision", {"stars": 6}, "decision_stars"),
        ("decision", {"stars": -1}, "decision_stars"),
        ("decision", {"verdict": None}, "decision_says_something"),
        ("decision", {"source": "dream"}, "decision_source"),
        ("reroll", {"seed": "other"}, "reroll_seed"),
        ("reroll", {"seed": ""}, "reroll_seed"),
        ("reroll", {"seed": "-1"}, "reroll_seed"),
        ("reroll", {"variants": 0}, "reroll_variants"),
        ("reroll", {"variants": 9}, "reroll_variants"),
        ("reroll", {"sheet": "s"}, "reroll_made"),
        ("reroll", {"sheet": "s", "made_at": "t"}, "reroll_made"),
    ],
)
def test_nonsense_is_refused_by_name(
    database: sqlite3.Connection, table: str, changes: dict[str, object], rule: str
) -> None:
    """Each CHECK is hit by a row that breaks it alone."""
    changed = ", ".join(f'"{name}" = ?' for name in changes)
    with pytest.raises(sqlite3.IntegrityError, match=f"CHECK constraint failed: {rule}$"):
        database.execute(f"UPDATE {table} SET {changed}", list(changes.values()))


@pytest.mark.parametrize(
    ("table", "changes", "columns"),
    [
        ("batch", {}, "batch.name"),
        ("job", {"folder": "b"}, "job.batch_id, job.key, job.revision"),
        ("job", {"key": "A", "folder": "A"}, "job.batch_id, job.folder"),
        ("attempt", {}, "attempt.job_id, attempt.number"),
        ("artifact", {}, "artifact.attempt_id, artifact.number"),
        ("decision", {}, "decision.job_id, decision.number"),
        ("reroll", {}, "reroll.job_id, reroll.number"),
        ("action", {}, "action.action_id"),
    ],
)
def test_what_must_be_unique_is(
    database: sqlite3.Connection, table: str, changes: dict[str, object], columns: str
) -> None:
    """Folders even where case is ignored: on some disks `A` and `a` are one."""
    row = (SOUND | DECIDED)[table] | {"id": 2} | changes
    with pytest.raises(sqlite3.IntegrityError, match=f"UNIQUE constraint failed: {columns}$"):
        insert(database, table, **row)


def test_a_request_id_is_held_by_one_attempt(database: sqlite3.Connection) -> None:
    """Two jobs that fetch the same pictures would hide that one of them was lost."""
    accepted = ATTEMPT | {"outcome": "accepted", "request_id": "r"}
    insert(database, "attempt", **accepted | {"id": 2, "uid": "2", "number": 2})
    with pytest.raises(sqlite3.IntegrityError, match=r"attempt\.request_id"):
        insert(database, "attempt", **accepted | {"id": 3, "uid": "3", "number": 3})


@pytest.mark.parametrize(
    ("table", "reference"), [("job", "batch_id"), ("attempt", "job_id"), ("artifact", "attempt_id")]
)
def test_a_row_belongs_to_one_that_exists(database: sqlite3.Connection, table: str, reference: str) -> None:
    """Nothing paid for hangs in the air."""
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        database.execute(f"UPDATE {table} SET {reference} = 99")


@pytest.mark.parametrize("table", ["job", "attempt"])
def test_what_was_paid_for_cannot_be_deleted_from_under_its_records(
    database: sqlite3.Connection, table: str
) -> None:
    """Deleting a job that has attempts, or an attempt that has pictures, is refused."""
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        database.execute(f"DELETE FROM {table}")


def stored(moment: datetime) -> str:
    kept = Instant().process_bind_param(moment, DIALECT)
    assert kept is not None
    return kept


def test_a_time_is_kept_in_utc_to_the_microsecond() -> None:
    """Whatever zone it came in."""
    there = NIGHT.astimezone(timezone(timedelta(hours=9))) + timedelta(microseconds=5)
    assert stored(there) == "2026-11-20T22:00:00.000005+00:00"
    back = Instant().process_result_value(stored(there), DIALECT)
    assert back == there
    assert back is not None
    assert back.utcoffset() == timedelta(0)


def test_times_sort_as_text() -> None:
    """SQLite compares the text: a whole second must not come behind its own fraction."""
    moments = [NIGHT, NIGHT + timedelta(microseconds=1), NIGHT + timedelta(seconds=1)]
    assert [stored(moment) for moment in moments] == sorted(stored(moment) for moment in reversed(moments))


@pytest.mark.parametrize("amount", ["0", "0.04", "0.000001", "-1.5", "123456789.123456"])
def test_money_comes_back_exactly(amount: str) -> None:
    """No binary fractions on the way."""
    kept = Money().process_bind_param(Decimal(amount), DIALECT)
    assert Money().process_result_value(kept, DIALECT) == Decimal(amount)
    assert isinstance(kept, int)


def test_nothing_is_kept_as_nothing() -> None:
    """A time or a cost that is not known is NULL, not zero."""
    assert Instant().process_bind_param(None, DIALECT) is None
    assert Instant().process_result_value(None, DIALECT) is None
    assert Money().process_bind_param(None, DIALECT) is None
    assert Money().process_result_value(None, DIALECT) is None


def test_no_table_makes_a_validator_before_it_is_asked_for() -> None:
    """Each start of a command would wait for all of them."""
    tables = Stored.__subclasses__()
    assert {table.__name__ for table in tables} >= {"Batch", "Job", "Decision", "JobTally"}
    assert [table for table in tables if table.__pydantic_complete__] == []
    assert {mapper.class_ for mapper in SQLModel._sa_registry.mappers} == set(tables)
