"""A machine on which runs live and are killed, the API that outlives them, and the clock of both.

A kill takes every process on the machine with it. The folder is copied at that instant, the tasks of the dead
unwind on the original, which is thrown away, and the copy takes its place: nothing was closed, flushed or
swept.
"""

import asyncio
import contextvars
import random
import shutil
import sqlite3
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.errors import NightsheetError
from jobs.pauses import UNTIL_RESUMED
from runner.emulator.http.app import create_app
from runner.emulator.service.journal import MemoryJournal
from runner.emulator.service.service import EmulatorService
from runner.emulator.settings import EmulatorSettings
from runner.environment import Environment
from runner.events.report import RunReport
from runner.planning.selection import WHOLE, Selection
from runner.settings import Settings
from tests.simulation.committed import Committed
from tests.simulation.disks import KillingDisk
from tests.simulation.gateway import Gateway
from tests.simulation.history import History
from tests.simulation.net import Net
from tests.simulation.process import PROCESS, Crash, Process
from tests.simulation.refs import COLOURS, RefStore, paint
from tests.simulation.schedule import Schedule
from tests.simulation.serial import SerialLoop
from tests.support.night import BASE, SERIES, SINGLE, TOKEN, Night, Watching
from tests.support.virtual_time import VirtualClock
from tests.support.warm import discard, prepare_database

EDIT = "bytedance/seedream-4-5/edit"
_PROBES = {"after commit": "after commit of the answer"}
"""The run's own names of places, where the database has one of that name."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a life ended: with a report, with a sentence for the user, or killed."""

    process: Process
    report: RunReport | None = None
    error: NightsheetError | None = None
    seconds: float = 0.0
    calls: int = 0

    @property
    def killed(self) -> bool:
        return self.process.dead


