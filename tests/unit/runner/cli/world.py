"""The command line as a user has it: a folder, a database in it, and what the API would say."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest

from jobs.failures import Failure, FailureKind
from jobs.outcomes import (
    Accepted,
    Fetched,
    FetchFailed,
    LeftUnconfirmed,
    Outcome,
    Refused,
    RemoteDone,
    RemoteFailed,
)
from jobs.sheets.planned import PlannedJob
from jobs.store.sqlite.database import open_database
from jobs.store.store import Store
from jobs.views import ArtifactView, BatchView, JobView
from runner.cli import app
from runner.providers.base import (
    CallFailed,
    CancelTaken,
    CancelVerdict,
    PriceVerdict,
    RemoteStatus,
    RemoteStatusReport,
    StatusVerdict,
)
from tests.support.tables import claimed
from tests.support.warm import prepare_database

T = TypeVar("T")
NOW = datetime(2026, 3, 4, 1, 2, 3, tzinfo=UTC)
SERIES = "bytedance/seedream-4-5/sequential"
TEXT = "bytedance/seedream-4-5/text-to-image"
API = "https://model-api.runcomfy.net:443"
CANCELLED = RemoteStatusReport(RemoteStatus.CANCELLED, "cancelled")


def job(position: int, key: str, *, model: str = SERIES, pictures: int = 2, **more: Any) -> PlannedJob:
    """A row that may be loaded; `inputs`, `columns`, `warnings`, `fingerprint` may be given."""
    inputs = {"prompt": f"Generate images of {key}", "seed": 7 + position}
    return PlannedJob(
        position=position,
        row=position + 2,
        key=key,
        fingerprint=more.get("fingerprint", f"{position:064x}"),
        model=model,
        inputs=more.get("inputs", inputs),
        columns=more.get("columns", {}),
        warnings=more.get("warnings", ()),
        pictures=pictures,
    )


@dataclass
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON document."""
        return json.loads(self.out)


@dataclass
class FakeApi:
    """Answers as it is told, and remembers what it was asked. A cancel that it takes comes about."""

    statuses: dict[str, StatusVerdict] = field(default_factory=dict)
    cancels: dict[str, CancelVerdict] = field(default_factory=dict)
    prices: dict[str, PriceVerdict] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def price(self, model: str) -> PriceVerdict:
        self.asked.append(("price", model))
        return self.prices.get(model, CallFailed("nobody told"))

    def is_handle(self, _text: str) -> bool:
        return True

    async def status(self, request_id: str) -> StatusVerdict:
        is_cancelled = ("cancel", request_id) in self.asked and self.cancels.get(request_id) == CancelTaken()
        self.asked.append(("status", request_id))
        usual = CANCELLED if is_cancelled else CallFailed("nobody told")
        return self.statuses.get(request_id, usual)

    async def cancel(self, request_id: str) -> CancelVerdict:
        self.asked.append(("cancel", request_id))
        return self.cancels.get(request_id, CallFailed("nobody told"))


class World:
    """A folder with a database, and the command line in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.database = folder / "nightsheet.db"
        self.api = FakeApi()
        self._capsys = capsys
        self._patch = patch

    def run(self, *arguments: str) -> Ran:
        """Run the command in this process."""
        self._capsys.readouterr()
        self._patch.setattr(sys, "argv", ["nightsheet", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
        out, err = self._capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Ran(code, out, err)

    def store(self, body: Callable[[Store], Awaitable[T]]) -> T:
        """Do something with the database, made if need be."""

        async def inside() -> T:
            prepare_database(self.database)
            async with open_database(self.database, create=True) as database:
                return await body(Store(database, lambda: NOW))

        return asyncio.run(inside())

    def load(
        self, *planned: PlannedJob, name: str = "night", origin: str = API, dedupe: bool | None = None
    ) -> BatchView:
        """Load a sheet."""

        async def inside(store: Store) -> BatchView:
            batch, _report = await store.batches.load(
                name=name, sheet=self.folder / "night.csv", origin=origin, planned=planned, dedupe=dedupe
            )
            return batch

        return self.store(inside)

    def price(self, usd: str = "0.04", name: str = "night") -> None:
        """The API has told a price."""

        async def inside(store: Store) -> None:
            batch = await store.batches.named(name)
            await store.batches.note_prices(batch.id, {SERIES: Decimal(usd), TEXT: Decimal(usd)})

        self.store(inside)

    def jobs(self, name: str = "night") -> dict[str, JobView]:
        """The jobs of the sheet, by key."""

        async def inside(store: Store) -> dict[str, JobView]:
            batch = await store.batches.named(name)
            return {view.key: view async for view in store.jobs.each(batch.id)}

        return self.store(inside)

    def states(self, name: str = "night") -> dict[str, str]:
        """The jobs' states, by key."""
        return {key: view.state.value for key, view in self.jobs(name).items()}

    def move(
        self, key: str, *moves: Callable[[int], Outcome], estimate: str | None = None, at: datetime = NOW
    ) -> None:
        """Claim a job, and let these happen to it."""

        async def inside(store: Store) -> None:
            batch = await store.batches.named(None)
            await store.batches.agree(batch.id)
            view = await store.jobs.by_key(batch.id, key)
            assert view is not None
            usd = None if estimate is None else Decimal(estimate)
            assert await store.jobs.claim(claimed(view.id, at, usd)) is not None
            for move in moves:
                assert await store.jobs.apply(move(view.id))

        self.store(inside)

    def picture(self, key: str) -> None:
        """Note a picture of a job, in the output folder."""

        async def inside(store: Store) -> None:
            batch = await store.batches.named(None)
            view = await store.jobs.by_key(batch.id, key)
            assert view is not None
            attempt = (await store.ledger.attempts(batch.id))[-1]
            path = str(self.folder / "outputs" / batch.name / key / "01.jpg")
            artifact = ArtifactView(1, path, "https://p/1.jpg", "a" * 64, 10, 2, 3, "image/jpeg")
            await store.ledger.record_image(view.id, attempt.id, artifact)

        self.store(inside)


def accepted(request_id: str, at: datetime = NOW) -> Callable[[int], Outcome]:
    return lambda job_id: Accepted(job_id, request_id, at)


def done(cost: str | None = None) -> Callable[[int], Outcome]:
    usd = None if cost is None else Decimal(cost)
    return lambda job_id: RemoteDone(job_id, ("https://p/1.jpg",), usd)


def fetched(*warnings: str) -> Callable[[int], Outcome]:
    return lambda job_id: Fetched(job_id, warnings, NOW)


def remote_failed(
    kind: FailureKind = FailureKind.REMOTE_FAILED, said: str = "no"
) -> Callable[[int], Outcome]:
    return lambda job_id: RemoteFailed(job_id, Failure(kind, said, "500001"), None, NOW)


def fetch_failed(kind: FailureKind = FailureKind.EXPIRED) -> Callable[[int], Outcome]:
    return lambda job_id: FetchFailed(job_id, Failure(kind, "gone"), NOW)


def refused(said: str = "bad size") -> Callable[[int], Outcome]:
    return lambda job_id: Refused(job_id, Failure(FailureKind.REFUSED, said, "422001"), NOW)


def unanswered(said: str = "The API did not answer in time.") -> Callable[[int], Outcome]:
    return lambda job_id: LeftUnconfirmed(job_id, Failure(FailureKind.UNCONFIRMED, said), NOW)


def ansi(text: str) -> list[str]:
    """The control characters in a text, newlines aside."""
    return [letter for letter in text if letter != "\n" and not letter.isprintable()]
