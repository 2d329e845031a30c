"""Whether anybody has written: a number that changes with others' commits, and a file that is another one."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from jobs.errors import CannotWrite
from jobs.pauses import PauseReason
from jobs.store.sqlite.thread import ConnectionThread, open_thread
from jobs.store.sqlite.watching import NewerSchema, TableWatch, watching
from tests.support.tables import opened_table


async def test_a_commit_of_another_connection_is_seen(tmp_path: Path) -> None:
    """And nothing else: a look, and a read, change nothing."""
    async with opened_table(tmp_path / "night.db", "a") as table, watching(table.path) as watch:
        before = await watch.stamp()
        await table.store.jobs.counts(table.batch.id)
        assert await watch.stamp() == before
        await table.store.batches.pause(table.batch.id, PauseReason.PERSON, "why")
        after = await watch.stamp()
        assert after != before
        assert await watch.stamp() == after


@pytest.mark.parametrize("is_replaced", [False, True])
async def test_a_file_that_is_gone_or_another_one_is_told(tmp_path: Path, is_replaced: bool) -> None:
    """A restored backup under the same name would be watched for ever, and never change."""
    async with opened_table(tmp_path / "night.db", "a") as table:
        async with watching(table.path) as watch:
            await watch.stamp()
            table.path.rename(tmp_path / "moved.db")
            if is_replaced:
                (tmp_path / "night.db").write_bytes(b"another")
            with pytest.raises(CannotWrite, match="not the file any more"):
                await watch.stamp()
        (tmp_path / "moved.db").replace(table.path)


async def test_a_newer_nightsheet_is_told(tmp_path: Path) -> None:
    """It has changed the tables under this one. A change of them that is no newer version is none."""
    async with opened_table(tmp_path / "night.db", "a") as table, watching(table.path) as watch:
        await watch.stamp()
        with closing(sqlite3.connect(table.path)) as other, other:
            other.execute("CREATE TABLE more (id integer)")
        await watch.stamp()
        with closing(sqlite3.connect(table.path)) as other, other:
            other.execute("UPDATE alembic_version SET version_num = '9999'")
            other.execute("DROP TABLE more")
        for _ in range(2):
            with pytest.raises(NewerSchema):
                await watch.stamp()


async def test_a_database_that_fails_is_told(tmp_path: Path) -> None:
    """In words, whatever the driver raises."""

    class Failing:
        async def run(self, _work: object) -> int:
            raise sqlite3.OperationalError("disk I/O error")

    path = tmp_path / "night.db"
    path.touch()
    file = (path.stat().st_dev, path.stat().st_ino)
    with pytest.raises(CannotWrite, match="disk I/O error"):
        await TableWatch(path, file, Failing()).stamp()  # type: ignore[arg-type]


async def test_a_database_that_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    """Moved in the moment in which the page began."""
    path = tmp_path / "night.db"
    with pytest.raises(CannotWrite, match="is gone"):
        async with watching(path):
            pass
    assert not path.exists()


async def test_a_database_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """In words as well."""
    path = tmp_path / "night.db"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(CannotWrite, match="cannot be opened"):
        async with watching(path):
            pass


async def test_a_database_that_moves_while_it_is_opened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody would ever hear that the page looks at another file."""

    def move(path: Path) -> None:
        path.rename(tmp_path / "moved.db")

    async with opened_table(tmp_path / "night.db", "a") as table:

        async def moving(path: Path, *, writing: bool) -> ConnectionThread:
            thread = await open_thread(path, writing=writing)
            move(path)
            return thread

        monkeypatch.setattr("jobs.store.sqlite.watching.open_thread", moving)
        async with watching(table.path) as watch:
            with pytest.raises(CannotWrite):
                await watch.stamp()
        (tmp_path / "moved.db").rename(table.path)


async def test_a_watch_that_is_cancelled_leaves_no_thread(tmp_path: Path) -> None:
    """Ctrl-C at any moment: a thread that nobody closes keeps the process from ending."""
    async with opened_table(tmp_path / "night.db", "a") as table:
        before = {*threading.enumerate()}
        for turns in range(12):

            async def watch() -> None:
                async with watching(table.path) as watch:
                    while True:
                        await watch.stamp()
                        await anyio.lowlevel.checkpoint()

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(watch)
                for _ in range(turns):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
        left = [one for one in threading.enumerate() if one not in before and "connection" in one.name]
        for thread in left:
            thread.join(20)
        assert not any(thread.is_alive() for thread in left)
