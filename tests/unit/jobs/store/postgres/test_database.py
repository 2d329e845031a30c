"""Transactions on a server: what is committed is kept and is written once, however the connection ends."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import Connection, text

from jobs.errors import CannotWrite
from jobs.store.sql.transactions import Database
from jobs.store.sqlite.notices import version_notice
from jobs.store.sqlite.thread import UnsafeDatabase
from tests.support.cut_connections import Cut, way_to
from tests.support.databases import add, names
from tests.support.postgres import Cluster, open_on_server, run
from tests.support.tables import Gate


class Slept:
    """Waits for nothing, and remembers how long it was to be."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await anyio.lowlevel.checkpoint()


@pytest.fixture
def slept() -> Slept:
    return Slept()


@pytest.fixture
def url(cluster: Cluster, tmp_path: Path) -> str:
    """A database with our tables."""
    return cluster.place(tmp_path / "night.db")


@pytest.fixture
async def opened(url: str, tmp_path: Path, slept: Slept) -> AsyncIterator[Database]:
    async with open_on_server(url, tmp_path / "night.db", slept) as database:
        yield database


def end_connections(cluster: Cluster, url: str) -> None:
    """As a restart does to those who are connected."""
    cluster.administer(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{url.rpartition('/')[2]}'"
    )


async def test_a_connection_that_ended_is_opened_again(cluster: Cluster, url: str, opened: Database) -> None:
    """The night does not pause for it: neither who writes nor who reads learns of it."""
    await opened.write(add("a"))
    assert await opened.read(names) == ["a"]
    end_connections(cluster, url)
    await opened.write(add("b"))
    assert await opened.read(names) == ["a", "b"]
    end_connections(cluster, url)
    assert await opened.read(names) == ["a", "b"]


async def test_what_was_under_way_is_made_again(cluster: Cluster, url: str, opened: Database) -> None:
    """Nothing of it was committed: once more is once."""
    tries: list[int] = []

    def write(connection: Connection) -> str:
        tries.append(1)
        if len(tries) == 1:
            end_connections(cluster, url)
        return add("a")(connection)

    assert await opened.write(write) == "a"
    assert len(tries) == 2
    assert await opened.read(names) == ["a"]


async def test_what_runs_once_is_not_made_again(cluster: Cluster, url: str, opened: Database) -> None:
    """A sheet is a stream: it is told that nothing was kept."""
    tries: list[int] = []

    def load(connection: Connection) -> None:
        tries.append(1)
        add("a")(connection)
        end_connections(cluster, url)
        add("b")(connection)

    with pytest.raises(CannotWrite, match="cannot be reached"):
        await opened.write_once(load)
    assert len(tries) == 1
    assert await opened.read(names) == []
    await opened.write_once(add("c"))
    assert await opened.read(names) == ["c"]


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("cut", ["before", "after"])
async def test_the_server_is_asked_what_became_of_a_commit(
    cluster: Cluster, url: str, tmp_path: Path, slept: Slept, cut: Cut, alone: bool
) -> None:
    """Cut off before it came there, it is made again, if it can be. Cut off after, it is kept, and once:
    a name that is written twice is refused."""
    async with way_to(cluster.port) as way:
        aside = url.replace(f":{cluster.port}/", f":{way.port}/")
        async with open_on_server(aside, tmp_path / "aside.db", slept) as database:
            await database.write(add("first"))
            way.cut = cut
            write = database.write_once if alone else database.write
            if alone and cut == "before":
                with pytest.raises(CannotWrite, match="cannot be reached"):
                    await write(add("a"))
            else:
                assert await write(add("a")) == "a"
            assert way.cut is None
            kept = ["first"] if alone and cut == "before" else ["first", "a"]
            assert await database.read(names) == kept


async def test_a_deadlock_is_made_again(url: str, opened: Database) -> None:
    """With somebody who does not know our lock."""
    tries: list[int] = []

    def write(connection: Connection) -> str:
        tries.append(1)
        if len(tries) == 1:
            connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'stuck' USING ERRCODE = '40P01'; END $$"))
        return add("a")(connection)

    assert await opened.write(write) == "a"
    assert len(tries) == 2


async def test_one_refused_write_leaves_its_neighbours_alone(opened: Database) -> None:
    """A row may fail, a batch must not pause: the defect is for who made it."""
    ended: dict[str, Any] = {}

    async def write(number: str, name: str) -> None:
        try:
            ended[number] = await opened.write(add(name))
        except Exception as error:
            ended[number] = error

    async with anyio.create_task_group() as tasks:
        gate = Gate(lambda _connection: None)
        tasks.start_soon(opened.write, gate)
        await gate.entered.wait()
        for number, name in (("1", "a"), ("2", "a"), ("3", "b")):
            tasks.start_soon(write, number, name)
        await anyio.lowlevel.checkpoint()
        gate.opened.set()
    assert ended["1"] == "a"
    assert "batch_name" in str(ended["2"])
    assert not isinstance(ended["2"], CannotWrite)
    assert ended["3"] == "b"


