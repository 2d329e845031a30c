"""Bringing pictures home onto a disk that is full, or that somebody else works on."""

import errno
import hashlib
import os
from pathlib import Path
from typing import Any

from anyio import to_thread

from jobs.failures import FailureKind
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.views import OpenJob
from runner.downloads.disk import LocalDisk
from runner.workers.fetch import fetch_images
from tests.support.virtual_time import virtual
from tests.support.world import World, leftovers
from tests.unit.runner.collected import URLS, Net, done, edit, on_disk


class FullDisk(LocalDisk):
    """A disk that takes `room` more pictures."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, descriptor: int, data: bytes) -> None:
        if self.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= 1
        super().write(descriptor, data)


@virtual
async def test_a_full_disk_pauses_and_nothing_is_lost(tmp_path: Path) -> None:
    """The job stays where it is; with room again, what is on disk is not fetched again."""
    net, disk = Net(), FullDisk(room=1)
    async with done(tmp_path, net, disk=disk) as (w, job):
        assert await fetch_images(w.run, job, refreshed=False) is None
        assert [stop.reason for stop in w.stops] == [PauseReason.DISK]
        assert (await w.job()).state is JobState.FETCHING
        assert leftovers(tmp_path) == []
        assert net.asked == {"1": 1, "2": 1}
        disk.room = 100
        await fetch_images(w.run, await w.running(), refreshed=False)
        assert (await w.job()).state is JobState.SUCCEEDED
        assert net.asked == {"1": 1, "2": 2, "3": 1}


@virtual
async def test_a_picture_that_is_gone_from_the_disk_is_fetched_again(tmp_path: Path) -> None:
    """Deleted or cut by hand since; the others stay as they are."""
    net = Net()
    async with done(tmp_path, net) as (w, job):
        await fetch_images(w.run, job, refreshed=False)
        first, second, _third = (await w.job()).images
        edit(first, None)
        edit(second, b"cut")
        await collect_again(w, job)
        assert net.asked == {"1": 2, "2": 2, "3": 1}
        for image in (await w.job()).images:
            assert hashlib.sha256(on_disk(image)).hexdigest() == image.sha256


async def collect_again(w: World, job: OpenJob) -> None:
    """As `retry` has it done: the job is back at its pictures."""

    def reopen(connection: Any) -> None:
        connection.exec_driver_sql("UPDATE job SET state = 'fetching', finished_at = NULL")

    await w.store.database.write(reopen)
    await fetch_images(w.run, await w.running(job.key), refreshed=False)


@virtual
async def test_a_file_of_somebody_else_is_never_overwritten(tmp_path: Path) -> None:
    """The picture gets another name."""
    net = Net()
    async with done(tmp_path, net, URLS[:1]) as (w, job):
        await fetch_images(w.run, job, refreshed=False)
        (first,) = (await w.job()).images
        edit(first, b"somebody's own")
        await collect_again(w, job)
        assert on_disk(first) == b"somebody's own"
        assert (await w.job()).images[0].path == first.path.replace(".png", "-2.png")


@virtual
async def test_what_stands_in_the_place_of_one_picture_troubles_no_other(tmp_path: Path) -> None:
    """A file by the name of the row's folder: the row fails alone, and is fetched again for nothing."""
    async with done(tmp_path, Net()) as (w, job):
        await to_thread.run_sync(in_the_way, tmp_path / "outputs" / "night" / job.folder)
        assert await fetch_images(w.run, job, refreshed=False) is None
        failure = (await w.job()).failure
        assert failure is not None
        assert failure.kind is FailureKind.BLOCKED
        assert "has no place" in failure.message
        assert w.stops == []


def in_the_way(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("somebody's notes")
