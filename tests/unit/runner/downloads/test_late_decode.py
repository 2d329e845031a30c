"""The full decode in time that is left over: its room, its thread, and what it makes of a file."""

import io
import os
import shutil
import sqlite3
import sys
import threading
import time
import zlib
from collections import namedtuple
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from PIL import Image

from jobs.store.sqlite.thumb_file import SPARE_BYTES, ThumbFile
from runner.downloads.disk import LocalDisk
from runner.downloads.late_decode import (
    MOST_DECODED_WAITING,
    MOST_WAITING,
    FreshImage,
    LateDecoder,
    LateDecodes,
    _is_still,
    set_aside,
)
from runner.downloads.placement import sha256_of, stamp_of
from runner.downloads.thumbnail import KEPT_SIDE, make_thumbnail, shrunk
from runner.downloads.validate import MOST_PIXELS, Broken
from tests.support.png_files import chunks_of, of_chunks, one_of_each

WHOLE = one_of_each()["RGB"]
HEAD, PIXELS, END = chunks_of(WHOLE)
Usage = namedtuple("Usage", "total used free")
SHORT = of_chunks([HEAD, (b"IDAT", PIXELS[1][:40]), END])


def image(path: Path, data: bytes = WHOLE) -> FreshImage:
    """A file, as it came."""
    path.write_bytes(data)
    return FreshImage(1, "a", 1, path, sha256_of(path) or "")


async def test_they_come_in_turn_until_no_more_will(tmp_path: Path) -> None:
    """Those that wait, and those that come meanwhile."""
    late = LateDecodes()
    came: list[FreshImage] = []

    async def take() -> None:
        async for one in late.each():
            came.append(one)  # noqa: PERF401 - one by one, as they come

    images = [image(tmp_path / f"{number}.png") for number in range(3)]
    late.offer(images[0])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take)
        await anyio.wait_all_tasks_blocked()
        assert came == images[:1]
        late.offer(images[1])
        await anyio.wait_all_tasks_blocked()
        assert came == images[:2]
        late.offer(images[2])
        late.close()
    assert came == images


async def test_what_has_no_room_is_dropped(tmp_path: Path) -> None:
    """However many come, so many wait."""
    late = LateDecodes()
    one = image(tmp_path / "a.png")
    for _ in range(MOST_WAITING + 5):
        late.offer(one)
    late.close()
    assert len([waiting async for waiting in late.each()]) == MOST_WAITING


@pytest.mark.parametrize(("data", "is_broken"), [(WHOLE, False), (SHORT, True)])
async def test_it_decodes(data: bytes, is_broken: bool, tmp_path: Path) -> None:
    """What checksums cannot show."""
    with LateDecoder() as decoder:
        found = await decoder.look(image(tmp_path / "a.png", data), MOST_PIXELS)
    assert isinstance(found, Broken) is is_broken
    assert (tmp_path / "a.png").read_bytes() == data


async def test_a_picture_that_is_gone_is_not_broken(tmp_path: Path) -> None:
    """Somebody has moved it."""
    gone = image(tmp_path / "a.png")
    gone.path.unlink()
    with LateDecoder() as decoder:
        assert await decoder.look(gone, MOST_PIXELS) is None


async def test_a_note_that_no_decoder_takes_sets_nothing_aside(tmp_path: Path) -> None:
    """The picture is paid for, and every viewer opens it."""
    note = (b"zTXt", b"workflow\0\0" + zlib.compress(bytes(20_000_000)))
    one = image(tmp_path / "a.png", of_chunks([HEAD, note, PIXELS, END]))
    with LateDecoder() as decoder:
        assert await decoder.look(one, MOST_PIXELS) is None


