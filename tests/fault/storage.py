"""A night over a disk that fails at one place, what must be true right after it, and a run that ends it.

The emulator's ledger is the oracle.
"""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

from jobs.errors import NightsheetError
from jobs.states import JobState
from jobs.store.sqlite.database import open_database
from tests.support.fuse import Fuse
from tests.support.journals import receipts
from tests.support.night import Night, night
from tests.support.tables import select
from tests.support.virtual_time import run_virtual

ROWS = 2
"""One picture, and a series."""

Breaking = Callable[[Fuse], AbstractContextManager[None]]

_IN_DOUBT = {JobState.SUBMITTING, JobState.UNCONFIRMED}


def empty_database(folder: Path) -> Path:
    """A database as it is before anything is loaded, to be copied."""

    async def make() -> None:
        async with open_database(folder / "empty.db"):
            pass

    run_virtual(make)
    return folder / "empty.db"


def search(
    folder: Path,
    breaking: Breaking,
    *,
    for_ever: bool,
    first: int = 1,
    step: int = 1,
    most: int = 100_000,
    new: bool = False,
) -> int:
    """Break the k-th operation of a night, for each k from `first` on until a night has not as many.

    Returns how many nights were broken, `most` at the most. With `new`, the database is made in the broken
    night as well.
    """
    empty = empty_database(folder)
    nights = 0
    while nights < most:
        fuse = Fuse(first + nights * step, for_ever)
        place = folder / f"at-{fuse.at}"
        place.mkdir()
        if not new:
            shutil.copy(empty, place / "night.db")
        run_virtual(lambda place=place, fuse=fuse: _night(place, breaking, fuse))  # type: ignore[misc]
        shutil.rmtree(place)
        if not fuse.out:
            break
        nights += 1
    return nights


async def _night(folder: Path, breaking: Breaking, fuse: Fuse) -> None:
    where = f"operation {fuse.at}, {'for ever' if fuse.for_ever else 'once'}"
    async with night(folder, look_seconds=20.0, median_seconds=5.0) as w:
        sheet = w.sheet(ROWS)
        with fuse.until_mended(), breaking(fuse):
            try:
                report = await w.run(sheet)
                told = f"exit {report.exit_code}"
            except Exception as error:
                if not _is_ours(error):
                    raise AssertionError(f"{where}: {error!r}") from error
                told = repr(error)
        assert not [notice for notice in w.watching.notices if "defect" in notice], (
            where,
            w.watching.notices,
        )
        where += f" ({told})"
        nothing_paid_twice(w, where)
        nothing_lost(w, where)
        report = await w.run(sheet)
        nothing_paid_twice(w, where)
        ended(w, where)
        w.pictures_whole()
        if not w.states()[JobState.UNCONFIRMED]:
            assert report.exit_code == 0, where
            w.everything_once(ROWS)


def _is_ours(error: BaseException) -> bool:
    """Whether the command line tells it as a sentence, with an exit code of its own."""
    if isinstance(error, BaseExceptionGroup):
        return all(_is_ours(inner) for inner in error.exceptions)
    return isinstance(error, NightsheetError) and error.exit_code == 73


def nothing_paid_twice(w: Night, where: str) -> None:
    """By the word of the API."""
    assert max(w.submits().values(), default=0) <= 1, where


def nothing_lost(w: Night, where: str) -> None:
    """What the API took is in the table or in the journal, and the table is sound."""
    with closing(sqlite3.connect(w.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], where
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == [], where
    kept = _held(w) | receipts(w.folder)
    assert {submit.request_id for submit in w.service.ledger} <= kept, where


def ended(w: Night, where: str) -> None:
    """Every row has come home, but those whose intent is on disk and whose POST never left."""
    for job in w.jobs():
        prompt = json.loads(job["inputs"])["prompt"]
        assert job["state"] in (JobState.SUCCEEDED, JobState.UNCONFIRMED), (where, job)
        # What the API has taken is never in doubt: its receipt was kept somewhere.
        assert (job["state"] == JobState.SUCCEEDED) is (w.submits()[prompt] == 1), (where, job)


def _held(w: Night) -> set[str]:
    if not select(w.database, "SELECT 1 FROM sqlite_master WHERE name = 'attempt'"):
        return set()
    return {
        attempt["request_id"]
        for attempt in select(w.database, "SELECT request_id FROM attempt WHERE request_id IS NOT NULL")
    }
