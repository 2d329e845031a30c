"""A job table on disk, with a clock that stands still, and short ways to every state of a job."""

import asyncio
import hashlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import uuid4

import anyio
from anyio.abc import TaskGroup
from sqlalchemy.exc import IntegrityError

from jobs.failures import Failure, FailureKind
from jobs.outcomes import (
    Accepted,
    Attached,
    Cancelled,
    Claimed,
    Discarded,
    Fetched,
    FetchFailed,
    LeftUnconfirmed,
    Linked,
    LinksExpired,
    NotAccepted,
    Outcome,
    Refused,
    RemoteCancelled,
    RemoteDone,
    RemoteFailed,
    Reopened,
    Requeued,
    Resubmitted,
    Unsendable,
)
from jobs.problems import Problem
from jobs.sheets.planned import PlannedJob
from jobs.states import JobState, Move
from jobs.store.sql.transactions import Database
from jobs.store.sqlite.database import open_database
from jobs.store.store import Store
from jobs.views import ArtifactView, BatchView, JobView, LoadReport
from tests.support.postgres import open_on_server, run, stand_in
from tests.support.warm import prepare_database

T = TypeVar("T")
BROKEN_RULE = (sqlite3.IntegrityError, IntegrityError)
"""What a constraint raises, of either database."""
NIGHT = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
ORIGIN = "https://api.example"
MODEL = "bytedance/seedream-4-5/text-to-image"
SHEET = Path("/sheets/night.csv")
ESTIMATE = Decimal("0.12")

WAYS: dict[JobState, tuple[Move, ...]] = {
    JobState.QUEUED: (),
    JobState.SUBMITTING: (Move.CLAIM,),
    JobState.RUNNING: (Move.CLAIM, Move.ACCEPTED),
    JobState.FETCHING: (Move.CLAIM, Move.ACCEPTED, Move.REMOTE_DONE),
    JobState.SUCCEEDED: (Move.CLAIM, Move.ACCEPTED, Move.REMOTE_DONE, Move.FETCHED),
    JobState.FAILED: (Move.CLAIM, Move.ACCEPTED, Move.REMOTE_DONE, Move.FETCH_FAILED),
    JobState.CANCELLED: (Move.CANCEL,),
    JobState.UNCONFIRMED: (Move.CLAIM, Move.UNCONFIRMED),
}
"""How a job that is queued gets into each state."""


class WallClock:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.at = NIGHT

    def now(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at


def planned(
    key: str, position: int = 0, *, prompt: str = "a fox", pictures: int = 1, **more: Any
) -> PlannedJob:
    """A row of a sheet. Another key or `prompt` makes another fingerprint: rows that say the same are given
    one."""
    given: dict[str, Any] = {
        "row": position + 2,
        "fingerprint": hashlib.sha256(f"{prompt} in {key}".encode()).hexdigest(),
        "model": MODEL,
        "inputs": {"prompt": prompt, "size": "2048x2048"},
        "columns": {},
        "warnings": (),
    }
    return PlannedJob(position=position, key=key, pictures=pictures, **(given | more))


def rows(*keys: str, prompt: str = "a fox") -> list[PlannedJob]:
    """A sheet with these keys, in this order."""
    return [planned(key, position, prompt=prompt) for position, key in enumerate(keys)]


def picture(number: int = 1, **changes: Any) -> ArtifactView:
    """A picture that is on disk."""
    given: dict[str, Any] = {
        "path": f"/outputs/night/a/{number:02d}.png",
        "url": f"https://pictures.example/{number}.png",
        "sha256": f"{number:064x}",
        "bytes": 1000 + number,
        "width": 2048,
        "height": 1024,
        "content_type": "image/png",
    }
    return ArtifactView(number=number, **(given | changes))


def failure(
    kind: FailureKind = FailureKind.REMOTE_FAILED, message: str = "why", code: str | None = "c1"
) -> Failure:
    """A failure with a message and a code, so that a test sees whether both are kept."""
    return Failure(kind, message, code)


def claimed(job_id: int, at: datetime = NIGHT, estimate_usd: Decimal | None = ESTIMATE) -> Claimed:
    """The intent to submit a job."""
    return Claimed(job_id, uuid4().hex, "5" * 64, at, estimate_usd)


def outcome_of(move: Move, job_id: int, *, request_id: str = "req-1", at: datetime = NIGHT) -> Outcome:
    """An ordinary outcome for each move but the claim, which has a method of its own."""
    made: dict[Move, Outcome] = {
        Move.UNSENDABLE: Unsendable(job_id, failure(FailureKind.REFUSED), at),
        Move.LINK: Linked(job_id, (), at),
        Move.ACCEPTED: Accepted(job_id, request_id, at),
        Move.NOT_ACCEPTED: NotAccepted(job_id, at, at, "busy"),
        Move.REFUSED: Refused(job_id, failure(FailureKind.REFUSED), at),
        Move.UNCONFIRMED: LeftUnconfirmed(job_id, failure(FailureKind.UNCONFIRMED), at),
        Move.REMOTE_DONE: RemoteDone(job_id, ("https://pictures.example/1.png",), Decimal("0.04")),
        Move.REMOTE_FAILED: RemoteFailed(job_id, failure(), None, at),
        Move.REMOTE_CANCELLED: RemoteCancelled(job_id, failure(FailureKind.CANCELLED), at),
        Move.LINKS_EXPIRED: LinksExpired(job_id),
        Move.FETCHED: Fetched(job_id, (), at),
        Move.FETCH_FAILED: FetchFailed(job_id, failure(FailureKind.BAD_PICTURE), at),
        Move.CANCEL: Cancelled(job_id, failure(FailureKind.CANCELLED), at),
        Move.ATTACH: Attached(job_id, request_id, at),
        Move.RESUBMIT: Resubmitted(job_id, at),
        Move.DISCARD: Discarded(job_id, failure(FailureKind.DISCARDED), at),
        Move.REOPEN: Reopened(job_id, at),
        Move.REQUEUE: Requeued(job_id, at),
    }
    return made[move]


def select(path: Path, statement: str, *values: Any) -> list[dict[str, Any]]:
    """What is on disk, seen by a connection that is none of ours."""
    if (url := stand_in(path)) is not None:
        return run(url, statement, *values)
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(statement, values)]


