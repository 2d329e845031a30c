"""Whole runs: the disk is full, a folder cannot be written, the database is locked, or is none."""

import errno
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from jobs.errors import CannotWrite
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.store.jobs import Jobs
from jobs.store.sqlite import thread
from runner.downloads.disk import LocalDisk
from tests.matrix.nights import posts
from tests.matrix.processes import COMMAND, start
from tests.support.command import QUICK, desk, wait
from tests.support.night import Night, night
from tests.support.virtual_time import virtual
from tests.support.world import leftovers

_MOST_FILES_TAKEN = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
for _ in range(46):
    os.set_inheritable(os.open(os.devnull, os.O_RDONLY), True)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Takes most of the files that a process may open, and becomes another program."""

ROWS = 12


async def goes_on(w: Night) -> None:
    """With the trouble gone, the next run ends the batch, and every row was paid once."""
    report = await w.run(w.sheet(ROWS))
    assert report.exit_code == 0
    assert w.states() == {JobState.SUCCEEDED: ROWS}
    assert posts(w) == len(w.service.ledger) == ROWS
    assert w.pictures_whole() == sum(submit.draw.pictures for submit in w.service.ledger)


@virtual
async def test_no_room_for_pictures(tmp_path: Path) -> None:
    """Exit 73: nothing more is sent, what is paid for waits where it is, and no half of a picture stays."""
    room, real = 1, LocalDisk.write

    def write(disk: LocalDisk, descriptor: int, data: bytes) -> None:
        nonlocal room
        room -= len(data) > 100  # the probe of the folder at the start is smaller
        if room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(disk, descriptor, data)

    async with night(tmp_path, median_seconds=30, sigma=0.2) as w:
        with mock.patch.object(LocalDisk, "write", write):
            report = await w.run(w.sheet(ROWS))
        assert report.paused is not None
        assert (report.exit_code, report.paused.reason) == (73, PauseReason.DISK)
        assert "the disk is full" in report.paused.detail
        states = w.states()
        assert states[JobState.QUEUED] > 0
        assert states[JobState.FETCHING] > 0
        assert not {JobState.FAILED, JobState.UNCONFIRMED} & set(states)
        assert leftovers(tmp_path) == []
        await goes_on(w)


@virtual
async def test_no_room_for_the_table(tmp_path: Path) -> None:
    """Exit 73: no submit leaves without its intent on disk."""
    full = CannotWrite("The database refuses: database or disk is full.")
    async with night(tmp_path) as w:
        with mock.patch.object(Jobs, "claim", side_effect=full):
            report = await w.run(w.sheet(ROWS))
        assert report.paused is not None
        assert (report.exit_code, report.paused.reason, posts(w)) == (73, PauseReason.DISK, 0)
        await goes_on(w)


@virtual
async def test_locked_by_another_process_at_the_worst_moment(tmp_path: Path) -> None:
    """An answer is here and cannot be committed: its id is in the journal, and the next run takes it up."""
    with night_of_a_short_wait(), closing(sqlite3.connect(tmp_path / "night.db", timeout=1)) as other:
        passed = []

        def probe(name: str) -> None:
            passed.append(name)
            if name == "after submit" and passed.count(name) == 3:
                other.execute("BEGIN IMMEDIATE")

        async with night(tmp_path) as w:
            w.probe = probe
            report = await w.run(w.sheet(ROWS))
            assert report.exit_code == 73
            assert report.paused is not None
            assert "locked" in report.paused.detail
            other.rollback()
            w.probe = lambda _name: None
            assert any("The journal has it" in notice for notice in w.watching.notices)
            assert 0 < posts(w) < ROWS
            await w.run(w.sheet(ROWS))
            assert any("The journal had the receipt" in notice for notice in w.watching.notices)
            # One that had its intent on disk and was not sent any more may be in doubt; none that was taken.
            succeeded = {job["key"] for job in w.jobs() if job["state"] == JobState.SUCCEEDED}
            taken = {str(submit.body["prompt"]).replace("A boat no. ", "row-") for submit in w.service.ledger}
            assert len(taken) == len(w.service.ledger) >= ROWS - 4
            assert succeeded == taken


def night_of_a_short_wait() -> Any:
    """Ten seconds for another process's lock would be ten seconds of this test."""
    return mock.patch.dict(thread._PRAGMAS, busy_timeout="20")


@pytest.mark.process
async def test_an_output_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """Exit 73 before anything is asked of the API, let alone paid."""
    (tmp_path / "file").write_text("in the way")
    async with desk(tmp_path) as here:
        ended = await here.call("run", here.sheet(3), *QUICK, "--output-dir", "file/below")
        assert ended.code == 73
        assert "Nothing was sent" in ended.err
        assert not here.service.calls


@pytest.mark.process
async def test_files_that_are_no_database_of_ours(tmp_path: Path) -> None:
    """Exit 73, and not a byte of them is changed: it may be somebody's only copy."""
    (tmp_path / "text.db").write_text("id,prompt\n")
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE recipe (name)")
        other.execute("CREATE TABLE spice (name)")
        other.commit()
    async with desk(tmp_path) as here:
        assert (await here.call("run", here.sheet(1), *QUICK, "--db", "damaged.db")).code == 0
        damaged = bytearray((tmp_path / "damaged.db").read_bytes())
        damaged[100:3000] = os.urandom(2900)
        (tmp_path / "damaged.db").write_bytes(damaged)
        calls = here.service.calls.copy()
        refusals = {"text": "not a Nightsheet", "other": "another program", "damaged": "left as it is"}
        for name, said in refusals.items():
            before = (tmp_path / f"{name}.db").read_bytes()
            ended = await here.call("run", "sheet.csv", *QUICK, "--db", f"{name}.db")
            assert ended.code == 73, ended.err
            assert said in ended.err
            assert (tmp_path / f"{name}.db").read_bytes() == before
        assert here.service.calls == calls


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="no ulimit there")
async def test_out_of_file_handles(tmp_path: Path) -> None:
    """Fewer than its limit promises, because others are open already: a pause, and never a second payment."""
    async with desk(tmp_path) as here:
        rows = here.sheet(24)
        busy = ["--concurrency", "64", "--submit-gate", "64", "--outage-limit", "2"]
        few_files = [sys.executable, "-c", _MOST_FILES_TAKEN, *COMMAND]
        process = start(here, ["run", rows, *QUICK, *busy], few_files)
        ended = await wait(process)
        assert ended.code in (69, 73), ended.err
        assert "Traceback" not in ended.err
        again = await here.call("run", rows, *QUICK)
        assert again.code == 0, again.err
        assert set(here.submits().values()) == {1}
        assert len(here.service.ledger) == 24
        here.assert_pictures_whole()
