"""A server that goes back in time is found out at the next write, and nothing is decided by what it says."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jobs.errors import CommitsLost
from jobs.pauses import PauseReason
from jobs.store.postgres.last_commit import TABLE
from jobs.store.sql.transactions import Database
from jobs.store.store import Store
from tests.support.databases import add, names
from tests.support.postgres import Cluster, open_on_server, run
from tests.support.tables import NIGHT, new_table


@pytest.fixture
def url(cluster: Cluster, tmp_path: Path) -> str:
    """A database with our tables."""
    return cluster.place(tmp_path / "night.db")


@pytest.fixture
async def opened(url: str, tmp_path: Path) -> AsyncIterator[Database]:
    async with open_on_server(url, tmp_path / "night.db") as database:
        yield database


class Backup:
    """A copy of a database, which takes its place later, as a replica does that lagged."""

    def __init__(self, cluster: Cluster, url: str) -> None:
        self._cluster = cluster
        self._name = url.rpartition("/")[2]
        self._end_connections()
        cluster.administer(f"CREATE DATABASE {self._name}_old TEMPLATE {self._name} STRATEGY file_copy")

    def takes_over(self) -> None:
        self._end_connections()
        self._cluster.administer(f"DROP DATABASE {self._name} WITH (FORCE)")
        self._cluster.administer(f"ALTER DATABASE {self._name}_old RENAME TO {self._name}")

    def _end_connections(self) -> None:
        self._cluster.administer(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{self._name}'"
        )


async def test_a_server_that_went_back_in_time_is_found_out(
    cluster: Cluster, url: str, tmp_path: Path, opened: Database
) -> None:
    """At the first write after the connection is opened again; whoever comes new may write."""
    await opened.write(add("a"))
    backup = Backup(cluster, url)
    await opened.write(add("b"))
    backup.takes_over()
    for write in (opened.write, opened.write_once, opened.write):
        with pytest.raises(CommitsLost, match="went back in time") as caught:
            await write(add("c"))
        assert caught.value.pause is PauseReason.GUARD
    assert await opened.read(names) == ["a"]
    async with open_on_server(url, tmp_path / "other.db") as other:
        await other.write(add("d"))
        with pytest.raises(CommitsLost):  # nobody who goes on there hides it
            await opened.write(add("e"))
        assert await other.read(names) == ["a", "d"]


async def test_a_server_that_lost_nothing_of_ours_goes_on(
    cluster: Cluster, url: str, opened: Database
) -> None:
    """A failover to a replica that had all of it, or a restart."""
    await opened.write(add("a"))
    Backup(cluster, url).takes_over()
    await opened.write(add("b"))
    assert await opened.read(names) == ["a", "b"]


@pytest.mark.parametrize("lost", ["DELETE FROM {}", "UPDATE {} SET number = number - 1"])
async def test_a_restore_beneath_an_open_connection_is_found_out(
    url: str, opened: Database, lost: str
) -> None:
    """A schema is restored into a server that never went away: every transaction looks."""
    await opened.write(add("a"))
    run(url, lost.format(TABLE))
    with pytest.raises(CommitsLost):
        await opened.write(add("b"))
    assert await opened.read(names) == ["a"]


async def test_a_pause_is_written_all_the_same(cluster: Cluster, url: str, opened: Database) -> None:
    """So that the other runners stop as well; nothing else is, before or after it."""
    table = await new_table(opened, "a")
    store: Store = table.store
    await store.batches.pause(
        table.batch.id, PauseReason.DISK, "full"
    )  # nothing is lost: it counts as others do
    await store.batches.agree(table.batch.id)
    backup = Backup(cluster, url)
    await opened.write(add("b"))
    backup.takes_over()
    for _ in range(2):
        with pytest.raises(CommitsLost):
            await store.batches.unpause(table.batch.id)
        await store.batches.pause(table.batch.id, PauseReason.GUARD, "went back")
    paused = (await store.batches.get(table.batch.id)).paused
    assert paused is not None
    assert (paused.reason, paused.detail, paused.since) == (PauseReason.GUARD, "went back", NIGHT)


async def test_each_process_has_a_row_of_its_own(url: str, tmp_path: Path, opened: Database) -> None:
    """With the number of its last transaction: one that was refused leaves none."""
    await opened.write(add("a"))
    async with open_on_server(url, tmp_path / "other.db") as other:
        await other.write(add("b"))
        await opened.write(add("c"))
        rows = run(url, f"SELECT number FROM {TABLE} ORDER BY number")
        with pytest.raises(Exception, match="batch_name"):
            await opened.write(add("c"))
        assert run(url, f"SELECT number FROM {TABLE} ORDER BY number") == rows
    assert len(rows) == 2
