"""A run's Context over a real database, with a scripted provider, a mocked net and virtual time."""

import io
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import httpx
from anyio.streams.memory import MemoryObjectReceiveStream
from PIL import Image

from jobs.outcomes import Accepted, Claimed
from jobs.paths import DEFAULT_TEMPLATE
from jobs.sheets.images.album import Way
from jobs.sheets.planned import PlannedJob
from jobs.states import JobState
from jobs.store.database import open_database
from jobs.store.door import Store
from jobs.views import JobView, OpenJob, QueuedJob
from runner.downloads.disk import Disk, LocalDisk
from runner.downloads.download import Downloads
from runner.http.image_client import ImageClient
from runner.http.url_policy import ImageUrlPolicy
from runner.limits.brake import Brake, Stop
from runner.limits.budget import Budget
from runner.limits.clock_jump import ClockJumpDetector
from runner.limits.guards import GuardLimits, Guards
from runner.limits.health import Health
from runner.limits.throttle import Throttle
from runner.providers.runcomfy.endpoint import DEFAULT_BASE, IMAGE_HOSTS
from runner.recovery.spool import open_spool
from runner.uploads.object_store import Bucket
from runner.uploads.uploader import Uploader
from runner.workers.context import Context, Limits
from runner.workers.poll import watch
from runner.workers.queue import JobQueue
from tests.support.scripted import PRICE, ScriptedProvider
from tests.support.tables import ESTIMATE, MODEL, ORIGIN, SHEET, rows, select
from tests.support.virtual_time import VirtualClock
from tests.support.warm import prepare_database


def leftovers(folder: Path) -> list[Path]:
    """What unfinished downloads have left behind."""
    return list(folder.rglob("*.part"))


LIMITS = Limits(
    poll_min=1.0,
    poll_max=5.0,
    deadline=3600.0,
    outage_limit=1800.0,
    max_attempts=1,
    name_template=DEFAULT_TEMPLATE,
    keep_bad=False,
)
"""What the settings say where nobody says anything."""

GUARDS = GuardLimits()

Net = Callable[[httpx.Request], httpx.Response]
"""What the pictures' hosts answer; may raise what httpx raises."""


@cache
def png(seed: int = 0) -> bytes:
    """A small picture, another one for each seed."""
    buffer = io.BytesIO()
    Image.frombytes("L", (8, 8), bytes((n * 31 + seed) % 256 for n in range(64))).save(buffer, "PNG")
    return buffer.getvalue()


def pictures(request: httpx.Request) -> httpx.Response:
    """A net where every address has a picture of its own."""
    return httpx.Response(200, content=png(sum(map(ord, str(request.url)))))


@dataclass(frozen=True)
class World:
    """A run that has not begun."""

    run: Context
    clock: VirtualClock
    provider: ScriptedProvider
    ready: MemoryObjectReceiveStream[OpenJob]
    """Where the jobs go whose pictures are ready."""
    notices: list[str]
    stops: list[Stop]

    @property
    def store(self) -> Store:
        return self.run.store

    @property
    def path(self) -> Path:
        return self.store.database.path

    async def job(self, key: str = "a") -> JobView:
        """A job as it stands."""
        found = await self.store.by_key(self.run.batch.id, key)
        assert found is not None
        return found

    async def queued(self, key: str = "a") -> QueuedJob:
        """A job that may be claimed."""
        ever = datetime.max.replace(tzinfo=UTC)
        found = await self.store.queued(self.run.batch.id, limit=1000, now=ever)
        return next(job for job in found if job.key == key)

    async def running(self, key: str = "a") -> OpenJob:
        """A job that the API has."""
        found = await self.store.open_job((await self.job(key)).id)
        assert found is not None
        return found

    async def states(self) -> dict[str, JobState]:
        """Where every job stands, by key."""
        return {job.key: job.state async for job in self.store.jobs(self.run.batch.id)}

    def on_disk(self, key: str = "a") -> dict[str, Any]:
        """A job's row, as a connection sees it that is none of ours."""
        (row,) = select(self.path, "SELECT * FROM job WHERE key = ?", key)
        return row

    def attempts(self, key: str = "a") -> list[dict[str, Any]]:
        """A job's attempts, likewise."""
        wanted = "SELECT attempt.* FROM attempt JOIN job ON job.id = job_id WHERE key = ? ORDER BY number"
        return select(self.path, wanted, key)