def tamper(path: Path, statement: str) -> None:
    """Write as another program does, by a connection that is none of ours."""
    if (url := stand_in(path)) is not None:
        run(url, statement)
        return
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


@dataclass
class Table:
    """A store with one batch, "night"."""

    store: Store
    clock: WallClock
    batch: BatchView

    @property
    def path(self) -> Path:
        return self.store.database.path

    async def load(self, sheet: Iterable[PlannedJob | Problem]) -> LoadReport:
        """Load a sheet into the batch."""
        self.batch, report = await self.store.batches.load(
            name="night", sheet=SHEET, origin=ORIGIN, planned=sheet
        )
        return report

    async def job(self, key: str) -> JobView:
        """The newest revision of a key."""
        found = await self.store.jobs.by_key(self.batch.id, key)
        assert found is not None
        return found

    async def move(self, key: str, *moves: Move) -> int:
        """Make moves, each of which must succeed; returns the job's id."""
        job_id = (await self.job(key)).id
        for move in moves:
            if move is Move.CLAIM:
                await self.store.batches.agree(self.batch.id)
                assert await self.store.jobs.claim(claimed(job_id, self.clock.at)) is not None
            else:
                outcome = outcome_of(move, job_id, request_id=f"req-{key}", at=self.clock.at)
                assert await self.store.jobs.apply(outcome), move
        return job_id

    async def bring(self, key: str, state: JobState) -> int:
        """Bring a queued job into `state`; returns its id."""
        return await self.move(key, *WAYS[state])

    def row(self, job_id: int) -> dict[str, Any]:
        """A job's row, as it is on disk."""
        (row,) = select(self.path, "SELECT * FROM job WHERE id = ?", job_id)
        return row

    def attempts(self, job_id: int) -> list[dict[str, Any]]:
        """A job's attempts, as they are on disk."""
        return select(self.path, "SELECT * FROM attempt WHERE job_id = ? ORDER BY number", job_id)

    def everything(self) -> list[list[dict[str, Any]]]:
        """Every row of every table."""
        names = ("batch", "job", "attempt", "artifact", "run", "decision", "reroll", "action")
        return [select(self.path, f"SELECT * FROM {name} ORDER BY id") for name in names]


@asynccontextmanager
async def opened_table(path: Path, *keys: str) -> AsyncIterator[Table]:
    """A table with a batch of these keys, queued."""
    async with opened_database(path) as database:
        yield await new_table(database, *keys)


@asynccontextmanager
async def opened_database(path: Path) -> AsyncIterator[Database]:
    """An empty database: the file, or what stands for it on the server of this test."""
    if (url := stand_in(path, make=True)) is not None:
        async with open_on_server(url, path) as database:
            yield database
    else:
        prepare_database(path)
        async with open_database(path) as database:
            yield database


async def new_table(database: Database, *keys: str) -> Table:
    """The same over an open database."""
    clock = WallClock()
    store = Store(database, clock.now)
    batch, _ = await store.batches.load(name="night", sheet=SHEET, origin=ORIGIN, planned=rows(*keys))
    return Table(store, clock, batch)


async def hold_writes(database: Database, tasks: TaskGroup) -> threading.Event:
    """Keep the writing connection busy until the event is set: what follows has to share a commit."""
    gate = Gate(lambda _connection: None)
    tasks.start_soon(database.write, gate)
    await gate.entered.wait()
    return gate.opened


class Gate(Generic[T]):
    """An operation that keeps its connection's thread until it is let through, and then does `then`."""

    def __init__(self, then: Callable[[Any], T]) -> None:
        self.entered = anyio.Event()
        self.opened = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._then = then

    def __call__(self, connection: Any) -> T:
        self._loop.call_soon_threadsafe(self.entered.set)
        assert self.opened.wait(60)
        return self._then(connection)
