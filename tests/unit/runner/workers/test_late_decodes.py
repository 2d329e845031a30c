"""What a run makes of images that do not decode, and when it looks."""

import errno
import io
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import anyio
import httpx
import pytest
from PIL import Image

from jobs.errors import CannotWrite
from jobs.images.stored import is_on_disk
from jobs.outcomes import RemoteDone, Reopened
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.store.sqlite.thumb_file import ThumbFile
from runner.downloads.disk import LocalDisk
from runner.downloads.late_decode import FreshImage, LateDecoder
from runner.downloads.validate import Broken
from runner.limits.brake import Brake, Reach
from runner.workers.fetch import fetch_images
from runner.workers.late_decodes import LAST_SECONDS, decode_late, decoding_late
from tests.support.png_files import chunks_of, of_chunks
from tests.support.virtual_time import virtual
from tests.support.world import World, png
from tests.unit.runner.collected import URLS, Net, done, edit, on_disk

HEAD, PIXELS, END = chunks_of(png())
SHORT = of_chunks([HEAD, (b"IDAT", PIXELS[1][:8]), END])


def defect(key: str, error: BaseException) -> None:
    """None is expected."""
    raise AssertionError(key) from error


def set_aside(folder: Path) -> list[Path]:
    """Pictures that have lost their names."""
    return list(folder.rglob("*.bad"))


async def look(w: World) -> None:
    """Decode all that waits."""
    w.run.images.late.close()
    await decode_late(w.run, defect)


@virtual
async def test_a_picture_that_does_not_decode_is_a_warning_and_its_retry_is_free(tmp_path: Path) -> None:
    """Its row succeeded, for it came as its writer made it. A fresh one takes the warning along."""
    net = Net(p2=[httpx.Response(200, content=SHORT)])
    async with done(tmp_path, net) as (w, job):
        assert await fetch_images(w.run, job, refreshed=False) is None
        assert (await w.job()).warnings == ("3 pictures came, 1 were asked for.",)
        await look(w)
        found = await w.job()
        assert found.state is JobState.SUCCEEDED
        assert [is_on_disk(image) for image in found.images] == [True, False, True]
        (warning,) = found.warnings[1:]
        bad = Path(found.images[1].path).with_suffix(".bad")
        assert f"It is kept as {bad.name}; `nightsheet retry` fetches it again, which is free." in warning
        assert w.notices == [f"Job 'a': {warning}"]
        assert bad.read_bytes() == SHORT

        assert await w.store.jobs.apply(Reopened(job.id, w.clock.now()))
        assert await w.store.jobs.apply(RemoteDone(job.id, URLS, None))
        assert await fetch_images(w.run, await w.running(), refreshed=False) is None
        found = await w.job()
        assert all(is_on_disk(image) for image in found.images)
        assert found.warnings == ("3 pictures came, 1 were asked for.",)
        assert net.asked == {"1": 1, "2": 2, "3": 1}
        assert len(w.attempts()) == 1


@virtual
async def test_what_a_person_has_changed_meanwhile_is_theirs(tmp_path: Path) -> None:
    """No warning, and the file stays."""
    async with done(tmp_path, Net(), URLS[:1]) as (w, job):
        assert await fetch_images(w.run, job, refreshed=False) is None
        (image,) = (await w.job()).images
        edit(image, b"edited")
        await look(w)
        assert (await w.job()).warnings == ()
        assert on_disk(image) == b"edited"
        assert w.notices == []


@virtual
async def test_a_row_that_failed_is_not_looked_at(tmp_path: Path) -> None:
    """Its `retry` fetches what is missing; the warning would have no place."""
    net = Net(p1=httpx.Response(200, content=SHORT), p2=httpx.Response(200, content=b"<html>"))
    async with done(tmp_path, net) as (w, job):
        assert await fetch_images(w.run, job, refreshed=False) is None
        await look(w)
        assert (await w.job()).state is JobState.FAILED
        assert set_aside(tmp_path) == []


def of_one_short_picture() -> Net:
    return Net(p1=httpx.Response(200, content=SHORT))


@virtual
async def test_it_waits_while_a_download_waits(tmp_path: Path) -> None:
    """Dropped first under load: what is paid for comes first."""
    async with done(tmp_path, of_one_short_picture(), URLS[:1]) as (w, job):
        assert await fetch_images(w.run, job, refreshed=False) is None
        await w.run.images.ready.send(job)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look, w)
            await w.clock.sleep(60)
            assert (await w.job()).warnings == ()
            await w.ready.receive()
        assert len((await w.job()).warnings) == 1


