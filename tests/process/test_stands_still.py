"""A process that stands still for longer than any of its timeouts (SIGSTOP, a frozen machine) loses nothing.

The API answers while the process is stopped, so that its answers lie in the sockets, unread.
"""

import os
import signal
import subprocess
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from runner.http.deadline import GRACE_SECONDS
from tests.support.broken_api import BrokenApi, Held, broken_api
from tests.support.command import QUICK, start, until, wait
from tests.support.tables import select

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not hasattr(os, "waitid"), reason="needs POSIX job control"),
]

ROWS = 8
GATE = 4
TIMEOUT_SECONDS = 2.0
"""Of a submit and of each free call: a busy machine needs no longer for an answer that is there."""
IDLE_SECONDS = 30.0
"""Of a download."""


async def _stands_still(process: subprocess.Popen[str], held: Held, api: BrokenApi, seconds: float) -> None:
    """Stop the process; have all held answers sent; let it go on after so many seconds."""
    process.send_signal(signal.SIGSTOP)
    # Not `waitpid`: it would take the process's end from Popen.
    await to_thread.run_sync(os.waitid, os.P_PID, process.pid, os.WSTOPPED)
    waiting = held.waiting
    held.free.set()
    await until(lambda: held.answered == waiting, process)
    assert api.asked[api.endpoint] == waiting, "nothing new was asked by a process that stands still"
    await anyio.sleep(seconds)  # by the clock of the process, which nobody here can put forward
    process.send_signal(signal.SIGCONT)


async def _stopped_at(folder: Path, endpoint: str, at_once: int, seconds: float) -> None:
    (folder / "sheet.csv").write_text("id,prompt\n" + "".join(f"{row},A boat {row}\n" for row in range(ROWS)))
    (folder / "nightsheet.toml").write_text(
        f"submit_timeout = {TIMEOUT_SECONDS}\ntimeout = {TIMEOUT_SECONDS}\nsubmit_gate = {GATE}\n"
    )
    held = Held()
    async with broken_api(endpoint, held, for_ever=True) as api:
        arguments = ("--model", "bytedance/seedream-4-5/text-to-image", *QUICK)
        process = start(folder, api.base, "run", "sheet.csv", *arguments)
        try:
            await until(lambda: held.waiting == at_once, process)
            assert process.poll() is None, await wait(process)
            await _stands_still(process, held, api, seconds)
        finally:
            held.free.set()
            ended = await wait(process)
        assert ended.code == 0, ended.err
        assert len(api.accepted) == ROWS
        kept = select(folder / "nightsheet.db", "SELECT request_id FROM attempt")
        assert {row["request_id"] for row in kept} == set(api.accepted), "every id is in the table"
        states = select(folder / "nightsheet.db", "SELECT DISTINCT state FROM job")
        assert states == [{"state": "succeeded"}], "none is in doubt"


async def test_receipts_that_came_during_a_stop_are_read(tmp_path: Path) -> None:
    """Every submit that the gate lets through is on its way."""
    await _stopped_at(tmp_path, "submit", GATE, TIMEOUT_SECONDS + 2 * GRACE_SECONDS)


@pytest.mark.parametrize("endpoint", ["status", "result"])
async def test_a_stop_during_free_calls_loses_nothing(tmp_path: Path, endpoint: str) -> None:
    """Each is asked again, if its answer was not read."""
    await _stopped_at(tmp_path, endpoint, ROWS, TIMEOUT_SECONDS + GRACE_SECONDS)


@pytest.mark.parametrize(
    "seconds", [GRACE_SECONDS, pytest.param(IDLE_SECONDS + GRACE_SECONDS, marks=pytest.mark.slow)]
)
async def test_a_stop_during_downloads_loses_nothing(tmp_path: Path, seconds: float) -> None:
    """Images that are in the sockets are read, or fetched again."""
    await _stopped_at(tmp_path, "picture", 4, seconds)
