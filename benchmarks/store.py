"""How many moves of jobs a second are on disk: `python -m benchmarks.store`.

Workers take jobs through their life: claimed, accepted, done at the API, fetched; each waits until its move
is durable (WAL, synchronous=FULL). The store, by its public methods, against the usual way: a SQLModel
session and a commit for each change. No network, no pictures.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from uuid import uuid4

from benchmarks.large import planned
from benchmarks.peers.orm import Tasks, engine_of
from benchmarks.rounds import Column, by_turns, options, tell
from jobs.outcomes import Accepted, Claimed, Fetched, RemoteDone
from jobs.store.open import open_store

MOVES = 4
COLUMNS = (
    Column("moves_a_second", "moves/s", 0, ratio=True),
    Column("cpu_us", "CPU us/move", 0, ratio=True),
    Column("waited_ms", "wait ms/move", 2),
)

Life = Callable[[int], Awaitable[None]]
"""Takes the job of this id through its life."""
Way = Callable[[Path, int], AbstractAsyncContextManager[tuple[Sequence[int], Life]]]
"""Makes a table of so many jobs in a folder; their ids, and how one lives there."""


@asynccontextmanager
async def our_store(folder: Path, jobs: int) -> AsyncIterator[tuple[Sequence[int], Life]]:
    """The jobs of a new table of ours, agreed to."""
    async with open_store(folder / "nightsheet.db", _now, create=True) as store:
        batch, _report = await store.batches.load(
            name="night", sheet=folder / "night.csv", origin="benchmark", planned=planned(jobs)
        )
        await store.batches.agree(batch.id)
        queued = await store.jobs.queued(batch.id, limit=jobs)

        async def life(job_id: int) -> None:
            claim = Claimed(job_id, uuid4().hex, "5" * 64, _now(), Decimal("0.04"))
            assert await store.jobs.claim(claim)
            assert await store.jobs.apply(Accepted(job_id, f"r{job_id:08d}", _now(), claim.uid))
            done = RemoteDone(job_id, (f"https://pictures.example/{job_id}.png",), Decimal("0.04"))
            assert await store.jobs.apply(done)
            assert await store.jobs.apply(Fetched(job_id, (), _now()))

        yield [job.id for job in queued], life


@asynccontextmanager
async def usual_way(folder: Path, jobs: int) -> AsyncIterator[tuple[Sequence[int], Life]]:
    """The same rows in a table of SQLModel."""
    engine = engine_of(folder / "tasks.db")
    tasks = Tasks(engine)
    await tasks.create()
    await tasks.load(planned(jobs))

    async def life(task_id: int) -> None:
        await tasks.change(task_id, state="submitting")
        await tasks.change(task_id, state="running", request_id=f"r{task_id:08d}")
        await tasks.change(task_id, state="fetching", urls=[f"https://pictures.example/{task_id}.png"])
        await tasks.change(task_id, state="succeeded", finished_at=_now())

    try:
        yield range(1, jobs + 1), life
    finally:
        await engine.dispose()


def _now() -> datetime:
    return datetime.now(UTC)


async def _lives(way: Way, folder: Path, jobs: int, workers: int) -> dict[str, float]:
    async with way(folder, jobs) as (ids, life):
        left = iter(ids)

        async def worker() -> None:
            for job_id in left:
                await life(job_id)

        begun, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(worker() for _ in range(workers)))
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    moves = MOVES * len(ids)
    return {
        "moves_a_second": moves / seconds,
        "cpu_us": cpu / moves * 1_000_000,
        "waited_ms": seconds * workers / moves * 1000,
    }


def measured(way: Way, place: Path | None, jobs: int, workers: int) -> dict[str, float]:
    """All lives of one table, by workers beside each other."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        return asyncio.run(_lives(way, Path(folder), jobs, workers))


def main() -> None:
    """Measure both ways."""
    parser = options("store", __doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the tables are made: the disk counts")
    given = parser.parse_args()
    told = (given.folder, given.jobs, given.workers)
    cases = {
        "a session and a commit each": partial(measured, usual_way, *told),
        "nightsheet": partial(measured, our_store, *told),
    }
    title = f"{given.jobs} jobs, {MOVES} moves each, {given.workers} workers, synchronous=FULL"
    tell(given.json, [(title, by_turns(cases, given.rounds), COLUMNS)])


if __name__ == "__main__":
    main()
