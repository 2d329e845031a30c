"""Large tables, made without a night: rows as a sheet has them, the first of them sent and done."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.peers.calls import MODEL
from jobs.sheets.planned import PlannedJob
from jobs.store.open import open_store

AT = datetime(2026, 11, 20, 22, tzinfo=UTC)
_DONE = (
    "UPDATE job SET state = 'succeeded', attempts = 1, finished_at = :at, submitted_at = :at"
    " WHERE id <= :done"
)
_ATTEMPTS = (
    "INSERT INTO attempt (uid, job_id, number, payload_sha256, started_at, answered_at, outcome, request_id,"
    " automatic, estimate_usd)"
    " SELECT printf('%032x', id), id, 1, :sha, :at, :at, 'accepted', printf('done-%08d', id), 0, 40000"
    " FROM job WHERE id <= :done"
)


def planned(rows: int) -> Iterator[PlannedJob]:
    """Rows that were checked."""
    for number in range(rows):
        yield PlannedJob(
            position=number,
            row=number + 2,
            key=f"row-{number}",
            fingerprint=hashlib.sha256(b"%d" % number).hexdigest(),
            model=MODEL,
            inputs={"prompt": prompt(number), "size": "2048x2048"},
            columns={"note": f"n{number}"},
            warnings=(),
            pictures=1,
        )


def prompt(number: int) -> str:
    """What row `number` says."""
    return f"Pier number {number} in the fog, long exposure, film grain"


async def make(database: Path, rows: int, *, done: int, origin: str) -> None:
    """A batch of so many rows, agreed to, of which the first `done` have succeeded."""
    async with open_store(database, lambda: AT, create=True) as store:
        batch, _report = await store.batches.load(
            name="large", sheet=database.with_name("large.csv"), origin=origin, planned=planned(rows)
        )
        await store.batches.agree(batch.id)
    said = {"at": AT.isoformat(timespec="microseconds"), "done": done, "sha": "5" * 64}
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(_DONE, said)
        connection.execute(_ATTEMPTS, said)
    async with open_store(database, lambda: AT) as store:
        await store.counts.recount(batch.id)  # what was written past the store is not counted
