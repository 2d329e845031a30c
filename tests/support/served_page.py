"""A page that listens, over a table with pictures on disk, and a client that has come by the link."""

import hashlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
from PIL import Image

from jobs.states import JobState, Move
from jobs.views import ArtifactView, BatchView, RunView
from runner.clock import Clock, SystemClock
from runner.page.access.session import Rights
from runner.page.server import ServedPage, serving
from tests.support.tables import NIGHT, Table, opened_table, picture


@dataclass
class Served:
    """The page, its table, its output folder, and what it reported."""

    page: ServedPage
    table: Table
    root: Path
    client: httpx.AsyncClient
    reported: list[Exception] = field(default_factory=list)
    run: RunView | None = None
    settled: int = 0
    """How often a person was about to decide about a doubt."""
    settling: Callable[[], Awaitable[None]] | None = None
    """What happens then."""
    key: str | None = None

    async def settle(self, _batch: BatchView) -> None:
        """As the journal would."""
        self.settled += 1
        if self.settling is not None:
            await self.settling()

    @property
    def headers(self) -> dict[str, str]:
        """What the page's own requests have."""
        return {"origin": self.page.origin}

    @property
    def acting(self) -> dict[str, str]:
        """What those have that change something."""
        return self.headers | ({} if self.key is None else {"x-nightsheet-key": self.key})

    async def enter(self, link: str | None = None) -> httpx.Response:
        """Use a link, a new one if none is given."""
        secret = (self.page.link() if link is None else link).partition("#")[2]
        answered = await self.client.post("/enter", json={"link": secret}, headers=self.headers)
        self.key = answered.json().get("key", self.key)
        return answered

    async def act(self, act: str, told: Any, batch: str = "night") -> httpx.Response:
        """Ask for an act, as the page does."""
        return await self.client.post(f"/api/{batch}/{act}", json=told, headers=self.acting)

    async def json(self, path: str) -> Any:
        """What a path answers."""
        response = await self.client.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    def picture_of(self, path: Path, data: bytes) -> ArtifactView:
        """What the table has of a file."""
        sha256 = hashlib.sha256(data).hexdigest()
        return picture(path=str(path), sha256=sha256, bytes=len(data))

    async def shoot(self, key: str, data: bytes | None = None, **changes: Any) -> ArtifactView:
        """Let a job have a picture that lies in the output folder, and succeed."""
        data = png() if data is None else data
        path = self.root / "night" / key / "01.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        job_id = await self.table.bring(key, JobState.FETCHING)
        job = await self.table.store.jobs.open_job(job_id)
        assert job is not None
        made = replace(self.picture_of(path, data), **changes)
        await self.table.store.ledger.record_image(job_id, job.attempt_id, made)
        await self.table.move(key, Move.FETCHED)
        return made


class SteppedClock:
    """A clock that a test moves. Whoever sleeps sleeps until then."""

    def __init__(self) -> None:
        self.cpu_seconds = 0.0
        self._at = 0.0
        self._moved = anyio.Event()

    def now(self) -> datetime:
        return NIGHT + timedelta(seconds=self._at)

    def cpu(self) -> float:
        return self.cpu_seconds

    def monotonic(self) -> float:
        return self._at

    async def sleep(self, seconds: float) -> None:
        end = self._at + seconds
        while self._at < end:
            await self._moved.wait()

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self._at += seconds
        self._moved.set()
        self._moved = anyio.Event()


def png(colour: tuple[int, int, int] = (200, 60, 40), size: tuple[int, int] = (600, 300)) -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


@asynccontextmanager
async def served_page(
    folder: Path, *keys: str, clock: Clock | None = None, rights: Rights = Rights.DECIDE, port: int = 0
) -> AsyncIterator[Served]:
    """A page over a batch of these keys. Its client has not entered yet."""
    root = folder / "outputs"
    root.mkdir(exist_ok=True)
    reported: list[Exception] = []
    found: list[Served] = []

    async def active_run(_batch: BatchView) -> RunView | None:
        return found[0].run

    async with (
        opened_table(folder / "night.db", *keys) as table,
        serving(
            table.store,
            lambda _batch: root,
            clock or SystemClock(),
            active_run=active_run,
            command=lambda *words: " ".join(("nightsheet", *words)),
            report=reported.append,
            port=port,
            rights=rights,
            settle=lambda batch: found[0].settle(batch),
            folder=folder,
            usual={"concurrency": 8, "rate": None, "budget": None},
        ) as page,
        httpx.AsyncClient(base_url=page.origin, trust_env=False) as client,
    ):
        found.append(Served(page, table, root, client, reported))
        yield found[0]
