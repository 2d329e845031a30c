"""What an account's limits cost a job's way through the store: `python -m benchmarks.account_limits`.

Workers take jobs through their life, as `benchmarks.store` does: without a look at the account, as before it
had limits; with one that has none, as most have; and with four that let everything go. By turns, each move
durable, no network and no pictures.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.large import planned
from benchmarks.rounds import Column, by_turns, options, tell
from benchmarks.store import MOVES, Life, measured
from jobs.admission import SubmitTerms
from jobs.outcomes import Accepted, Claimed, Fetched, RemoteDone
from jobs.store.open import open_store

COLUMNS = (
    Column("moves_a_second", "moves/s", 0, ratio=True),
    Column("cpu_us", "CPU us/move", 0, ratio=True),
)
NAME = "https://benchmark.example 0123456789abcdef"
FOUR: Mapping[str, Any] = {
    "in_flight_max": 1000,
    "gate": 1000,
    "per_minute": 1e8,
    "budget": Decimal(1_000_000),
}


@asynccontextmanager
async def our_store(
    limits: Mapping[str, Any] | None, folder: Path, jobs: int
) -> AsyncIterator[tuple[Sequence[int], Life]]:
    """The jobs of a new table, agreed to; None looks at no account."""
    async with open_store(folder / "nightsheet.db", _now, create=True) as store:
        batch, _report = await store.batches.load(
            name="night", sheet=folder / "night.csv", origin="benchmark", planned=planned(jobs)
        )
        await store.batches.agree(batch.id)
        queued = await store.jobs.queued(batch.id, limit=jobs)
        terms: SubmitTerms | None = None
        if limits is not None:
            account = await store.accounts.enter(NAME, batch.id)
            await store.accounts.set_limits(NAME, limits)
            terms = SubmitTerms(account.id, batch.id)

        async def life(job_id: int) -> None:
            claim = Claimed(job_id, uuid4().hex, "5" * 64, _now(), Decimal("0.04"))
            assert await store.jobs.claim(claim, terms)
            assert await store.jobs.apply(Accepted(job_id, f"r{job_id:08d}", _now(), claim.uid))
            done = RemoteDone(job_id, (f"https://pictures.example/{job_id}.png",), Decimal("0.04"))
            assert await store.jobs.apply(done)
            assert await store.jobs.apply(Fetched(job_id, (), _now()))

        yield [job.id for job in queued], life


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    """Measure all three."""
    parser = options("account_limits", __doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the tables are made: the disk counts")
    given = parser.parse_args()
    told = (given.folder, given.jobs, given.workers)
    ways = {"no look at the account": None, "an account without limits": {}, "four limits": FOUR}
    cases = {name: partial(measured, partial(our_store, limits), *told) for name, limits in ways.items()}
    title = f"{given.jobs} jobs, {MOVES} moves each, {given.workers} workers, synchronous=FULL"
    tell(given.json, [(title, by_turns(cases, given.rounds), COLUMNS)])


if __name__ == "__main__":
    main()
