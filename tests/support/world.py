"""A run's Context over a real database, with a scripted provider, a mocked net and virtual time."""

import io
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import httpx
from anyio.streams.memory import MemoryObjectReceiveStream
from PIL import Image

from jobs.outcomes import Accepted
from jobs.sheets.images.way import Way
from jobs.sheets.planned import PlannedJob
from jobs.states import JobState
from jobs.store.sqlite.database import open_database
from jobs.store.store import Store
from jobs.views import JobView, OpenJob, QueuedJob
from jobs.workload import Workload
from runner.downloads.disk import Disk, LocalDisk
from runner.environment import Environment
from runner.events.observer import Progress
from runner.http.image_client import ImageClient
from runner.http.url_policy import ImageUrlPolicy
from runner.lifecycle.approve import Approval
from runner.lifecycle.build import build
from runner.lifecycle.order import Order, Resources, Scope
from runner.limits.brake import Brake, Stop
from runner.limits.guards import GuardLimits
from runner.limits.health import Health
from runner.planning.consent import agreed_to_all
from runner.providers.connect import Api
from runner.providers.runcomfy.endpoint import DEFAULT_BASE, IMAGE_HOSTS
from runner.recovery.file_watch import FileWatch
from runner.recovery.healing import Healing
from runner.recovery.journal import open_journal
from runner.recovery.journal_format import Header
from runner.recovery.journal_places import Places, new_name, places_of
from runner.recovery.recover import Recovered
from runner.settings import Settings
from runner.uploads.object_store import Bucket
from runner.workers.context import Context
from runner.workers.poll import watch
from runner.workers.tuning import Tuning
from tests.support.scripted import PRICE, ScriptedProvider
from tests.support.tables import ESTIMATE, MODEL, ORIGIN, SHEET, claimed, rows, select
from tests.support.virtual_time import VirtualClock
from tests.support.warm import prepare_database


def leftovers(folder: Path) -> list[Path]:
    """What unfinished downloads have left behind."""
    return list(folder.rglob("*.part"))


GUARDS = GuardLimits(canary=0)
"""As by default, but for the canaries: most tests want all of their jobs in flight at once."""

UPLOADS = {Way.REFUSE: "refuse", Way.INSIDE: "data-uri", Way.STORE: "memory://bucket"}


@dataclass(frozen=True, slots=True)
class _Notices:
    """An observer that keeps what a person would read."""

    texts: list[str]

    def progress(self, progress: Progress) -> None:
        """Nobody asks for it."""

    def notice(self, text: str) -> None:
        self.texts.append(text)


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
    places: Places
    """Of the journals."""

    @property
    def store(self) -> Store:
        return self.run.store

    @property
    def path(self) -> Path:
        return self.store.database.path

    async def job(self, key: str = "a") -> JobView:
        """A job as it stands."""
        found = await self.store.jobs.by_key(self.run.batch.id, key)
        assert found is not None
        return found

    async def queued(self, key: str = "a") -> QueuedJob:
        """A job that may be claimed."""
        ever = datetime.max.replace(tzinfo=UTC)
        found = await self.store.jobs.queued(self.run.batch.id, limit=1000, now=ever)
        return next(job for job in found if job.key == key)

    async def running(self, key: str = "a") -> OpenJob:
        """A job that the API has."""
        found = await self.store.jobs.open_job((await self.job(key)).id)
        assert found is not None
        return found

    async def states(self) -> dict[str, JobState]:
        """Where every job stands, by key."""
        return {job.key: job.state async for job in self.store.jobs.each(self.run.batch.id)}

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
    **said: Any,
) -> AsyncIterator[World]:
    """A batch of these jobs, queued and agreed to, and a run as `build` wires it. `said` are settings."""
    clock, rng = VirtualClock(), random.Random(7)
    provider = ScriptedProvider(clock)
    notices: list[str] = []
    stops: list[Stop] = []
    settings = Settings(
        db=folder / "night.db",
        output_dir=folder / "outputs",
        submit_gate=gate,
        guard_failures=guard_limits.failures_in_a_row,
        guard_window=guard_limits.window,
        guard_window_percent=guard_limits.window_percent,
        guard_unconfirmed=guard_limits.unconfirmed,
        guard_unconfirmed_percent=guard_limits.unconfirmed_percent,
        canary=guard_limits.canary,
        canary_above=guard_limits.canary_above,
        upload=UPLOADS[way],
        **said,
    )
    prepare_database(folder / "night.db")
    async with open_database(folder / "night.db") as database:
        store = Store(database, clock.now)
        batch, _report = await store.batches.load(
            name="night", sheet=SHEET, origin=ORIGIN, planned=planned or rows(*keys)
        )
        await store.batches.agree(batch.id)
        brake = Brake(stops.append)
        health = Health(
            provider,
            MODEL,
            clock,
            rng,
            brake,
            outage_limit=settings.outage_limit,
            notice=notices.append,
            ask_first=ask_first,
        )
        environment = Environment({}, folder, clock, rng, probe)
        order = Order(store, batch, settings, environment, agreed_to_all, _Notices(notices))
        tuning = Tuning(slots, rate, budget)
        approval = Approval(batch, tuning, {MODEL: PRICE}, Decimal(0), unpriced=0, resubmits_left=0)
        record = await store.track_records.of(batch.id, ended=guard_limits.remembered)
        scope = Scope(Recovered(0, Healing(), [], []), None, Workload(), (), record)
        api = Api(provider, DEFAULT_BASE, ORIGIN, lambda: None)
        client = ImageClient(ImageUrlPolicy.of(DEFAULT_BASE, IMAGE_HOSTS), transport=httpx.MockTransport(net))
        send, ready = anyio.create_memory_object_stream[OpenJob](64)
        places = await places_of(store, batch, settings, environment.state_folder)
        header = Header(await store.witness.database_uid(), str(database.path), "here", ORIGIN, clock.now())
        journal = open_journal(
            places, new_name(places, clock.now(), random.Random(1)), header, notices.append
        )
        with journal as opened, send, ready:
            resources = Resources(opened, FileWatch(database.path), client, disk or LocalDisk(), bucket, send)
            account = await store.accounts.enter(api.account, batch.id)
            run = build(order, api, brake, health, approval, scope, resources, None, account)
            yield World(run, clock, provider, ready, notices, stops, places)


@asynccontextmanager
async def at_the_api(folder: Path, **options: Any) -> AsyncIterator[tuple[World, OpenJob]]:
    """A job that was accepted just now."""
    async with world(folder, "a", **options) as w:
        job = await w.queued()
        w.run.limits.budget.reserve(ESTIMATE)
        assert await w.store.jobs.claim(claimed(job.id, w.clock.now(), ESTIMATE))
        assert await w.store.jobs.apply(Accepted(job.id, "req-1", w.clock.now()))
        yield w, await w.running()


async def watch_to_its_pictures(w: World, job: OpenJob) -> None:
    """Watch a job, which must come to the end that everybody hopes for."""
    done = await watch(w.run, job)
    assert done is not None
    assert done.state is JobState.FETCHING