class World(Night):
    """A night whose machine can be killed. What is drawn while it goes on comes from `dice`."""

    def __init__(self, loop: SerialLoop, folder: Path, plan: Schedule) -> None:
        clock = VirtualClock()
        self.loop = loop
        self.plan = plan
        self.dice = random.Random(f"world {plan.seed}")
        self.history = History(clock.monotonic)
        self.table = Committed(self.history)
        self.api_clock = VirtualClock()
        service = EmulatorService(
            EmulatorSettings(
                **{"speed": 1.0, "picture_scale": 1 / 64, "faults": plan.faults} | plan.emulator
            ),
            self.api_clock,
            MemoryJournal("nonce"),
        )
        links = random.Random(f"net {plan.seed}")
        between = random.Random(f"between {plan.seed}")
        self.gateway = Gateway(create_app(service), plan.gateway, between, self.history.note)
        net = Net(self.gateway, clock.monotonic, links, self.history, self.table)
        net.accepted = lambda: [submit.request_id for submit in service.ledger]
        super().__init__(folder, clock, service, net, Watching())
        self.place = folder
        """Where the database lies: it may be moved between two runs."""
        self.net = net
        net.gate = plan.settings.get("submit_gate", 4)
        net.look_seconds = plan.look_seconds
        net.deduping = plan.copies
        prompts = 1 if plan.copies else plan.rows
        self.rows: dict[str, str] = {f"row-{n}": f"A boat no. {n % prompts}" for n in range(plan.rows)}
        """The sheet: a prompt a key."""
        self.colours: dict[str, str] = {}
        """How the pictures look that rows name, where that is not the first of the colours."""
        self.refs = RefStore(lambda: self.store_trouble)
        self.store_trouble: Exception | None = None
        self.full: set[str] = set()
        """What is out of room: `pictures`, `database`."""
        self.running: Process | None = None
        self.lives = 0
        self.deaths: list[str] = []
        """The points at which the machine died."""
        self.meddled = 0
        """How many commits were none of a run's: a command's."""
        self.orphans: set[Path] = set()
        """Pictures that had their name when the machine died or its database was full: no table knew them."""
        self._settings: dict[str, Settings] = {}
        self._alive: dict[asyncio.Task[Any], Process] = {}
        self._died = asyncio.Event()
        loop.watch = self
        folder.mkdir()
        if not plan.makes_its_database:
            prepare_database(self.database)

    @property
    def database(self) -> Path:
        return self.place / "night.db"

    @property
    def state(self) -> Path:
        """The state folder of all of the user's programs."""
        return self.folder / "state"

    # -- what the loop tells ---------------------------------------------------------------------------------

    def step(self) -> None:
        if self.running is not None:
            self.running.step()

    def refusal(self, process: Process | None) -> sqlite3.Error | None:
        if "database" in self.full and process is not None and process is self.running:
            self.history.note("the database is full")
            process.reached["refusal"] += 1
            return sqlite3.OperationalError("database or disk is full")
        return None

    def committed(self, process: Process | None, connection: sqlite3.Connection) -> None:
        if process is None or not process.dead:
            self.meddled += process is not self.running
            with self.history.watched():
                self.table.look(process, connection)

    # -- lives -----------------------------------------------------------------------------------------------

    def new_disk(self) -> KillingDisk:
        """The disk of a run."""
        return KillingDisk(lambda: "pictures" in self.full)

    def process_environment(self, process: Process) -> Environment:
        """What a process finds around it."""
        env = {"RUNCOMFY_MODEL_API_BASE": BASE, "RUNCOMFY_API_TOKEN": TOKEN}
        return Environment(
            env | {"XDG_STATE_HOME": str(self.state)},
            self.folder,
            self.clock,
            random.Random(f"{self.plan.seed} {process.name}"),
            lambda name: process.reach(_PROBES.get(name, name)),
            transport=self.net,
        )

    @property
    def environment(self) -> Environment:
        process = PROCESS.get()
        assert process is not None
        return self.process_environment(process)

    def settings(self, **more: Any) -> Settings:
        """Made once for each choice: that takes a while."""
        key = repr((self.database, sorted(more.items())))
        if key not in self._settings:
            self._settings[key] = super().settings(**more)
        return self._settings[key]

    def names_a_picture(self, key: str) -> bool:
        """Whether a row of that key names a picture of the machine."""
        return self.plan.upload is not None and int(key.partition("-")[2]) % 2 == 1

    def write_sheet(self) -> Path:
        """The sheet as it is wanted now; every third row is a series, where they are not to be alike.

        Where rows name pictures of the machine, every other one does, and these lie there as they should.
        """
        lines = ["id,model,prompt,count,images"]
        for key, prompt in self.rows.items():
            if self.names_a_picture(key):
                cell = paint(self.folder, key, self.colours.get(key, COLOURS[0]))
                lines.append(f"{key},{EDIT},{prompt},,{cell}")
                continue
            series = int(key.partition("-")[2]) % 3 == 0 and not self.plan.copies
            lines.append(f"{key},{SERIES if series else SINGLE},{prompt},{2 if series else ''},")
        path = self.folder / "sheet.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    async def live(
        self, crash: Crash | None = None, *, resume: bool = False, part: Selection = WHOLE, **settings: Any
    ) -> Ended:
        """One run, from its start to its end or to its death at `crash`. `resume` needs no sheet."""
        self.lives += 1
        process = Process(f"run {self.lives}", crash, self._on_death, decides=not resume, runs=True)
        begun, calls = self.clock.monotonic(), len(self.transport.calls)
        self.history.note(f"{process.name} begins; {crash or 'no crash'}{f'; {part}' if part else ''}")
        self.watching = Watching()
        chosen = {"upload": self.plan.upload} | self.plan.settings | settings
        if resume:
            work: Coroutine[Any, Any, RunReport | None] = self.resume(selection=part, **chosen)
        else:
            dedupe = True if self.plan.copies else None
            sheet = self.write_sheet()
            work = self.run(sheet, selection=part, prune=self.plan.prunes, dedupe=dedupe, **chosen)
        self.running = process
        try:
            result = await self._in(process, work)
        finally:
            self.running = None
        ended = Ended(
            process,
            result if isinstance(result, RunReport) else None,
            result if isinstance(result, NightsheetError) else None,
            self.clock.monotonic() - begun,
            len(self.transport.calls) - calls,
        )
        code = ended.report.exit_code if ended.report else type(ended.error).__name__
        self.history.note(f"{process.name} ends: {'killed' if ended.killed else code}")
        return ended

    async def order(self, number: int, work: Coroutine[Any, Any, Any], *, runs: bool = False) -> None:
        """A command of a person, in a process of its own. What it refuses, it refuses."""
        process = Process(f"order {number}", None, self._on_death, decides=True, runs=runs)
        result = await self._in(process, work)
        if isinstance(result, NightsheetError):
            self.history.note(f"{process.name} is refused: {type(result).__name__}")

    async def _in(self, process: Process, work: Coroutine[Any, Any, Any]) -> Any:
        await self._up()
        if process.runs and process.decides and self.table.paused in UNTIL_RESUMED:
            process.held = self.table.pauses
        context = contextvars.copy_context()
        context.run(PROCESS.set, process)
        task = asyncio.create_task(_caught(work), context=context)
        self._alive[task] = process
        dying = asyncio.create_task(self._died.wait())
        try:
            await asyncio.wait((task, dying), return_when=asyncio.FIRST_COMPLETED)
            if not process.dead:
                return task.result()
            await self._buried(task)
            return None
        finally:
            dying.cancel()
            del self._alive[task]
            if self._died.is_set() and not self._alive:
                self._rise()
            await self._up()

    @property
    def is_run(self) -> bool:
        """Whether a process is at work that may submit."""
        return any(process.runs and not process.dead for process in self._alive.values())

    async def alone(self) -> None:
        """Return when no process is at work any more."""
        while self._alive:  # noqa: ASYNC110 - in virtual time
            await asyncio.sleep(1.0)

    async def _up(self) -> None:
        """Return when the machine is up: not while the dead are still unwinding."""
        while self._died.is_set():  # noqa: ASYNC110 - a new event takes this one's place
            await asyncio.sleep(1.0)

    def _on_death(self, process: Process) -> None:
        self.deaths.append("" if process.crash is None else process.crash.point)
        shutil.copytree(self.folder, self._grave)
        for other in self._alive.values():
            other.dead = True
        process.dead = True
        self._died.set()

    async def _buried(self, task: asyncio.Task[Any]) -> None:
        """Let a dead process's tasks unwind, on a disk that nobody will look at."""
        for _again in range(60):
            task.cancel()
            done, _pending = await asyncio.wait((task,), timeout=60.0)
            if done:
                if not task.cancelled():
                    task.exception()
                return
        raise AssertionError("a dead process does not let go")

    @property
    def _grave(self) -> Path:
        return self.folder.with_name("killed")

    def _rise(self) -> None:
        """The machine starts again, with the disk as it was when it died."""
        self.loop.forsake()
        discard(self.folder)
        self._grave.rename(self.folder)
        self._died = asyncio.Event()


async def _caught(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await work
    except NightsheetError as error:
        return error