@pytest.mark.parametrize(("rate", "waits"), [(None, True), (6.0, False)])
def test_it_waits_while_a_submit_waits(rate: float | None, waits: bool, tmp_path: Path) -> None:
    """Not for one that `--rate` holds back: then there always is one, and the machine is idle."""

    @virtual
    async def test() -> None:
        async with done(tmp_path, of_one_short_picture(), URLS[:1], rate=rate) as (w, job):
            assert await fetch_images(w.run, job, refreshed=False) is None
            async with anyio.create_task_group() as tasks:
                with w.run.queue.pending.until_ended(99):
                    tasks.start_soon(look, w)
                    await w.clock.sleep(60)
                    assert len((await w.job()).warnings) == (0 if waits else 1)
            assert len((await w.job()).warnings) == 1

    test()


@virtual
async def test_it_waits_while_the_process_is_busy(tmp_path: Path) -> None:
    """Then no time is left over: the night would be slower for it. At its end it is decoded all the same."""
    async with done(tmp_path, of_one_short_picture(), URLS[:1]) as (w, job):
        w.clock.cores_used = 0.9
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(decode_late, w.run, defect)
            await w.clock.sleep(60)
            assert await fetch_images(w.run, job, refreshed=False) is None
            await w.clock.sleep(60)
            assert (await w.job()).warnings == ()
            w.run.images.late.close()
        assert len((await w.job()).warnings) == 1


class Refusing(LocalDisk):
    """A disk that renames nothing once `full`."""

    full = False

    def replace(self, source: Path, target: Path) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().replace(source, target)


@virtual
async def test_a_disk_that_refuses_leaves_the_picture_its_name(tmp_path: Path) -> None:
    """Then it does not count as gone, and no warning promises a retry."""
    disk = Refusing()
    async with done(tmp_path, of_one_short_picture(), URLS[:1], disk=disk) as (w, job):
        assert await fetch_images(w.run, job, refreshed=False) is None
        disk.full = True
        await look(w)
        found = await w.job()
        assert (found.warnings, is_on_disk(found.images[0])) == ((), True)
        assert "the disk is full" in w.notices[0]


