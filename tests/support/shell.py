"""The command line in this process and in virtual time: each command as a person types it, one after another.

Time goes on from command to command. The API is an emulator in this process, whose ledger is the oracle.
"""

import asyncio
import os
import random
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import pytest

from runner.cli import app
from runner.emulator.http.app import create_app
from runner.emulator.service.journal import MemoryJournal
from runner.emulator.service.service import EmulatorService
from runner.emulator.settings import EmulatorSettings
from runner.environment import Environment
from tests.support.in_process import InProcess
from tests.support.night import BASE, TOKEN
from tests.support.virtual_time import START, run_virtual

T = TypeVar("T")
KILLED = -9


class Killed(BaseException):
    """The process ends here."""


class OneClock:
    """A clock over many event loops, one after another."""

    def __init__(self) -> None:
        self.before = 0.0

    def cpu(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        try:
            return self.before + asyncio.get_running_loop().time()
        except RuntimeError:  # between two loops
            return self.before

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


@dataclass
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str


@dataclass
class Shell:
    """A folder, an API, and a person at the keyboard."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    clock: OneClock = field(default_factory=OneClock)
    offline: bool = False
    probe: Callable[[str], None] = lambda _name: None

    def __post_init__(self) -> None:
        settings = EmulatorSettings(speed=1.0, picture_scale=1 / 64, median_seconds=8.0)
        self.service = EmulatorService(settings, self.clock, MemoryJournal("nonce"))

    @property
    def database(self) -> Path:
        return self.folder / "nightsheet.db"

    def run(self, *arguments: str) -> Ran:
        """Run one command to its end, or until it is killed."""
        self.capsys.readouterr()
        code = KILLED
        with self._surroundings(), mock.patch.object(sys, "argv", ["nightsheet", *arguments]):
            try:
                app.main()
            except SystemExit as ended:
                code = int(str(ended.code))
            except BaseException as error:
                if "Killed" not in repr(error):
                    raise
        out, err = self.capsys.readouterr()
        return Ran(code, out, err)

    @contextmanager
    def _surroundings(self) -> Iterator[None]:
        transport = InProcess(create_app(self.service), self.clock.monotonic)
        transport.offline = self.offline
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("NIGHT", "RUNCOMFY"))
        }
        env = kept | {"RUNCOMFY_MODEL_API_BASE": BASE, "RUNCOMFY_API_TOKEN": TOKEN, "HOME": str(self.folder)}
        environment = partial(Environment, rng=random.Random(5), probe=self.probe, transport=transport)
        before = Path.cwd()
        with ExitStack() as stack:
            stack.enter_context(mock.patch.dict(os.environ, env, clear=True))
            stack.enter_context(mock.patch("runner.cli.steps.open.Environment", environment))
            stack.enter_context(mock.patch("runner.cli.steps.open.SystemClock", return_value=self.clock))
            stack.enter_context(mock.patch("anyio.run", partial(self._in_virtual_time, transport)))
            os.chdir(self.folder)
            stack.callback(os.chdir, before)
            yield

    def _in_virtual_time(self, transport: InProcess, body: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async def main() -> T:
            loop = asyncio.get_running_loop()
            try:
                return await body()
            finally:
                await transport.aclose()
                passed.append(loop.time())

        passed: list[float] = []
        try:
            return run_virtual(main)
        finally:
            self.clock.before += sum(passed)
