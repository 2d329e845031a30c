"""Whole runs over a sheet, against an emulator in this process, in virtual time: its ledger is the oracle."""

import hashlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from jobs.states import JobState
from runner.emulator.faults.faults import Fault
from runner.emulator.http.app import create_app
from runner.emulator.service.journal import MemoryJournal
from runner.emulator.service.service import EmulatorService
from runner.emulator.settings import EmulatorSettings
from runner.environment import Environment
from runner.events.observer import Progress
from runner.events.report import RunReport
from runner.lifecycle.order import LoadOptions
from runner.planning.consent import Consent, agreed_to_all
from runner.planning.selection import WHOLE, Selection
from runner.run import resume_batch, run_sheet
from runner.settings import Settings
from tests.support.in_process import InProcess
from tests.support.tables import select
from tests.support.virtual_time import VirtualClock

TOKEN = "canary-night-token"
BASE = "http://127.0.0.1:8188/v1"
SINGLE = "bytedance/seedream-4-5/text-to-image"
SERIES = "bytedance/seedream-4-5/sequential"


@dataclass
class Watching:
    """Somebody who looks on, and remembers."""

    notices: list[str] = field(default_factory=list)
    progresses: list[Progress] = field(default_factory=list)

    def progress(self, progress: Progress) -> None:
        self.progresses.append(progress)

    def notice(self, text: str) -> None:
        self.notices.append(text)


@dataclass
class Night:
    """A folder, an API, and the runs over it."""

    folder: Path
    clock: VirtualClock
    service: EmulatorService
    transport: InProcess
    watching: Watching
    probe: Callable[[str], None] = lambda _name: None
    sqlite_version: tuple[int, int, int] | None = None

    @property
    def database(self) -> Path:
        return self.folder / "night.db"

    def sheet(self, rows: int, name: str = "sheet.csv", *, series_every: int = 3) -> Path:
        """Write a sheet: single pictures, and now and then a series of two. Prompts name their rows."""
        lines = ["id,model,prompt,count"]
        for row in range(rows):
            series = row % series_every == 0
            lines.append(f"row-{row},{SERIES if series else SINGLE},A boat no. {row},{2 if series else ''}")
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n")
        return path

    def settings(self, **more: Any) -> Settings:
        given: dict[str, Any] = {"db": self.database, "output_dir": self.folder / "outputs"}
        given["canary"] = 0  # most tests want all of their jobs in flight at once
        return Settings(**(given | more))

    @property
    def environment(self) -> Environment:
        env = {"RUNCOMFY_MODEL_API_BASE": BASE, "RUNCOMFY_API_TOKEN": TOKEN}
        return Environment(
            env,
            self.folder,
            self.clock,
            random.Random(11),
            self.probe,
            transport=self.transport,
            sqlite_version=self.sqlite_version,
        )

    async def run(
        self,
        sheet: Path,
        consent: Consent = agreed_to_all,
        *,
        selection: Selection = WHOLE,
        prune: bool = False,
        dedupe: bool | None = None,
        **settings: Any,
    ) -> RunReport:
        """`nightsheet run SHEET`."""
        return await run_sheet(
            sheet,
            LoadOptions(prune=prune, dedupe=dedupe),
            settings=self.settings(**settings),
            environment=self.environment,
            consent=consent,
            observer=self.watching,
            selection=selection,
        )

    async def resume(
        self,
        consent: Consent = agreed_to_all,
        *,
        name: str | None = None,
        selection: Selection = WHOLE,
        **settings: Any,
    ) -> RunReport | None:
        """`nightsheet resume [BATCH]`."""
        return await resume_batch(
            name,
            settings=self.settings(**settings),
            environment=self.environment,
            consent=consent,
            observer=self.watching,
            selection=selection,
        )

    def jobs(self) -> list[dict[str, Any]]:
        """Every job as it is on disk."""
        return select(self.database, "SELECT * FROM job ORDER BY id")

    def states(self) -> Counter[JobState]:
        return Counter(JobState(job["state"]) for job in self.jobs())

    def submits(self) -> Counter[str]:
        """How often each prompt was accepted."""
        return Counter(str(submit.body["prompt"]) for submit in self.service.ledger)

    def everything_once(self, rows: int) -> None:
        """Asserts that each row was accepted once, and came home."""
        assert self.states() == {JobState.SUCCEEDED: rows}
        assert self.submits() == {f"A boat no. {row}": 1 for row in range(rows)}
        assert self.pictures_whole() == sum(submit.draw.pictures for submit in self.service.ledger)

    def manifest(self, batch: str = "sheet") -> list[dict[str, Any]]:
        """The records that the last run wrote."""
        text = (self.folder / "outputs" / batch / "manifest.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def pictures_whole(self, batch: str = "sheet") -> int:
        """Checks every picture that the manifest names; returns how many there are."""
        whole = 0
        for record in self.manifest(batch):
            for image in record["images"]:
                data = (self.folder / "outputs" / batch / image["path"]).read_bytes()
                assert (len(data), hashlib.sha256(data).hexdigest()) == (image["bytes"], image["sha256"])
                whole += 1
        return whole


@asynccontextmanager
async def night(
    folder: Path, *, faults: Sequence[Fault] = (), look_seconds: float = 5.0, **settings: Any
) -> AsyncIterator[Night]:
    """A night before its first run. `settings` are the emulator's; its wall clock is its own.

    A run looks into the table once a second, an idle one too: most of what a quiet hour takes here.
    `look_seconds` are for those who do not wait for it.
    """
    clock = VirtualClock()
    chosen: dict[str, Any] = {"speed": 1.0, "picture_scale": 1 / 64, "faults": tuple(faults)}
    service = EmulatorService(EmulatorSettings(**(chosen | settings)), VirtualClock(), MemoryJournal("nonce"))
    transport = InProcess(create_app(service), clock.monotonic)
    try:
        with (
            mock.patch("runner.lifecycle.supervise.LOOK_SECONDS", look_seconds),
            mock.patch("runner.workers.queue._LOOK_AGAIN_SECONDS", look_seconds),
        ):
            yield Night(folder, clock, service, transport, Watching())
    finally:
        await transport.aclose()
