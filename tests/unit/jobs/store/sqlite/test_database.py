"""Connections that keep what was paid for: settings, reads beside writes, durability, refusals."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError

from jobs.errors import CannotWrite
from jobs.store.sql.transactions import READERS
from jobs.store.sqlite import thread
from jobs.store.sqlite.database import FileDatabase, open_database
from jobs.store.sqlite.migrate import WAYS_OUT
from jobs.store.sqlite.thread import UnsafeDatabase
from tests.support.databases import add, names
from tests.support.tables import select

SETTINGS = {
    "foreign_keys": 1,
    "busy_timeout": 10_000,
    "journal_mode": "wal",
    "synchronous": 2,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "mmap_size": 0,
}


def settings(connection: Connection) -> dict[str, object]:
    """What a connection says of itself."""
    return {
        name: (connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
        for name in [*SETTINGS, "query_only"]
    }


def files(folder: Path) -> list[str]:
    """The names in a folder."""
    return sorted(found.name for found in folder.iterdir())


async def test_both_connections_have_the_settings_that_keep_what_was_paid_for(tmp_path: Path) -> None:
    """WAL with synchronous=FULL: a commit is on the disk, whatever happens to the power."""
    async with open_database(tmp_path / "night.db") as opened:
        assert await opened.write(settings) == SETTINGS | {"query_only": 0}
        assert await opened.read(settings) == SETTINGS | {"query_only": 1}


async def test_every_reading_connection_has_them(tmp_path: Path) -> None:
    """Several are open at once; none was made another way."""
    seen = []
    everyone_is_in = threading.Barrier(READERS)

    def look(connection: Connection) -> None:
        seen.append(settings(connection))
        everyone_is_in.wait(60)

    async with open_database(tmp_path / "night.db") as opened, anyio.create_task_group() as tasks:
        for _ in range(2 * READERS):
            tasks.start_soon(opened.read, look)
    assert seen == [SETTINGS | {"query_only": 1}] * 2 * READERS


@pytest.mark.parametrize("name", sorted(set(SETTINGS)))
async def test_a_setting_that_did_not_take_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """SQLite does not say so itself: it keeps another value, in silence."""
    monkeypatch.setitem(thread._PRAGMAS, name, "31337.5")
    async with open_database(tmp_path / "night.db") as opened:
        for use in (opened.write, opened.read):
            with pytest.raises(UnsafeDatabase, match=f"{name} is .+, not 31337.5") as caught:
                await use(names)
            assert "local disk" in caught.value.hint
            assert caught.value.exit_code == 73


async def test_a_database_that_lost_its_journal_mode_gets_it_back(tmp_path: Path) -> None:
    """As a copy made with VACUUM INTO has: it is whole, and must not be refused."""
    path, copy = tmp_path / "night.db", tmp_path / "copy.db"
    async with open_database(path) as opened:
        await opened.write(add("kept"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", [str(copy)])
    assert select(copy, "PRAGMA journal_mode") == [{"journal_mode": "delete"}]
    async with open_database(copy, create=False) as opened:
        assert await opened.read(names) == ["kept"]
    assert select(copy, "PRAGMA journal_mode") == [{"journal_mode": "wal"}]


async def test_a_reading_connection_cannot_write(tmp_path: Path) -> None:
    """A mistake in a list must not become a change of the table."""
    async with open_database(tmp_path / "night.db") as opened:
        with pytest.raises(CannotWrite, match="readonly"):
            await opened.read(add("x"))
        assert await opened.write(names) == []


async def test_what_write_returns_is_what_the_operation_returned(tmp_path: Path) -> None:
    """Of each its own."""
    async with open_database(tmp_path / "night.db") as opened:
        assert await opened.write(add("a")) == "a"
        assert await opened.write_once(add("b")) == "b"
        assert await opened.read(names) == ["a", "b"]


@pytest.mark.parametrize("once", [False, True])
async def test_a_write_is_on_disk_before_it_returns(tmp_path: Path, once: bool) -> None:
    """A connection that is none of ours sees it at once, while ours are still open."""
    path = tmp_path / "night.db"
    async with open_database(path) as opened:
        await (opened.write_once if once else opened.write)(add("kept"))
        assert select(path, "SELECT name FROM batch") == [{"name": "kept"}]


async def test_a_read_sees_one_moment(tmp_path: Path) -> None:
    """A write between its statements does not show: counts and lists must agree."""
    async with open_database(tmp_path / "night.db") as opened:
        between, written = anyio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def look_twice(connection: Connection) -> tuple[list[str], list[str]]:
            before = names(connection)
            loop.call_soon_threadsafe(between.set)
            assert written.wait(60)
            return before, names(connection)

        async def meanwhile() -> None:
            await between.wait()
            await opened.write(add("meanwhile"))
            written.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(meanwhile)
            assert await opened.read(look_twice) == ([], [])
        assert await opened.read(names) == ["meanwhile"]


async def test_a_broken_rule_is_no_trouble_with_the_disk(tmp_path: Path) -> None:
    """It is a defect of ours, and must not pause a batch as a full disk does."""
    async with open_database(tmp_path / "night.db") as opened:
        await opened.write(add("a"))
        with pytest.raises(IntegrityError):
            await opened.write(add("a"))
        assert await opened.write(add("b")) == "b"


async def test_a_value_that_no_column_takes_is_no_trouble_with_the_disk(tmp_path: Path) -> None:
    """Nor does it take the writes with it that share its transaction."""

    def too_long(connection: Connection) -> None:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1000)
        add("x" * 2000)(connection)

    def nul(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT '\0'")

    async with open_database(tmp_path / "night.db") as opened:
        for operation in (too_long, nul):
            with pytest.raises((DataError, ProgrammingError)):
                await opened.write(operation)
        assert await opened.write(add("b")) == "b"


async def test_a_full_disk_is_told_and_got_over(tmp_path: Path) -> None:
    """In a sentence with what to do; once there is room, the same connection writes on."""
    path = tmp_path / "night.db"

    def limit(connection: Connection, pages: int | None = None) -> None:
        now = (connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages or now}")

    async with open_database(path) as opened:
        await opened.write(limit)
        with pytest.raises(CannotWrite, match="database or disk is full") as caught:
            await opened.write(add("x" * 100_000))
        assert str(path) in caught.value.message
        assert "Free some space" in caught.value.hint
        assert await opened.read(names) == []
        await opened.write(lambda c: limit(c, 10_000))
        assert await opened.write(add("y" * 100_000)) == "y" * 100_000


@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
async def test_a_database_that_another_holds_is_told_and_got_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: str
) -> None:
    """After the wait, which is cut short here."""
    monkeypatch.setitem(thread._PRAGMAS, "busy_timeout", "20")
    path = tmp_path / "night.db"
    async with open_database(path) as opened:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute(begin)
            for _ in range(2):
                with pytest.raises(CannotWrite, match="database is locked"):
                    await opened.write(add("refused"))
            assert await opened.read(names) == []  # a reader is not kept waiting
            other.execute("ROLLBACK")
        assert await opened.write(add("taken")) == "taken"
        assert await opened.read(names) == ["taken"]


async def test_a_write_waits_for_another_process(tmp_path: Path) -> None:
    """`tune` from a second terminal does not pause a run."""
    path = tmp_path / "night.db"
    async with open_database(path) as opened, anyio.create_task_group() as tasks:
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
            other.execute("BEGIN IMMEDIATE")
            tasks.start_soon(opened.write, add("late"))
            await anyio.wait_all_tasks_blocked()
            await to_thread.run_sync(other.execute, "COMMIT")
    assert select(path, "SELECT name FROM batch") == [{"name": "late"}]


async def test_a_write_holds_the_lock_from_its_first_statement(tmp_path: Path) -> None:
    """What it reads and then acts upon cannot be changed in between by another process."""
    path = tmp_path / "night.db"

    def read_and_act(connection: Connection) -> list[str]:
        found = names(connection)
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        with closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        add("acted")(connection)
        return found

    async with open_database(path) as opened:
        assert await opened.write(read_and_act) == []
        assert await opened.read(names) == ["acted"]


async def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    """As a sentence, not as a traceback of the driver."""
    path = tmp_path / "night.db"
    async with open_database(path) as opened:
        await opened.write(add("a"))
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)  # the first page still says what it is
    path.write_bytes(content)
    damaged = FileDatabase(path)
    try:
        with pytest.raises(CannotWrite, match=r"is damaged: .* malformed") as told:
            await damaged.read(names)
        assert told.value.hint == WAYS_OUT
    finally:
        await damaged.close()


@pytest.mark.parametrize("name", ["what?x=1.db", "a#b.db", "100%25.db", "ä ö.db"])
async def test_any_name_of_a_file_will_do(tmp_path: Path, name: str) -> None:
    """None of it is read as an address."""
    path = tmp_path / name
    async with open_database(path) as opened:
        await opened.write(add("here"))
    assert select(path, "SELECT name FROM batch") == [{"name": "here"}]
    assert files(tmp_path) == [name]


async def test_nothing_is_left_beside_a_database_that_was_closed(tmp_path: Path) -> None:
    """The write-ahead log is folded into the file: one file to copy."""
    async with open_database(tmp_path / "night.db") as opened:
        await opened.write(add("a"))
        await opened.read(names)
        assert files(tmp_path) == ["night.db", "night.db-shm", "night.db-wal"]
    assert files(tmp_path) == ["night.db"]


async def test_a_parameter_is_never_shown(tmp_path: Path) -> None:
    """A prompt is nobody else's business: not even in a traceback."""
    async with open_database(tmp_path / "night.db") as opened:
        await opened.write(add("the secret prompt"))
        with pytest.raises(IntegrityError) as caught:
            await opened.write(add("the secret prompt"))
    assert "secret" not in str(caught.value)


async def test_a_database_that_is_not_there_is_not_made_by_a_reader(tmp_path: Path) -> None:
    """`status` in the wrong folder."""
    path = tmp_path / "night.db"
    with pytest.raises(CannotWrite, match="no database at"):
        async with open_database(path, create=False):
            pytest.fail("it was opened")
    assert not path.exists()


async def test_a_defect_of_a_read_is_not_its_own_cause(tmp_path: Path) -> None:
    """Whoever looks for the cause of a cause would look for ever."""

    def nul(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT '\0'")

    async with open_database(tmp_path / "night.db") as opened:
        with pytest.raises(ProgrammingError) as caught:
            await opened.read(nul)
    assert caught.value.__cause__ is not caught.value