async def test_one_thread_gives_way_to_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All decodes are in it, and no other thread is slower for them."""
    seen: list[tuple[int, int]] = []

    def noted(*_arguments: object, **_more: object) -> None:
        thread = threading.get_native_id()
        seen.append((thread, os.getpriority(os.PRIO_PROCESS, thread) if sys.platform == "linux" else 10))

    monkeypatch.setattr("runner.downloads.late_decode.inspect", noted)
    here = os.getpriority(os.PRIO_PROCESS, 0)
    one = image(tmp_path / "a.png")
    with LateDecoder() as decoder:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(decoder.look, one, MOST_PIXELS)
    assert len(seen) == 5
    assert len(set(seen)) == 1
    assert seen[0][1] >= 10
    assert os.getpriority(os.PRIO_PROCESS, 0) == here


async def test_nobody_waits_for_a_decode_that_nobody_wants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a run does not wait for it."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(*_arguments: object, **_more: object) -> None:
        begun.set()
        go_on.wait(30)

    monkeypatch.setattr("runner.downloads.late_decode.inspect", slow)
    try:
        with LateDecoder() as decoder:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(decoder.look, image(tmp_path / "a.png"), MOST_PIXELS)
                await anyio.to_thread.run_sync(begun.wait)
                tasks.cancel_scope.cancel()
        assert not go_on.is_set()
    finally:
        go_on.set()


@pytest.mark.parametrize("other", [None, b"of somebody else", SHORT])
def test_what_is_set_aside_loses_its_name_alone(other: bytes | None, tmp_path: Path) -> None:
    """Its bytes stay, and so does what is there already."""
    if other is not None:
        (tmp_path / "v1.2.bad").write_bytes(other)
    aside = set_aside(LocalDisk(), image(tmp_path / "v1.2.png", SHORT))
    assert aside == tmp_path / ("v1.2-2.bad" if other not in (None, SHORT) else "v1.2.bad")
    assert aside.read_bytes() == SHORT
    assert not (tmp_path / "v1.2.png").exists()
    if other is not None:
        assert (tmp_path / "v1.2.bad").read_bytes() == other


@pytest.mark.parametrize("data", [b"edited", None])
def test_what_somebody_has_changed_stays(data: bytes | None, tmp_path: Path) -> None:
    """It is no longer what was decoded."""
    one: Any = image(tmp_path / "a.png", SHORT)
    one.path.unlink()
    if data is not None:
        one.path.write_bytes(data)
    assert set_aside(LocalDisk(), one) is None
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([] if data is None else [data])


# -- thumbnails ------------------------------------------------------------------------------------------


def photo(path: Path, kind: str = "PNG", **more: Any) -> FreshImage:
    """An image of a size worth making smaller, as it came."""
    out = io.BytesIO()
    Image.effect_noise((800, 600), 40).convert("RGB").save(out, kind, **more)
    return replace(image(path, out.getvalue()), is_decoded=kind != "PNG")


async def look(file: ThumbFile | None, *images: FreshImage, small: bool = True) -> list[Broken | None]:
    """Look at each, and close the file, as a run does."""
    with LateDecoder(file) as decoder:
        return [await decoder.look(one, MOST_PIXELS, small=small) for one in images]


def kept(path: Path, one: FreshImage) -> bytes | None:
    """What another process finds of it."""
    file = ThumbFile(path)
    try:
        return file.get(one.sha256, KEPT_SIDE)
    finally:
        file.close()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_thumbnail_is_kept_that_the_page_would_make(kind: str, tmp_path: Path) -> None:
    """Of the pixels that are decoded anyway; of all else by a decode at little more than its size."""
    one, path = photo(tmp_path / "a.img", kind), tmp_path / "night.db.thumbs"
    assert await look(ThumbFile(path), one) == [None]
    made = kept(path, one)
    assert made is not None
    assert made == make_thumbnail(one.path.read_bytes(), KEPT_SIDE)
    assert Image.open(io.BytesIO(made)).size == (384, 288)


async def test_the_frame_of_a_film_stays_as_it_is(tmp_path: Path) -> None:
    """All frames are decoded after the first was made small."""
    frames = [Image.new("RGB", (500, 400), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    one, path = image(tmp_path / "a.png", out.getvalue()), tmp_path / "thumbs"
    assert await look(ThumbFile(path), one) == [None]
    assert kept(path, one) is not None


@pytest.mark.parametrize("small", [True, False])
async def test_none_is_kept_where_none_is_wanted(small: bool, tmp_path: Path) -> None:
    """The decode goes on without."""
    one, other = photo(tmp_path / "a.png"), photo(tmp_path / "a.jpg", "JPEG")
    path, broken = tmp_path / "thumbs", image(tmp_path / "b.png", SHORT)
    file = ThumbFile(path) if not small else None
    found = await look(file, one, other, broken, small=small)
    assert [isinstance(each, Broken) for each in found] == [False, False, True]
    assert not path.exists()


async def test_one_that_is_kept_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal pictures, and those that were looked at already."""
    one, other, path = photo(tmp_path / "a.png"), photo(tmp_path / "a.jpg", "JPEG"), tmp_path / "thumbs"
    await look(ThumbFile(path), one, other)

    def never(*_arguments: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr("runner.downloads.late_decode.shrunk", never)
    monkeypatch.setattr("runner.downloads.late_decode.make_thumbnail", never)
    file = ThumbFile(path)
    assert await look(file, one, other) == [None, None]


@pytest.mark.parametrize("error", [ValueError("no such mode"), MemoryError(), OSError("broken data stream")])
async def test_what_a_thumbnail_raises_is_not_the_picture_s_fault(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is whole, and keeps its name; the next one has its thumbnail."""
    one, next_one, path = photo(tmp_path / "a.png"), photo(tmp_path / "b.png"), tmp_path / "thumbs"
    errors = [error]

    def fail_once(frame: Any, side: int) -> bytes:
        if errors:
            raise errors.pop()
        return shrunk(frame, side)

    monkeypatch.setattr("runner.downloads.late_decode.shrunk", fail_once)
    assert await look(ThumbFile(path), one, next_one) == [None, None]
    assert (kept(path, one), kept(path, next_one) is not None) == (None, True)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
async def test_a_bomb_is_not_drawn(kind: str, tmp_path: Path) -> None:
    """A small file can hold very many pixels."""
    one, path = photo(tmp_path / "a.img", kind), tmp_path / "thumbs"
    with LateDecoder(ThumbFile(path)) as decoder:
        found = await decoder.look(one, 800 * 600 - 1)
    assert isinstance(found, Broken) is (kind == "PNG")
    assert kept(path, one) is None


async def test_what_does_not_decode_has_no_thumbnail(tmp_path: Path) -> None:
    """Neither where the decode is owed, nor where it was done: somebody has cut it off since."""
    one, path = image(tmp_path / "a.png", SHORT), tmp_path / "thumbs"
    other = photo(tmp_path / "a.jpg", "JPEG")
    other.path.write_bytes(b"\xff\xd8")
    found = await look(ThumbFile(path), one, other)
    assert [isinstance(each, Broken) for each in found] == [True, False]
    assert (kept(path, one), kept(path, other)) == (None, None)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
async def test_a_picture_put_in_its_place_is_not_shown_for_it(kind: str, tmp_path: Path) -> None:
    """A thumbnail is found by the hash of what came."""
    one, path = photo(tmp_path / "a.img", kind), tmp_path / "thumbs"
    photo(tmp_path / "a.img", kind)  # of other noise
    await look(ThumbFile(path), one)
    assert kept(path, one) is None


def stamped(one: FreshImage) -> FreshImage:
    """The same, as a run notes it once it is placed."""
    return replace(one, stamp=stamp_of(one.path))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
async def test_a_file_that_nobody_touched_is_not_read_again(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hash was a third of what its thumbnail cost."""
    one, path = stamped(photo(tmp_path / "a.img", kind)), tmp_path / "thumbs"
    monkeypatch.setattr("runner.downloads.late_decode.sha256_of", None)
    assert await look(ThumbFile(path), one) == [None]
    assert kept(path, one) is not None


async def test_a_file_that_only_looks_touched_is_read_again(tmp_path: Path) -> None:
    """A hard link or other rights change its stamp, not its bytes."""
    one, path = stamped(photo(tmp_path / "a.png")), tmp_path / "thumbs"
    (tmp_path / "b.png").hardlink_to(one.path)
    assert stamp_of(one.path) != one.stamp
    await look(ThumbFile(path), one)
    assert kept(path, one) is not None


async def test_a_file_whose_time_was_set_back_is_not_the_one_that_came(tmp_path: Path) -> None:
    """As editors do that keep a picture's date."""
    one = stamped(photo(tmp_path / "a.png"))
    before = one.path.stat()
    clock = tmp_path / "clock"
    clock.touch()
    while clock.stat().st_ctime_ns == before.st_ctime_ns:
        clock.touch()  # the file system's clock has ticks
    data = bytearray(one.path.read_bytes())
    data[-30] ^= 1  # in place, of the same size
    with one.path.open("r+b") as file:
        file.write(data)
    os.utime(one.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    changed = stamp_of(one.path)
    assert changed is not None
    assert one.stamp is not None
    assert changed[:4] == one.stamp[:4]
    assert not _is_still(one)


async def test_a_picture_that_somebody_moved_has_none(tmp_path: Path) -> None:
    """No error either."""
    one, path = photo(tmp_path / "a.jpg", "JPEG"), tmp_path / "thumbs"
    one.path.unlink()
    assert await look(ThumbFile(path), one) == [None]


@pytest.mark.parametrize("how", ["full", "locked", "no database", "no folder"])
async def test_a_file_that_refuses_thumbnails_costs_nothing_else(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither time: another process's lock is not waited for."""
    one, other = photo(tmp_path / "a.png"), photo(tmp_path / "b.jpg", "JPEG")
    broken, path = image(tmp_path / "c.png", SHORT), tmp_path / "thumbs"
    holder = sqlite3.connect(path, isolation_level=None)
    try:
        match how:
            case "full":
                monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(1, 1, SPARE_BYTES - 1))
            case "locked":
                holder.execute("BEGIN EXCLUSIVE")
            case "no database":
                path.unlink()
                path.mkdir()
            case "no folder":
                path = tmp_path / "gone" / "thumbs"
        begun = time.monotonic()
        found = await look(ThumbFile(path, patience_seconds=0.0), one, other, broken)
        assert time.monotonic() - begun < 60
        assert [isinstance(each, Broken) for each in found] == [False, False, True]
    finally:
        holder.close()
    assert kept(path, one) is None


async def test_one_that_wants_its_thumbnail_alone_takes_no_proof_s_place(tmp_path: Path) -> None:
    """Half of the room is for those that nobody has decoded yet."""
    late = LateDecodes()
    small = replace(image(tmp_path / "a.png"), is_decoded=True)
    for _ in range(MOST_WAITING):
        late.offer(small)
    for _ in range(MOST_WAITING):
        late.offer(image(tmp_path / "a.png"))
    taken: list[bool] = []
    async with aclosing(late.each()) as images:
        async for one in images:
            taken.append(one.is_decoded)
            if len(taken) == MOST_WAITING:
                break
    assert taken.count(True) == MOST_DECODED_WAITING


async def test_the_end_of_a_run_waits_for_no_thumbnail(tmp_path: Path) -> None:
    """What is unproven is decoded yet."""
    late = LateDecodes()
    one = image(tmp_path / "a.png")
    late.offer(replace(one, is_decoded=True))
    late.offer(one)
    late.offer(replace(one, is_decoded=True))
    late.close()
    assert late.is_closed
    assert [waiting async for waiting in late.each()] == [one]
