"""The real command as a child process, against an emulator inside the test, whose ledger is the oracle."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import anyio
from anyio import to_thread

from runner.clock import SystemClock
from runner.emulator.http.server import Handle, serve
from runner.emulator.service.service import EmulatorService
from runner.emulator.settings import EmulatorSettings

TOKEN = "canary-7b1c9f-token"
MODELS = (
    "bytedance/seedream-4-5/text-to-image",
    "bytedance/seedream-4-5/sequential",
    "bytedance/seedream-4-0/sequential",
    "bytedance/seedream-4-5/edit-sequential",
)
QUICK = ("--poll-min", "0.02", "--poll-max", "0.1", "--yes")


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder with a sheet, where commands are run against an API."""

    folder: Path
    api: Handle

    @property
    def service(self) -> EmulatorService:
        return self.api.service

    @property
    def env(self) -> dict[str, str]:
        return environment(self.folder, self.api.base_url)

    def start(self, *arguments: str, stdin: IO[bytes] | int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start the command; the caller waits for it."""
        return start(self.folder, self.api.base_url, *arguments, stdin=stdin)

    async def call(self, *arguments: str, piped: Path | None = None) -> Ended:
        """Run the command to its end; `piped` is its standard input."""
        if piped is None:
            return await wait(self.start(*arguments))
        with piped.open("rb") as file:
            return await wait(self.start(*arguments, stdin=file))

    async def status(self) -> dict[str, Any]:
        """What `status --json` says."""
        ended = await self.call("status", "--json")
        assert ended.code == 0, ended.err
        told: dict[str, Any] = json.loads(ended.out)
        return told

    def sheet(self, rows: int, name: str = "sheet.csv", *, changed: Sequence[int] = ()) -> str:
        """Write a sheet over four models; `changed` rows get another prompt. Returns its name."""
        with (self.folder / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "model", "prompt", "count", "images"])
            for row in range(rows):
                model = MODELS[row % len(MODELS)]
                prompt = f"A paper boat, row {row}" + (", in the rain" if row in changed else "")
                count = "" if model.endswith("text-to-image") else "2"
                images = "https://example.com/a.png" if "edit" in model else ""
                writer.writerow([f"row-{row}", model, prompt, count, images])
        return name

    def manifest(self, batch: str = "sheet") -> list[dict[str, Any]]:
        """The records of the manifest that the last run wrote."""
        text = (self.folder / "outputs" / batch / "manifest.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def submits(self) -> Counter[str]:
        """How often each body was accepted: by its prompt, which names the row."""
        return Counter(str(s.body.get("prompt") or s.body.get("text")) for s in self.service.ledger)

    def assert_pictures_whole(self, batch: str = "sheet") -> int:
        """Every picture that the manifest names is there, as long and with the hash that it says."""
        seen = 0
        for record in self.manifest(batch):
            for image in record["images"]:
                data = (self.folder / "outputs" / batch / image["path"]).read_bytes()
                assert len(data) == image["bytes"]
                assert hashlib.sha256(data).hexdigest() == image["sha256"]
                seen += 1
        return seen


@asynccontextmanager
async def desk(folder: Path, **settings: Any) -> AsyncIterator[Desk]:
    """A desk with a fast emulator that draws small pictures."""
    chosen = {"speed": 100.0, "picture_scale": 1 / 16} | settings
    async with serve(EmulatorSettings(**chosen), SystemClock()) as api:
        yield Desk(folder, api)


def environment(folder: Path, base: str) -> dict[str, str]:
    """The variables of a command in `folder`, for the API at `base`, and none of our own from outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NIGHT", "RUNCOMFY"))}
    ours = {"RUNCOMFY_MODEL_API_BASE": base, "RUNCOMFY_API_TOKEN": TOKEN, "HOME": str(folder)}
    return kept | ours | {"NIGHTSHEET_CANARY": "0"}  # most tests want all of their jobs in flight at once


def start(
    folder: Path, base: str, *arguments: str, stdin: IO[bytes] | int = subprocess.DEVNULL
) -> subprocess.Popen[str]:
    """Start the command in `folder`, for the API at `base`; the caller waits for it."""
    return subprocess.Popen(
        [sys.executable, "-m", "runner.cli", *arguments],
        cwd=folder,
        env=environment(folder, base),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def wait(process: subprocess.Popen[str]) -> Ended:
    """Wait for a command, without holding up the emulator in this process."""
    try:
        out, err = await to_thread.run_sync(process.communicate)
    finally:
        process.kill()
    return Ended(process.returncode, out, err)


async def until(true: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Return when `true()`, or when the process has ended, whichever is first."""
    with anyio.fail_after(50):
        # What is waited for lies in another process, which has no event to give.
        while not true() and process.poll() is None:  # noqa: ASYNC110
            await anyio.sleep(0.002)


def interrupt(process: subprocess.Popen[str], number: int = signal.SIGINT) -> None:
    """Send a signal to the command alone."""
    process.send_signal(number)
