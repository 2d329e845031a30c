"""The stream: each change once, one watch for all, and an end when nobody or nothing is left."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from functools import partial
from pathlib import Path

import anyio
import httpx
import pytest

from jobs.pauses import PauseReason
from jobs.store.sqlite.watching import watching
from runner.page.folders import MOST_FOLDERS, ShownFolders
from runner.page.stream import FOLDER_SECONDS, LOOK_SECONDS, LOST, MOST_STREAMS, QUIET_SECONDS, ChangeFeed
from tests.support.served_page import Served, SteppedClock, served_page
from tests.support.tables import Table, opened_table


async def write(table: Table, detail: str) -> None:
    """Somebody changes the table."""
    await table.store.batches.pause(table.batch.id, PauseReason.OUTAGE, detail)


async def told(lines: AsyncIterator[str]) -> str:
    """The kind of the next event, or "quiet" for a blank one."""
    async for line in lines:
        if line.startswith("event: "):
            return line.removeprefix("event: ")
        if line == ":":
            return "quiet"
    return "end"


async def all_told(lines: AsyncIterator[str]) -> None:
    """Hear it to its end: the first look at the table may come after the first event."""
    while await told(lines) != "end":
        pass


async def test_a_change_is_told_and_nothing_else(tmp_path: Path) -> None:
    """While the table stands still, so does the stream."""
    clock = SteppedClock()
    async with opened_table(tmp_path / "night.db", "a") as table, anyio.create_task_group() as tasks:
        feed = ChangeFeed(partial(watching, table.path), ShownFolders(), clock)
        tasks.start_soon(feed.work)
        stamps = feed.stamps()
        seen = {await anext(stamps)}
        for round_ in range(3):
            await write(table, f"round {round_}")
            with anyio.fail_after(20):
                while (stamp := feed.stamp) in seen:
                    clock.advance(LOOK_SECONDS)
                    await anyio.sleep(0.01)
            assert await anext(stamps) == stamp
            seen.add(stamp)
        before = feed.stamp
        for _ in range(5):
            clock.advance(LOOK_SECONDS)
            await anyio.wait_all_tasks_blocked()
        assert feed.stamp == before
        await stamps.aclose()
        assert feed.listeners == 0
        tasks.cancel_scope.cancel()


async def test_images_that_are_moved_are_a_change(tmp_path: Path) -> None:
    """Also when they come back. While they lie still nothing is told; nor of what was shown long ago."""
    clock, shown = SteppedClock(), ShownFolders()
    images, old = tmp_path / "outputs" / "a", tmp_path / "old"
    images.mkdir(parents=True)
    (images / "01.png").touch()
    async with opened_table(tmp_path / "night.db", "a") as table, anyio.create_task_group() as tasks:
        feed = ChangeFeed(partial(watching, table.path), shown, clock)
        tasks.start_soon(feed.work)
        stamps = feed.stamps()
        seen = {await anext(stamps), await anext(stamps)}
        shown.show(old)
        for number in range(MOST_FOLDERS - 1):
            shown.show(tmp_path / str(number))
        shown.show(images)

        async def told() -> None:
            with anyio.fail_after(20):
                while feed.stamp in seen:
                    clock.advance(FOLDER_SECONDS)
                    await anyio.sleep(0.01)
            seen.add(await anext(stamps))

        (images / "01.png").rename(tmp_path / "01.png")
        await told()
        (tmp_path / "01.png").rename(images / "01.png")
        await told()
        images.parent.rename(tmp_path / "elsewhere")
        await told()
        old.mkdir()
        for _ in range(5):
            clock.advance(FOLDER_SECONDS)
            await anyio.wait_all_tasks_blocked()
        assert feed.stamp in seen
        await stamps.aclose()
        tasks.cancel_scope.cancel()


async def test_a_table_that_is_lost_ends_the_stream(tmp_path: Path) -> None:
    """It is told, and nobody looks any more."""
    clock = SteppedClock()
    async with opened_table(tmp_path / "night.db", "a") as table, anyio.create_task_group() as tasks:
        feed = ChangeFeed(partial(watching, table.path), ShownFolders(), clock)
        tasks.start_soon(feed.work)
        stamps = feed.stamps()
        assert [await anext(stamps) for _ in range(2)][1] > 0  # it looks by now
        table.path.rename(tmp_path / "moved.db")
        with anyio.fail_after(20):
            while feed.stamp != LOST:
                clock.advance(LOOK_SECONDS)
                await anyio.sleep(0.01)
        assert [stamp async for stamp in stamps][-1] == LOST
        (tmp_path / "moved.db").rename(table.path)


async def test_a_browser_hears_of_a_change(served: Served) -> None:
    """Over the wire, within a moment."""
    async with served.client.stream("GET", "/api/events") as response:
        assert response.headers["content-type"] == "text/event-stream"
        lines = response.aiter_lines()
        with anyio.fail_after(20):
            assert await told(lines) == "change"
            await write(served.table, "now")
            assert await told(lines) == "change"


async def test_a_quiet_stream_breathes(tmp_path: Path) -> None:
    """So that each end knows that the other is there."""
    clock = SteppedClock()
    async with served_page(tmp_path, "a", clock=clock) as served:
        await served.enter()
        async with served.client.stream("GET", "/api/events") as response:
            lines = response.aiter_lines()
            with anyio.fail_after(20):
                while await told(lines) != "change":
                    pass
                clock.advance(QUIET_SECONDS)
                while await told(lines) != "quiet":
                    pass


async def test_a_lost_table_is_told_and_the_stream_ends(served: Served) -> None:
    """The page says what to do."""
    path = served.table.path
    async with served.client.stream("GET", "/api/events") as response:
        lines = response.aiter_lines()
        with anyio.fail_after(20):
            assert await told(lines) == "change"
            path.rename(path.with_name("moved.db"))
            while (kind := await told(lines)) == "change":
                pass
            assert kind == "lost"
            assert await told(lines) == "end"
    path.with_name("moved.db").rename(path)


async def test_a_newer_nightsheet_is_told_and_the_stream_ends(served: Served) -> None:
    """What this one knows of the tables may not be true any more."""
    async with served.client.stream("GET", "/api/events") as response:
        lines = response.aiter_lines()
        with anyio.fail_after(20):
            assert await told(lines) == "change"
            upgrade(served.table.path)
            while (kind := await told(lines)) == "change":
                pass
            assert kind == "newer"
            assert await told(lines) == "end"


def upgrade(path: Path) -> None:
    """As a newer version would."""
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE more (id integer)")
        other.execute("UPDATE alembic_version SET version_num = '9999'")


async def test_streams_are_counted(served: Served) -> None:
    """A page that opens them without end gets no more; one that closes them gets one again."""
    async with anyio.create_task_group() as tasks:
        ready = anyio.Event()

        async def hold(task_status: anyio.abc.TaskStatus[None]) -> None:
            async with served.client.stream("GET", "/api/events") as response:
                lines = response.aiter_lines()
                await told(lines)
                task_status.started()
                await ready.wait()

        for _ in range(MOST_STREAMS):
            await tasks.start(hold)
        assert (await served.client.get("/api/events")).status_code == 503
        ready.set()
    with anyio.fail_after(20):
        while await _status(served.client) == 503:  # noqa: ASYNC110 - the server sees it by itself
            await anyio.sleep(0.02)


async def _status(client: httpx.AsyncClient) -> int:
    async with client.stream("GET", "/api/events") as response:
        return response.status_code


@pytest.mark.parametrize("many", [1, 3])
async def test_the_page_ends_though_streams_are_open(tmp_path: Path, many: int) -> None:
    """Ctrl-C waits for nobody."""
    async with anyio.create_task_group() as tasks:

        async def read(client: httpx.AsyncClient, task_status: anyio.abc.TaskStatus[None]) -> None:
            async with client.stream("GET", "/api/events") as response:
                lines = response.aiter_lines()
                await told(lines)
                task_status.started()
                with pytest.raises(httpx.TransportError):
                    await all_told(lines)

        with anyio.fail_after(20):
            async with served_page(tmp_path, "a") as served:
                await served.enter()
                for _ in range(many):
                    client = httpx.AsyncClient(
                        base_url=served.page.origin, cookies=served.client.cookies, trust_env=False
                    )
                    await tasks.start(read, client)
