"""What loading a sheet costs on a server: `python -m benchmarks.server_load --postgres URL`.

By turns with a file: rows that are new, the same sheet again, and every row changed. Each round loads a batch
of its own and leaves it there, so the database should be one that is made for this.
"""

import asyncio
import hashlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio

from benchmarks import large
from benchmarks.rounds import Column, Sample, by_turns, options, tell
from jobs.sheets.planned import PlannedJob
from jobs.store.open import open_store
from jobs.store.store import Store

COLUMNS = (
    Column("new", "ms new", 0, ratio=True),
    Column("again", "ms again", 0, ratio=True),
    Column("changed", "ms changed", 0, ratio=True),
)


def _now() -> datetime:
    return datetime.now(UTC)


def _changed(rows: int) -> Iterator[PlannedJob]:
    for job in large.planned(rows):
        said = hashlib.sha256(job.fingerprint.encode()).hexdigest()
        yield job._replace(fingerprint=said, inputs={**job.inputs, "prompt": "another"})


async def _loads(store: Store, folder: Path, rows: int) -> Sample:
    name = f"large-{time.time_ns()}"
    sheets = {"new": large.planned, "again": large.planned, "changed": _changed}
    told = {}
    for what, sheet in sheets.items():
        begun = time.perf_counter()
        await store.batches.load(
            name=name, sheet=folder / f"{name}.csv", origin="benchmark", planned=sheet(rows)
        )
        told[what] = (time.perf_counter() - begun) * 1000
    return told


@asynccontextmanager
async def _in_a_file(folder: Path) -> AsyncIterator[Store]:
    async with open_store(folder / "loaded.db", _now, create=True) as store:
        yield store


@asynccontextmanager
async def _on_a_server(url: str, folder: Path) -> AsyncIterator[Store]:
    from jobs.store.postgres.address import address_of
    from jobs.store.postgres.database import open_postgres

    async with open_postgres(address_of(url), folder / "server.db", anyio.sleep) as database:
        yield Store(database, _now)


def _measured(opened: Callable[[], AbstractAsyncContextManager[Store]], folder: Path, rows: int) -> Sample:
    async def measure() -> Sample:
        async with opened() as store:
            return await _loads(store, folder, rows)

    return asyncio.run(measure())


def main() -> None:
    """Measure both by turns."""
    parser = options("server_load", __doc__)
    parser.add_argument("--postgres", required=True, metavar="URL")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ways = {
            "a file of SQLite": partial(_in_a_file, folder),
            "PostgreSQL": partial(_on_a_server, given.postgres, folder),
        }
        cases = {told: partial(_measured, opened, folder, given.rows) for told, opened in ways.items()}
        tell(given.json, [(f"load {given.rows:,} rows", by_turns(cases, given.rounds), COLUMNS)])


if __name__ == "__main__":
    main()
