"""A night that is recorded, under strace: `python -m` this module, `FOLDER ROWS FILE [SEED]`.

It runs in virtual time, and its disk is real. What leaves for the API is a system call as well, on a path
that is nowhere, so that the order of writes, syncs and submits is one. With a seed it runs without threads,
and does the same things in the same order whoever records it.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import httpx

from tests.simulation.images.disk import Log
from tests.simulation.images.strace import TRACED, Told, ops_of
from tests.simulation.serial import run_serial
from tests.support.in_process import InProcess
from tests.support.night import Night, night
from tests.support.virtual_time import LIMIT_SECONDS, run_virtual
from tests.support.warm import discard

ROOT = Path(__file__).parents[3]
_TOLD = Told("/nightsheet/ready", "/nightsheet/submit/", "/nightsheet/question/")
_LIMIT_SECONDS = 120.0
_FSYNC = os.fsync


@dataclass(frozen=True, slots=True)
class Recording:
    """What a night did to its disk and to the API, in order."""

    folder: Path
    log: Log
    opened: dict[str, Any]
    submits: tuple[dict[str, Any], ...]
    """The API's own events: how it began, and what it accepted."""

    def events(self, moment: int) -> list[dict[str, Any]]:
        """The API's history of what had left by then: that arrives, whatever comes of its sender."""
        left = self.log.submitted(moment)
        return [self.opened, *(event for event in self.submits if event["body"]["prompt"] in left)]


def record(root: Path, rows: int, seed: int | None = None) -> Recording:
    """Run a night under strace, in `root`."""
    folder, calls, told = root / "night", root / "strace", root / "events.json"
    folder.mkdir()
    chosen = [str(folder), str(rows), str(told), *([] if seed is None else [str(seed)])]
    recorded = subprocess.Popen(
        [sys.executable, "-m", "tests.simulation.images.recording", *chosen],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert recorded.stdout is not None
    assert recorded.stdout.readline() == "ready\n", recorded.communicate()[1]
    tracer = subprocess.Popen(
        [*("strace", "-f", "-qq", "-p", str(recorded.pid), "-o", str(calls)), *TRACED],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _out, err = recorded.communicate("", timeout=_LIMIT_SECONDS)
        assert recorded.returncode == 0, err
    finally:
        recorded.kill()
        tracer.communicate(timeout=_LIMIT_SECONDS)
    with calls.open() as lines:
        log = Log(tuple(ops_of(lines, folder, _TOLD)))
    opened, *submits = json.loads(told.read_text())
    return Recording(folder, log, opened, tuple(submits))


def _ask_for(path: str) -> None:
    """A system call that says something to who looks on."""
    os.access(path, os.F_OK)


class _Telling(InProcess):
    """Tells of what leaves for the API."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "POST" and "/models/" in path:
            _ask_for(_TOLD.submit + json.loads(await request.aread())["prompt"])
        elif "/requests/" in path:
            _ask_for(_TOLD.question + path.partition("/requests/")[2].partition("/")[0])
        return await super().handle_async_request(request)


async def _live(folder: Path, rows: int) -> list[dict[str, Any]]:
    async with night(folder) as here:
        here.transport.__class__ = _Telling
        await _warmed(here)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        _wait_for_the_tracer()
        _ask_for(_TOLD.ready)
        with mock.patch("runner.lifecycle.supervise.SETTLED_AFTER", 0):  # at every look
            report = await here.run(here.sheet(rows))
        _ask_for(_TOLD.ready)
        here.everything_once(rows)
        assert report.exit_code == 0
        journal: Any = here.service.journal
        return [event for event in journal.events if event["event"] in ("opened", "submit")]


async def _warmed(here: Night) -> None:
    """A night elsewhere, so that everything is imported: what Python reads is in nobody's way then."""
    folder = here.folder.with_name("warm")
    folder.mkdir()
    async with night(folder) as other:
        await other.run(other.sheet(2))
    discard(folder)


def _wait_for_the_tracer() -> None:
    """strace comes from outside: the status of this process says when it is there."""
    while "TracerPid:\t0\n" in Path("/proc/self/status").read_text():
        os.sched_yield()
    sys.stdin.read()


async def _live_with_syncs(folder: Path, rows: int) -> list[dict[str, Any]]:
    """In a loop without threads, which takes the syncs away elsewhere."""
    with mock.patch.object(os, "fsync", _FSYNC):
        return await _live(folder, rows)


def _main(folder: str, rows: str, told: str, seed: str | None = None) -> None:
    if seed is None:
        events = run_virtual(lambda: _live(Path(folder), int(rows)))
    else:
        events = run_serial(
            lambda _loop: _live_with_syncs(Path(folder), int(rows)),
            seed=f"recording {seed}",
            limit_seconds=LIMIT_SECONDS,
        )
    Path(told).write_text(json.dumps(events))


if __name__ == "__main__":
    _main(*sys.argv[1:])