@pytest.mark.parametrize("error", [CannotWrite("The database is full."), ValueError("unexpected")])
def test_trouble_with_one_does_not_stop_the_next(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that refuses pauses the batch; a defect is reported with its row."""
    defects: list[str] = []

    @virtual
    async def test() -> None:
        net = Net(**{f"p{number}": httpx.Response(200, content=SHORT) for number in (1, 2)})
        async with done(tmp_path, net, URLS[:2]) as (w, job):
            assert await fetch_images(w.run, job, refreshed=False) is None

            async def refuse(_job_id: int, _warning: str) -> None:
                raise error

            monkeypatch.setattr(w.run.store.ledger, "warn", refuse)
            w.run.images.late.close()
            await decode_late(w.run, lambda key, _error: defects.append(key))
            assert len(set_aside(tmp_path)) == 2
            stops = [stop.reason for stop in w.stops]
            assert (stops, defects) == (
                ([PauseReason.DISK], []) if isinstance(error, CannotWrite) else ([], ["a", "a"])
            )

    test()


@virtual
async def test_a_row_that_shares_the_pictures_has_the_warning_too(tmp_path: Path) -> None:
    """And no row has it twice, nor one that has not succeeded."""
    async with done(tmp_path, Net(), URLS[:1]) as (w, job):
        await w.store.ledger.warn(job.id, "odd")
        assert (await w.job()).warnings == ()
        assert await fetch_images(w.run, job, refreshed=False) is None
        await w.store.ledger.warn(job.id, "odd")
        await w.store.ledger.warn(job.id, "odd")
        await w.store.ledger.warn(job.id, "odder")
        assert (await w.job()).warnings == ("odd", "odder")


async def never(_decoder: LateDecoder, _image: FreshImage, _max_pixels: int, *, small: bool) -> Broken | None:
    """A decode that takes for ever."""
    await anyio.sleep_forever()
    raise AssertionError


@pytest.mark.parametrize(
    ("stop", "seconds"),
    [
        (None, LAST_SECONDS),
        (lambda brake: brake.pause(PauseReason.PERSON, "so be it"), 0),
        (lambda brake: brake.interrupt(Reach.SUBMITS), 0),
    ],
    ids=["nobody", "a pause", "a person"],
)
@pytest.mark.parametrize("early", [True, False])
def test_a_run_ends_without_it(
    stop: Callable[[Brake], None] | None,
    seconds: float,
    early: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A few seconds are for what waits at the end; none where a person or a pause ends the run."""
    monkeypatch.setattr(LateDecoder, "look", never)

    @virtual
    async def test() -> None:
        async with done(tmp_path, Net(), URLS[:1]) as (w, job), anyio.create_task_group() as tasks:
            brake = w.run.limits.brake
            begun = w.clock.monotonic()
            async with decoding_late(w.run, defect):
                assert await fetch_images(w.run, job, refreshed=False) is None
                await anyio.wait_all_tasks_blocked()
                if stop is not None and early:
                    stop(brake)
                elif stop is not None:
                    tasks.start_soon(later, 0.0, stop, brake)
            assert w.clock.monotonic() - begun == seconds

    test()


async def later(seconds: float, stop: Callable[[Brake], None], brake: Brake) -> None:
    await anyio.sleep(seconds)
    stop(brake)


@virtual
async def test_what_waits_at_the_end_is_decoded_yet(tmp_path: Path) -> None:
    """A run of one picture would never decode any, otherwise; and it waits for nothing else."""
    async with done(tmp_path, of_one_short_picture(), URLS[:1]) as (w, job):
        begun = w.clock.monotonic()
        async with decoding_late(w.run, defect):
            assert await fetch_images(w.run, job, refreshed=False) is None
        assert len((await w.job()).warnings) == 1
        assert w.clock.monotonic() == begun


# -- thumbnails ------------------------------------------------------------------------------------------


def with_thumbs(w: World, file: ThumbFile | None) -> World:
    """The run, with another file of thumbnails, or none."""
    images = replace(w.run.images, thumbs=file)
    return replace(w, run=replace(w.run, images=images))


def jpeg() -> bytes:
    """What is decoded on its way in."""
    out = io.BytesIO()
    Image.new("RGB", (500, 400), "red").save(out, "JPEG")
    return out.getvalue()


def thumbs_in(path: Path) -> int:
    """How many are kept."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as connection:
        (many,) = connection.execute("SELECT count(*) FROM thumb").fetchone()
        return int(many)


@virtual
async def test_a_night_leaves_thumbnails_of_all_its_pictures(tmp_path: Path) -> None:
    """A PNG's by its decode, a JPEG's on its own; nobody looks at them yet."""
    net = Net(p1=httpx.Response(200, content=jpeg()))
    path = tmp_path / "night.db.thumbs"
    async with done(tmp_path, net, URLS[:2]) as (w, job), anyio.create_task_group() as tasks:
        w = with_thumbs(w, ThumbFile(path))
        assert await fetch_images(w.run, job, refreshed=False) is None
        tasks.start_soon(decode_late, w.run, defect)
        while thumbs_in(path) < 2:
            await anyio.wait_all_tasks_blocked()
        w.run.images.late.close()
    assert w.notices == []


@virtual
async def test_thumbnails_wait_like_decodes(tmp_path: Path) -> None:
    """They are dropped first under load."""
    path = tmp_path / "night.db.thumbs"
    net = Net(p1=httpx.Response(200, content=jpeg()))
    async with done(tmp_path, net, URLS[:1]) as (w, job):
        w = with_thumbs(w, ThumbFile(path))
        assert await fetch_images(w.run, job, refreshed=False) is None
        await w.run.images.ready.send(job)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(decode_late, w.run, defect)
            await w.clock.sleep(60)
            assert thumbs_in(path) == 0
            tasks.cancel_scope.cancel()


@virtual
async def test_without_a_file_of_thumbnails_a_decoded_picture_is_not_looked_at_again(tmp_path: Path) -> None:
    """`thumbnails = false`: as if there were none."""
    net = Net(p1=httpx.Response(200, content=jpeg()))
    async with done(tmp_path, net, URLS[:1]) as (w, job):
        w = with_thumbs(w, None)
        assert await fetch_images(w.run, job, refreshed=False) is None
        w.run.images.late.close()
        assert [one async for one in w.run.images.late.each()] == []


@virtual
async def test_a_locked_file_of_thumbnails_does_not_touch_the_night(tmp_path: Path) -> None:
    """What does not decode is found all the same, the batch is not paused, and nobody waits."""
    path = tmp_path / "night.db.thumbs"
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        async with done(tmp_path, of_one_short_picture()) as (w, job):
            w = with_thumbs(w, ThumbFile(path, patience_seconds=0.0))
            begun = w.clock.monotonic()
            assert await fetch_images(w.run, job, refreshed=False) is None
            async with decoding_late(w.run, defect):
                pass
            assert w.clock.monotonic() == begun
            assert len((await w.job()).warnings) == 2
            assert (await w.job()).state is JobState.SUCCEEDED
            assert w.stops == []
