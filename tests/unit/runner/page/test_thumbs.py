"""Thumbnails on demand: the newest first, each once, never too many, and none for who has gone."""

import io
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from PIL import Image

from jobs.store.sqlite.thumb_file import ThumbFile
from runner.page.thumbs import AT_ONCE, MOST_WAITING, SIDES, ThumbMaker, Unmade
from tests.support.served_page import Served, png

SIDE = SIDES[0]


class Shelf:
    """Pictures that are read when the test lets them be, and the order in which they were."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        """All that are read, and will be, may end."""
        self.read: list[str] = []
        self._entered = threading.Semaphore(0)

    def reader(self, name: str, held_by: threading.Event | None = None) -> Callable[[], bytes | None]:
        """One that ends when `held_by` is set, else when all may."""

        def read() -> bytes | None:
            self.read.append(name)
            self._entered.release()
            assert (held_by or self.opened).wait(30)
            return png()

        return read

    async def entered(self, many: int) -> None:
        """Wait until so many are being read."""
        for _ in range(many):
            await anyio.to_thread.run_sync(self._entered.acquire)


@asynccontextmanager
async def making(folder: Path) -> AsyncIterator[tuple[ThumbMaker, list[Exception]]]:
    """A maker at work, and what it reports."""
    reported: list[Exception] = []
    file = ThumbFile(folder / "thumbs")
    maker = ThumbMaker(file, reported.append)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(maker.work)
        yield maker, reported
        tasks.cancel_scope.cancel()
    file.close()


async def test_what_was_asked_for_last_is_made_first(tmp_path: Path) -> None:
    """What is on screen now; what was scrolled past waits."""
    shelf = Shelf()
    last = threading.Event()
    async with making(tmp_path) as (maker, _), anyio.create_task_group() as tasks:
        # one keeps a thread to the end, so that the others come one after another
        for name, held_by in (("first", None), ("kept", last)):
            tasks.start_soon(maker.get, name, SIDE, shelf.reader(name, held_by))
        await shelf.entered(AT_ONCE)
        for number, name in enumerate(("old", "new", "newer"), AT_ONCE + 1):
            tasks.start_soon(maker.get, name, SIDE, shelf.reader(name))
            while len(maker._orders) < number:
                await anyio.lowlevel.checkpoint()
        shelf.opened.set()
        await shelf.entered(3)
        last.set()
    assert shelf.read[AT_ONCE:] == ["newer", "new", "old"]


async def test_a_picture_that_many_ask_for_is_made_once(tmp_path: Path) -> None:
    """And then kept: nobody reads it again."""
    shelf = Shelf()
    found: list[bytes | Unmade] = []

    async def ask(maker: ThumbMaker) -> None:
        found.append(await maker.get("a", SIDE, shelf.reader("a")))

    async with making(tmp_path) as (maker, _):
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(ask, maker)
            await shelf.entered(1)
            shelf.opened.set()
        await ask(maker)
    assert shelf.read == ["a"]
    assert len(set(found)) == 1
    assert isinstance(found[0], bytes)
    assert Image.open(io.BytesIO(found[0])).size == (384, 192)


async def test_a_large_one_is_not_kept(tmp_path: Path) -> None:
    """The browser does that."""
    shelf = Shelf()
    shelf.opened.set()
    async with making(tmp_path) as (maker, _):
        for _ in range(2):
            await maker.get("a", SIDES[1], shelf.reader("a"))
    assert shelf.read == ["a", "a"]


async def test_what_nobody_waits_for_any_more_is_not_made(tmp_path: Path) -> None:
    """The browser has closed the connection: it was scrolled past."""
    shelf = Shelf()
    async with making(tmp_path) as (maker, _), anyio.create_task_group() as tasks:
        for name in ("x", "y"):
            tasks.start_soon(maker.get, name, SIDE, shelf.reader(name))
        await shelf.entered(AT_ONCE)
        with anyio.move_on_after(0.2):
            await maker.get("gone", SIDE, shelf.reader("gone"))
        shelf.opened.set()
    assert "gone" not in shelf.read
    assert not maker._orders


async def test_where_too_many_wait_the_oldest_are_given_up(tmp_path: Path) -> None:
    """They are told so, and may ask again."""
    shelf = Shelf()
    given_up: list[str] = []

    async def ask(maker: ThumbMaker, name: str) -> None:
        if await maker.get(name, SIDE, shelf.reader(name)) is Unmade.GIVEN_UP:
            given_up.append(name)

    async with making(tmp_path) as (maker, _), anyio.create_task_group() as tasks:
        for name in ("x", "y"):
            tasks.start_soon(ask, maker, name)
        await shelf.entered(AT_ONCE)
        for number in range(MOST_WAITING + 2):
            tasks.start_soon(ask, maker, f"{number}")
        while len(given_up) < 2:
            await anyio.lowlevel.checkpoint()
        assert len(maker._orders) == MOST_WAITING + AT_ONCE
        shelf.opened.set()
    assert len(given_up) == 2


async def test_a_picture_that_cannot_be_made_stops_nothing(tmp_path: Path) -> None:
    """No picture, no file, and a defect of ours, which is reported."""

    def broken() -> bytes | None:
        raise MemoryError("too large")

    async with making(tmp_path) as (maker, reported):
        assert await maker.get("html", SIDE, lambda: b"<html>") is Unmade.IMPOSSIBLE
        assert await maker.get("gone", SIDE, lambda: None) is Unmade.IMPOSSIBLE
        assert reported == []
        assert await maker.get("bomb", SIDE, broken) is Unmade.IMPOSSIBLE
        assert [str(error) for error in reported] == ["too large"]
        assert await maker.get("good", SIDE, png) is not Unmade.IMPOSSIBLE


@pytest.mark.parametrize(
    ("side", "size"), [("", (384, 192)), ("?s=384", (384, 192)), ("?s=1600", (600, 300))]
)
async def test_a_thumbnail_is_served(served: Served, side: str, size: tuple[int, int]) -> None:
    """As WebP of our own making, for ever under its address."""
    image = await served.shoot("a")
    for _ in range(2):
        answered = await served.client.get(f"/t/1/{image.sha256}.webp{side}")
        assert answered.status_code == 200
        assert answered.headers["content-type"] == "image/webp"
        assert "immutable" in answered.headers["cache-control"]
        assert Image.open(io.BytesIO(answered.content)).size == size


@pytest.mark.parametrize("side", ["?s=1", "?s=99999", "?s=x", "?s="])
async def test_no_other_size_is_made(served: Served, side: str) -> None:
    """Nobody has the server draw without end."""
    image = await served.shoot("a")
    assert (await served.client.get(f"/t/1/{image.sha256}.webp{side}")).status_code == 404


async def test_a_file_that_is_gone_has_none(served: Served) -> None:
    """Its tile says so."""
    image = await served.shoot("a")
    await anyio.Path(image.path).unlink()
    assert (await served.client.get(f"/t/1/{image.sha256}.webp")).status_code == 404
    (item,) = await served.json("/api/night/items?key=a")
    assert [one["file"] for one in item["images"]] == ["gone"]


async def test_what_is_given_up_may_be_asked_for_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, which nobody keeps; it is no defect."""
    image = await served.shoot("a")

    async def busy(*_arguments: object) -> Unmade:
        return Unmade.GIVEN_UP

    with monkeypatch.context() as patch:
        patch.setattr(ThumbMaker, "get", busy)
        answered = await served.client.get(f"/t/1/{image.sha256}.webp")
    assert (answered.status_code, answered.headers["cache-control"]) == (503, "no-store")
    assert (await served.client.get(f"/t/1/{image.sha256}.webp")).status_code == 200