@asynccontextmanager
async def world(
    folder: Path,
    *keys: str,
    gate: int = 4,
    slots: int = 8,
    rate: float | None = None,
    budget: Decimal | None = None,
    net: Net = pictures,
    disk: Disk | None = None,
    probe: Callable[[str], None] = lambda _name: None,
    ask_first: bool = False,
    guard_limits: GuardLimits = GUARDS,
    way: Way = Way.REFUSE,
    bucket: Bucket | None = None,
    planned: Sequence[PlannedJob] | None = None,
    **limits: Any,
) -> AsyncIterator[World]:
    """A batch of these jobs, queued and agreed to. `limits` are fields of `Limits` that differ from usual."""
    clock, rng = VirtualClock(), random.Random(7)
    provider = ScriptedProvider(clock)
    notices: list[str] = []
    stops: list[Stop] = []
    chosen = replace(LIMITS, **limits)
    policy = ImageUrlPolicy.of(DEFAULT_BASE, IMAGE_HOSTS)
    prepare_database(folder / "night.db")
    async with open_database(folder / "night.db") as database:
        store = Store(database, clock.now)
        batch, _report = await store.load(
            name="night", sheet=SHEET, origin=ORIGIN, planned=planned or rows(*keys)
        )
        await store.agree(batch.id)
        brake = Brake(stops.append)
        health = Health(
            provider,
            MODEL,
            clock,
            rng,
            brake,
            outage_limit=chosen.outage_limit,
            notice=notices.append,
            ask_first=ask_first,
        )
        throttle = Throttle(clock, rng, brake, health, gate=gate, rate=rate, outage_limit=chosen.outage_limit)
        guards = Guards(guard_limits, brake, total=len(keys), proven=False)
        send, ready = anyio.create_memory_object_stream[OpenJob](64)
        with open_spool(database.path) as spool, send, ready:
            yield World(
                Context(
                    batch=batch,
                    store=store,
                    provider=provider,
                    clock=clock,
                    rng=rng,
                    limits=chosen,
                    brake=brake,
                    health=health,
                    throttle=throttle,
                    budget=Budget(budget, Decimal(0), {MODEL: PRICE}),
                    guards=guards,
                    slots=anyio.CapacityLimiter(slots),
                    source=JobQueue(store, batch.id, brake, clock, guards),
                    references=Uploader(
                        store,
                        clock,
                        rng,
                        brake,
                        notices.append,
                        deadline=chosen.deadline,
                        outage_limit=chosen.outage_limit,
                        way=way,
                        bucket=bucket,
                    ),
                    spool=spool,
                    downloads=Downloads(
                        ImageClient(policy, transport=httpx.MockTransport(net)),
                        folder / "outputs",
                        clock,
                        disk or LocalDisk(),
                    ),
                    to_fetch=send,
                    notice=notices.append,
                    gap=ClockJumpDetector(clock, lambda seconds: notices.append(f"gap {seconds:g}")),
                    probe=probe,
                ),
                clock,
                provider,
                ready,
                notices,
                stops,
            )


@asynccontextmanager
async def at_the_api(folder: Path, **options: Any) -> AsyncIterator[tuple[World, OpenJob]]:
    """A job that was accepted just now."""
    async with world(folder, "a", **options) as w:
        job = await w.queued()
        w.run.budget.reserve(ESTIMATE)
        assert await w.store.claim(Claimed(job.id, "5" * 64, w.clock.now(), ESTIMATE))
        assert await w.store.apply(Accepted(job.id, "req-1", w.clock.now()))
        yield w, await w.running()


async def watch_to_its_pictures(w: World, job: OpenJob) -> None:
    """Watch a job, which must come to the end that everybody hopes for."""
    done = await watch(w.run, job)
    assert done is not None
    assert done.state is JobState.FETCHING
