"""How long a start takes that holds a large table against its journal: `python -m benchmarks.journal`.

A night that sent so many rows was killed, and has left a table and a journal, with a copy. Measured are a
start after that night, which reads what the two were not known to agree on; the start after it, which knows
that they do; one that finds no note of it, as of a night of an earlier version; and one of another database,
which looks whether its rows were paid for there.
"""

import argparse
import asyncio
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from benchmarks.child import measured, python
from jobs.store.open import open_store
from jobs.submit_record import Answered, SettledTo, SubmitEnd, SubmitRecord
from runner.recovery.elsewhere import paid_by_journals
from runner.recovery.healing import heal
from runner.recovery.journal_format import END_BYTES, Header, end_room, header_line, record_line
from runner.recovery.journal_places import Places, beside, folder_of, new_name

ORIGIN = "https://model-api.runcomfy.net"
AT = datetime(2026, 11, 20, 22, tzinfo=UTC)
MEGABYTE = 1_000_000
_ASKED = 1000
_UNNOTED = 1064
"""Submits of the night since its last note, at most: `SETTLED_AFTER`, and those of 64 workers."""
_ATTEMPT = (
    "INSERT INTO attempt (uid, job_id, number, payload_sha256, started_at, outcome, request_id, automatic)"
    " VALUES (?, ?, 1, ?, ?, 'accepted', ?, 0)"
)
_JOB = (
    "INSERT INTO job (id, key, folder, position, row, fingerprint, available_at, created_at, finished_at,"
    " batch_id, revision, generation, current, agreed, turn, model, inputs, pictures, columns, warnings,"
    " state, attempts, failed_runs, authorised, cancel_requested, unproven)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1, 1, 1, 0, 0, 'm', '{}', 1, '{}', '[]',"
    " 'succeeded', 1, 0, 0, 0, 0)"
)


def records(rows: int) -> Iterator[SubmitRecord]:
    """The submits of the night, all accepted."""
    for number in range(rows):
        end = SubmitEnd(Answered.ACCEPTED, AT, f"{number:08x}-0000-4000-8000-000000000000")
        uid, fingerprint = f"{number:032x}", f"{number:064x}"
        yield SubmitRecord(
            uid, fingerprint, "night", f"row-{number}", "5" * 64, AT, number, Decimal("0.04"), end
        )


async def make(folder: Path, rows: int) -> None:
    """The table and the journal of the night, and the journal's copy."""
    database = folder / "nightsheet.db"
    async with open_store(database, lambda: AT, create=True) as store:
        await store.batches.load(name="night", sheet=folder / "night.csv", origin=ORIGIN, planned=[])
        uid = await store.witness.database_uid()
    at = AT.isoformat(timespec="microseconds")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(
            _JOB,
            (
                (n + 1, one.key, one.key, n, n + 2, one.fingerprint, at, at, at)
                for n, one in enumerate(records(rows))
            ),
        )
        connection.executemany(
            _ATTEMPT,
            ((one.uid, n + 1, one.payload_sha256, at, one.receipt) for n, one in enumerate(records(rows))),
        )
    places = _places(folder, uid)
    name = new_name(places, AT, random.Random(1))  # noqa: S311 - a file's name
    settled = 0
    for place in places.folders:
        place.mkdir(parents=True)
        with (place / name).open("wb") as file:
            file.write(header_line(Header(uid, str(database), "here", ORIGIN, AT)))
            for number, one in enumerate(records(rows)):
                if number == rows - _UNNOTED:
                    settled = file.tell()
                assert one.end is not None
                file.write(record_line(one)[: -END_BYTES - 1] + (end_room(one.end) or b"") + b"\n")
    async with open_store(database, lambda: AT) as store:
        await store.witness.settle_journal_to(name, SettledTo(settled))


def forget(folder: Path) -> None:
    """Take away what the table knows of its journals."""
    with closing(sqlite3.connect(folder / "nightsheet.db")) as connection, connection:
        connection.execute("DELETE FROM settledjournal")


async def start(folder: Path) -> None:
    """What a start does with the journal, before it does anything else."""
    async with open_store(folder / "nightsheet.db", lambda: AT) as store:
        places = _places(folder, await store.witness.database_uid())
        healing = await heal(store, places, AT)
        assert healing.sentences() == []


def elsewhere(folder: Path) -> None:
    """What a start of another database does with it: a sheet of new rows, and of some that were paid for."""
    paid = paid_by_journals(folder / "new.db", None, ORIGIN, folder / "state", AT)
    for number in range(_ASKED):
        assert len(paid.get(f"{number:064x}", ())) == 1
        assert not paid.get(f"{number:063x}-", ())


def _places(folder: Path, uid: str) -> Places:
    return Places(beside(folder / "nightsheet.db"), folder_of(folder / "state", ORIGIN) / uid)


def _measured(folder: Path, what: str) -> tuple[float, int]:
    """Seconds and peak of one of them in a process of its own, without what Python and its modules take."""
    out = folder / "out"
    ended = measured(python("-m", "benchmarks.journal", "--do", what, "--folder", str(folder)), out)
    return float(ended.output), ended.peak_bytes


def main() -> None:
    """Measure the four."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.journal", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--do", choices=["start", "elsewhere"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.do:
        begun = time.perf_counter()
        if given.do == "start":
            asyncio.run(start(given.folder))
        else:
            elsewhere(given.folder)
        sys.stdout.write(str(time.perf_counter() - begun))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(make(folder, given.rows))
        size = sum(path.stat().st_size for path in folder.rglob("*.journal") if path.is_file())
        print(f"{given.rows:>9,} submits, {size / MEGABYTE:.0f} MB of journals, {os.cpu_count()} cores")
        for what, told in (
            ("start", "the start after the night"),
            ("start", "the next start"),
            ("start", "a start without a note"),
            ("elsewhere", "a start of another database"),
        ):
            if "without" in told:
                forget(folder)
            seconds, peak = _measured(folder, what)
            print(f"          {told:27} {seconds:7.2f} s, {peak / MEGABYTE:.0f} MB")


if __name__ == "__main__":
    main()