async def test_one_writes_at_a_time(url: str, tmp_path: Path, opened: Database, slept: Slept) -> None:
    """A second process waits for the first one's transaction, and sees what that wrote: as in a file."""
    async with (
        open_on_server(url, tmp_path / "other.db", slept) as other,
        anyio.create_task_group() as tasks,
    ):
        found: list[list[str]] = []

        async def look() -> None:
            found.append(await other.write(names))

        gate = Gate(add("a"))
        tasks.start_soon(opened.write, gate)
        await gate.entered.wait()
        tasks.start_soon(look)
        waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while not found and not await anyio.to_thread.run_sync(run, url, waiting):
            await anyio.lowlevel.checkpoint()
        gate.opened.set()
    assert found == [["a"]]


async def test_a_reader_sees_one_moment_and_cannot_write(opened: Database) -> None:
    """Both of its looks are the same, though somebody has written in between."""
    async with anyio.create_task_group() as tasks:
        before: list[str] = []

        def look(connection: Connection) -> None:
            before.extend(names(connection))

        class Looking(Gate[list[str]]):
            def __call__(self, connection: Connection) -> list[str]:
                look(connection)
                return super().__call__(connection)

        gate = Looking(names)
        after: list[list[str]] = []

        async def read() -> None:
            after.append(await opened.read(gate))

        tasks.start_soon(read)
        await gate.entered.wait()
        await opened.write(add("a"))
        gate.opened.set()
    assert before == []
    assert after == [[]]
    with pytest.raises(CannotWrite, match="takes no writes"):
        await opened.read(add("b"))


async def test_a_server_that_stays_away_is_told_of(cluster: Cluster, opened: Database, slept: Slept) -> None:
    """After two minutes; when it is back, all goes on."""
    await opened.write(add("a"))
    await opened.read(names)
    cluster.control("-m", "immediate", "stop")
    try:
        with pytest.raises(CannotWrite, match="cannot be reached") as caught:
            await opened.write(add("b"))
        assert "nightsheet resume" in caught.value.hint
        assert 100 < sum(slept.seconds) <= 120
        with pytest.raises(CannotWrite, match="cannot be reached"):
            await opened.read(names)
    finally:
        cluster.control("-l", str(cluster.folder / "log"), "start")
    await opened.write(add("c"))
    assert await opened.read(names) == ["a", "c"]


async def test_a_server_that_loses_commits_is_refused(
    cluster: Cluster, url: str, tmp_path: Path, slept: Slept
) -> None:
    """A crash would forget what was paid for."""

    def tell(setting: str) -> None:
        cluster.administer(f"ALTER SYSTEM SET {setting}")
        cluster.administer("SELECT pg_reload_conf()")
        name, _, value = setting.partition(" = ")
        while run(url, f"SHOW {name}") != [{name: value}]:
            pass

    tell("full_page_writes = off")
    try:
        with pytest.raises(UnsafeDatabase, match="full_page_writes is off"):
            async with open_on_server(url, tmp_path / "night.db", slept):
                pass
    finally:
        tell("full_page_writes = on")


async def test_commits_are_waited_for_whatever_the_role_is_set_to(
    cluster: Cluster, url: str, tmp_path: Path, slept: Slept
) -> None:
    """A database may be set to tell of commits before they are kept: not for us."""
    database = url.rpartition("/")[2]
    cluster.administer(f"ALTER DATABASE {database} SET synchronous_commit = off")

    def shown(connection: Connection) -> str:
        return str(connection.exec_driver_sql("SHOW synchronous_commit").scalar_one())

    async with open_on_server(url, tmp_path / "night.db", slept) as opened:
        assert await opened.write(shown) == "on"


async def test_nobody_is_told_of_a_bug_of_sqlite(opened: Database) -> None:
    """This Python may have it; the tables are not in a file."""
    assert await version_notice(opened, (3, 40, 1)) is None


async def test_characters_that_no_column_takes_are_replaced(opened: Database) -> None:
    """One of them in an API's message is no trouble with the disk."""
    assert await opened.write(add("a\0b")) == "a\0b"
    assert await opened.read(names) == ["a\N{REPLACEMENT CHARACTER}b"]
