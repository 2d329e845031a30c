"""The full decode in time that is left over: its room, its thread, and what it makes of a file."""

import os
import sys
import threading
import zlib
from pathlib import Path
from typing import Any

import anyio
import pytest

from runner.downloads.disk import LocalDisk
from runner.downloads.late_decode import MOST_WAITING, FreshImage, LateDecoder, LateDecodes, set_aside
from runner.downloads.placement import sha256_of
from runner.downloads.validate import MOST_PIXELS, Broken
from tests.support.png_files import chunks_of, of_chunks, one_of_each

WHOLE = one_of_each()["RGB"]
HEAD, PIXELS, END = chunks_of(WHOLE)
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
        found = await decoder.decode(image(tmp_path / "a.png", data), MOST_PIXELS)
    assert isinstance(found, Broken) is is_broken
    assert (tmp_path / "a.png").read_bytes() == data


async def test_a_picture_that_is_gone_is_not_broken(tmp_path: Path) -> None:
    """Somebody has moved it."""
    gone = image(tmp_path / "a.png")
    gone.path.unlink()
    with LateDecoder() as decoder:
        assert await decoder.decode(gone, MOST_PIXELS) is None


async def test_a_note_that_no_decoder_takes_sets_nothing_aside(tmp_path: Path) -> None:
    """The picture is paid for, and every viewer opens it."""
    note = (b"zTXt", b"workflow\0\0" + zlib.compress(bytes(20_000_000)))
    one = image(tmp_path / "a.png", of_chunks([HEAD, note, PIXELS, END]))
    with LateDecoder() as decoder:
        assert await decoder.decode(one, MOST_PIXELS) is None


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
                tasks.start_soon(decoder.decode, one, MOST_PIXELS)
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
                tasks.start_soon(decoder.decode, image(tmp_path / "a.png"), MOST_PIXELS)
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
