"""No statement of the store takes time that grows with more than it has to, however large the table is.

Every public method runs over more than a page of rows. What it asks of SQLite is recorded, not copied, and
SQLite tells how it would go about it, with the indexes that the migrations have made.
"""

import asyncio
import inspect
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache, cached_property
from pathlib import Path

import pytest

from jobs.store.part import StorePart
from jobs.store.store import Store
from tests.support.plans import LARGE, Statement, recorded, steps
from tests.support.tables import opened_table
from tests.unit.jobs.store.sqlite.asked import Asked, everything_asked

OFTEN = frozenset(
    {
        "tiles.details",
        *("jobs.claim", "jobs.apply", "jobs.advance", "jobs.succeed", "jobs.queued", "jobs.open_job"),
        *("jobs.ids_in_state", "jobs.places_of"),
        *("jobs.by_key", "jobs.drop_cancel_request", "ledger.record_image", "ledger.images_of"),
        *("ledger.holder_of", "preview.compare", "held.paid_before", "witness.settled", "witness.heal"),
        *("witness.unknown", "tiles.image"),
    }
)
"""What is called for each job, or for each few of them."""
EXCEPTIONS = {
    # Once a start: whether anything was paid for outside of this batch. It stops at the first that was.
    ("held.hold", "SCAN job USING INDEX job_sent"),
    # Each page of a list of old revisions, or of some states, begins at the batch's first row again.
    ("jobs.each", "SEARCH job USING INDEX job_folder (batch_id=?)"),
    ("jobs.each", "SEARCH job USING INDEX job_in_turn (batch_id=? AND state=?)"),
    ("records.pages", "SEARCH job USING INDEX job_folder (batch_id=?)"),
    # The sheet's order is taken for the better one: the whole batch for one key. A person asks, for few keys.
    ("jobs.by_key", "SEARCH job USING INDEX job_in_sheet_order (batch_id=?)"),
    # All linked jobs for each 500 that end: the square of what is linked, which is little in most sheets.
    ("links.settle", "SEARCH job USING INDEX job_by_twin (batch_id=? AND same_as>?)"),
    # Once a start: the newest two thousand attempts, from the end.
    ("track_records.of", "SCAN attempt"),
    # Once a start: the few attempts that these indexes hold.
    ("track_records.of", "SCAN attempt USING INDEX attempt_automatic"),
    ("track_records.of", "SCAN attempt USING INDEX attempt_unanswered"),
    # Twice a start: the first few of those with consent, and of those without, each from the beginning.
    ("selectable.first", "SEARCH job USING INDEX job_in_turn (batch_id=? AND state=? AND agreed=?)"),
    # The table for each submit that it forgot and whose row has another key by now: no index has unsent rows.
    ("witness.heal", "SCAN job USING INDEX job_folder"),
    # Where an account has a limit of its own: the jobs that are at the API now, and the doubts of minutes.
    ("jobs.claim", "SEARCH job USING INDEX job_in_turn (batch_id=? AND state=?)"),
    (
        "jobs.claim",
        "SEARCH job USING INDEX job_unconfirmed (batch_id=? AND submitted_at>? AND submitted_at<?)",
    ),
}
"""By method and SQLite's words: what looks through more than it should, and why that is borne."""
PARENTS = {"batch"}
"""No row of these is ever deleted: nobody is looked for who refers to one."""


@cache
def asked() -> list[Asked]:
    """Everything that the store asks."""
    return asyncio.run(everything_asked())


def flaws(one: Asked) -> list[str]:
    """The steps that look through a table; or through a batch, and that again and again."""
    again = one.times > 1 or one.method in OFTEN
    return [
        step.told for step in one.steps if step.is_scan or (not step.is_narrow and (step.in_loop or again))
    ]


def test_every_method_of_the_store_is_asked() -> None:
    """A new one has to be asked as well, and a name of the list above is that of a method."""
    store = Store(None, None)  # type: ignore[arg-type]  # it is not asked
    named = {
        name: getattr(store, name) for name, kind in vars(Store).items() if isinstance(kind, cached_property)
    }
    parts = {name: part for name, part in named.items() if isinstance(part, StorePart)}
    del parts["runners"]  # a file has none
    methods = {
        f"{name}.{method}"
        for name, part in parts.items()
        for method, _ in inspect.getmembers(type(part), inspect.isfunction)
        if not method.startswith("_")
    }
    assert {one.method for one in asked()} == methods
    assert methods >= OFTEN


