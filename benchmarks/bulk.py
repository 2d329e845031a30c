"""What a large table costs as a whole: `python -m benchmarks.bulk`.

Load rows that were checked, find what is next in a table that is half done, count, export: the store against
the usual way (a SQLModel table, lists of objects). Each in a process of its own, so that its peak is its own.
And the real command: from the start of `resume` to its first submit, on the same table.
"""

import argparse
import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks import large, sample_pictures
from benchmarks.child import measured, nightsheet, python
from benchmarks.loopback import Loopback, Service, loopback
from benchmarks.peers.orm import Tasks, engine_of
from benchmarks.rounds import Column, Row, by_turns, options, tell
from benchmarks.throughput import environment
from jobs.manifests import FORMATS, write_export
from jobs.store.open import open_store
from runner.http.api_url import origin

MEGABYTE = 1_000_000
OURS, USUAL = "nightsheet.db", "tasks.db"
NEXT = 200
"""How many jobs a run reads ahead."""
RESUMED = 20
COLUMNS = (Column("ms", "ms", 1, ratio=True), Column("peak_mb", "MB", 0))

Step = Callable[[Path, int], Coroutine[Any, Any, float]]


def _now() -> datetime:
    return datetime.now(UTC)


# -- ours --


async def _load(folder: Path, rows: int) -> float:
    async with open_store(folder / "loaded.db", _now, create=True) as store:
        begun = time.perf_counter()
        await store.batches.load(
            name="large", sheet=folder / "large.csv", origin="benchmark", planned=large.planned(rows)
        )
        return time.perf_counter() - begun


async def _next(folder: Path, rows: int) -> float:
    async with open_store(folder / OURS, _now) as store:
        batch = await store.batches.named(None)
        begun = time.perf_counter()
        found = await store.jobs.queued(batch.id, limit=NEXT)
        seconds = time.perf_counter() - begun
    assert len(found) == min(NEXT, rows - rows // 2)
    return seconds


async def _counts(folder: Path, rows: int) -> float:
    async with open_store(folder / OURS, _now) as store:
        batch = await store.batches.named(None)
        begun = time.perf_counter()
        counts = await store.jobs.counts(batch.id)
        seconds = time.perf_counter() - begun
    assert sum(counts.values()) == rows
    return seconds


async def _export(folder: Path, rows: int) -> float:
    path = folder / "large.jsonl"
    async with open_store(folder / OURS, _now) as store:
        batch = await store.batches.named(None)
        begun = time.perf_counter()
        await write_export(store, batch, FORMATS["jsonl"], path)
        seconds = time.perf_counter() - begun
    _check_lines(path, rows)
    return seconds


# -- the usual way --


@asynccontextmanager
async def _tasks(path: Path) -> AsyncIterator[Tasks]:
    engine = engine_of(path)
    try:
        yield Tasks(engine)
    finally:
        await engine.dispose()


async def _usual_load(folder: Path, rows: int) -> float:
    async with _tasks(folder / "loaded-tasks.db") as tasks:
        await tasks.create()
        begun = time.perf_counter()
        await tasks.load(large.planned(rows))
        return time.perf_counter() - begun


async def _usual_next(folder: Path, rows: int) -> float:
    async with _tasks(folder / USUAL) as tasks:
        begun = time.perf_counter()
        found = await tasks.queued(NEXT)
        seconds = time.perf_counter() - begun
    assert len(found) == min(NEXT, rows - rows // 2)
    return seconds


async def _usual_counts(folder: Path, rows: int) -> float:
    async with _tasks(folder / USUAL) as tasks:
        begun = time.perf_counter()
        counts = await tasks.counts()
        seconds = time.perf_counter() - begun
    assert sum(counts.values()) == rows
    return seconds


async def _usual_export(folder: Path, rows: int) -> float:
    path = folder / "tasks.jsonl"
    async with _tasks(folder / USUAL) as tasks:
        begun = time.perf_counter()
        await tasks.export(path)
        seconds = time.perf_counter() - begun
    _check_lines(path, rows)
    return seconds


def _check_lines(path: Path, rows: int) -> None:
    with path.open("rb") as file:
        assert sum(1 for _line in file) == rows


STEPS: dict[str, tuple[Step, Step]] = {
    "load": (_usual_load, _load),
    "the next 200": (_usual_next, _next),
    "counts": (_usual_counts, _counts),
    "export": (_usual_export, _export),
}


# -- each in a process --


def _in_a_process(folder: Path, what: str, way: int, rows: int) -> dict[str, float]:
    told = ("--do", what, "--way", str(way), "--folder", str(folder), "--rows", str(rows))
    ended = measured(python("-m", "benchmarks.bulk", *told), folder / "out")
    for path in folder.glob("loaded*"):
        path.unlink()
    return {"ms": float(ended.output) * 1000, "peak_mb": ended.peak_bytes / MEGABYTE}


def _resumed(folder: Path, server: Loopback) -> dict[str, float]:
    """`resume --limit 20`: until its first submit, and until it has ended."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        own = Path(name)
        shutil.copy(folder / OURS, own / OURS)
        server.begin(Service())
        begun = time.monotonic()
        command = nightsheet(
            *("resume", "--yes", "--quiet", "--limit", str(RESUMED), "--poll-min", "0.05"),
            *("--db", str(own / OURS), "--output-dir", str(own / "outputs")),
        )
        ended = measured(command, own / "out", environment(server.base, own))
        seen = server.figures()
    assert seen.jobs == RESUMED
    return {
        "first_ms": (seen.first_at - begun) * 1000,
        "all_ms": ended.seconds * 1000,
        "cpu_ms": ended.cpu_seconds * 1000,
        "peak_mb": ended.peak_bytes / MEGABYTE,
    }


async def _make_usual(folder: Path, rows: int) -> None:
    engine = engine_of(folder / USUAL)
    tasks = Tasks(engine)
    await tasks.create()
    await tasks.load(large.planned(rows))
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE task SET state = 'succeeded', finished_at = created_at WHERE id <= :done"),
            {"done": rows // 2},
        )
    await engine.dispose()


def main() -> None:
    """Measure each operation in both ways, then `resume`."""
    parser = options("bulk", __doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--do", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--way", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.do:
        print(asyncio.run(STEPS[given.do][given.way](given.folder, given.rows)))
        return
    with (
        tempfile.TemporaryDirectory() as name,
        loopback(sample_pictures.write(Path(name), "small")) as server,
    ):
        folder = Path(name)
        done = given.rows // 2
        asyncio.run(large.make(folder / OURS, given.rows, done=done, origin=origin(server.base)))
        asyncio.run(_make_usual(folder, given.rows))
        tables: list[tuple[str, list[Row], tuple[Column, ...]]] = []
        for what in STEPS:
            cases = {
                told: partial(_in_a_process, folder, what, way, given.rows)
                for way, told in enumerate(("objects of SQLModel", "nightsheet"))
            }
            tables.append((f"{what}, {given.rows:,} rows", by_turns(cases, given.rounds), COLUMNS))
        resumed = by_turns({f"resume --limit {RESUMED}": partial(_resumed, folder, server)}, given.rounds)
        columns = (
            Column("first_ms", "ms to its first submit", 0),
            Column("all_ms", "ms in all", 0),
            Column("cpu_ms", "CPU ms", 0),
            Column("peak_mb", "MB", 0),
        )
        tables.append((f"the real command, {given.rows:,} rows, half of them done", resumed, columns))
    tell(given.json, tables)


if __name__ == "__main__":
    main()