def test_no_statement_looks_through_more_than_it_has_to() -> None:
    """Adoption was once the square of its sheet: SQLite took an index by batch for one by fingerprint."""
    found = {(one.method, told): one.text for one in asked() for told in flaws(one)}
    assert {where: text for where, text in found.items() if where not in EXCEPTIONS} == {}


def test_every_exception_is_one() -> None:
    """What is mended leaves the list."""
    assert {(one.method, told) for one in asked() for told in flaws(one)} >= EXCEPTIONS


def test_who_refers_to_a_deleted_row_is_found_by_an_index(tmp_path: Path) -> None:
    """SQLite looks for them at each deletion, and no plan says so: adoption deletes thousands of jobs."""

    async def path() -> Path:
        async with opened_table(tmp_path / "night.db", "a") as table:
            return table.path

    with closing(sqlite3.connect(asyncio.run(path()))) as connection:
        assert [missing for table in LARGE for missing in _unindexed(connection, table)] == []


def _unindexed(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    first = {
        connection.execute(f"PRAGMA index_info({index})").fetchone()[2]
        for _, index, _, _, is_partial in connection.execute(f"PRAGMA index_list({table})")
        if not is_partial or index == "job_by_same_as"  # its condition is that there is somebody to refer to
    }
    for _, _, parent, column, *_ in connection.execute(f"PRAGMA foreign_key_list({table})"):
        if parent not in PARENTS and column not in first:
            yield f"{table}.{column}"


@pytest.mark.parametrize(
    ("text", "is_scan", "is_narrow"),
    [
        ("SELECT 1 FROM job WHERE model = ?", True, False),
        ("SELECT 1 FROM job AS twin WHERE model = ?", True, False),
        ("SELECT 1 FROM job WHERE batch_id = ? AND state = 'queued'", False, False),
        ("SELECT 1 FROM job WHERE batch_id = ? AND same_as IS NOT NULL", False, False),
        ("SELECT 1 FROM job WHERE batch_id = ? AND key = 'a'", False, True),
        ("SELECT 1 FROM job WHERE batch_id = ? AND current = 1 AND position > 7", False, True),
        ("SELECT 1 FROM job WHERE attempts > 0 AND fingerprint = ?", False, True),
        ("UPDATE job SET row = 1 WHERE id = ?", False, True),
    ],
)
async def test_a_plan_is_understood(tmp_path: Path, text: str, is_scan: bool, is_narrow: bool) -> None:
    """By SQLite's words, which another version may choose otherwise."""
    async with opened_table(tmp_path / "night.db", "a") as table:
        (step,) = steps(table.path, Statement(text, ("1",)))
    assert (step.is_scan, step.is_narrow, step.in_loop) == (is_scan, is_narrow, False)


@pytest.mark.parametrize(
    ("condition", "in_loop"),
    [
        ("EXISTS (SELECT 1 FROM attempt WHERE attempt.job_id = job.id)", True),
        ("id IN (SELECT job_id FROM attempt WHERE uid = 'u')", False),
    ],
)
async def test_a_loop_in_a_plan_is_understood(tmp_path: Path, condition: str, in_loop: bool) -> None:
    """What depends on the row outside is done for each row."""
    text = f"SELECT 1 FROM job WHERE batch_id = 1 AND {condition}"
    async with opened_table(tmp_path / "night.db", "a") as table:
        inner = [step for step in steps(table.path, Statement(text, ())) if "attempt" in step.told]
        (of_many,) = steps(table.path, Statement("DELETE FROM job WHERE id = ?", (1,), is_many=True))
    assert [step.in_loop for step in inner] == [in_loop]
    assert of_many.in_loop


def test_statements_are_recorded_with_their_parameters_apart(tmp_path: Path) -> None:
    """Over whatever cursor they run."""
    with recorded() as found, closing(sqlite3.connect(tmp_path / "some.db")) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.cursor().executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
        connection.executemany("INSERT INTO t VALUES (?)", [(3,)])
    create, *inserts = found
    assert create == Statement("CREATE TABLE t (a)", ())
    assert [(one.text, one.parameters, one.is_many) for one in inserts] == [
        ("INSERT INTO t VALUES (?)", (1,), True),
        ("INSERT INTO t VALUES (?)", (3,), True),
    ]
