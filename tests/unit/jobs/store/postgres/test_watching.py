"""Whether anybody has written to the database on a server: a number that grows with each commit of ours."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jobs.errors import CannotWrite
from jobs.store.postgres.address import address_of
from jobs.store.postgres.watching import watching_server
from jobs.store.sqlite.watching import NewerSchema, Watch
from tests.support.databases import add, names
from tests.support.postgres import Cluster, open_on_server, run


@pytest.fixture
def url(cluster: Cluster, tmp_path: Path) -> str:
    """A database with our tables."""
    return cluster.place(tmp_path / "night.db")


@pytest.fixture
async def watch(url: str, tmp_path: Path) -> AsyncIterator[Watch]:
    async with watching_server(address_of(url), tmp_path / "page.db") as watch:
        yield watch


async def test_a_commit_of_anybody_is_seen(url: str, tmp_path: Path, watch: Watch) -> None:
    """Of a process that stays, and of one that comes and goes; a look and a read change nothing."""
    stamps = [await watch.stamp()]
    async with open_on_server(url, tmp_path / "night.db") as night:
        await night.write(add("a"))
        stamps.append(await watch.stamp())
        await night.read(names)
        assert await watch.stamp() == stamps[-1]
        async with open_on_server(url, tmp_path / "other.db") as other:
            await other.write(add("b"))
        stamps.append(await watch.stamp())
        await night.write(add("c"))
    stamps.append(await watch.stamp())
    assert stamps == sorted(set(stamps))
    assert await watch.stamp() == stamps[-1]


async def test_what_was_refused_is_no_change(url: str, tmp_path: Path, watch: Watch) -> None:
    """A transaction that was rolled back."""
    async with open_on_server(url, tmp_path / "night.db") as night:
        await night.write(add("a"))
        before = await watch.stamp()
        with pytest.raises(Exception, match="batch_name"):
            await night.write(add("a"))
        assert await watch.stamp() == before


async def test_a_newer_nightsheet_is_told(url: str, watch: Watch) -> None:
    """It has changed the tables under this one."""
    await watch.stamp()
    run(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NewerSchema):
        await watch.stamp()


async def test_tables_that_are_gone_are_told(url: str, watch: Watch) -> None:
    """The page says that it is lost."""
    await watch.stamp()
    run(url, "ALTER SCHEMA nightsheet RENAME TO moved")
    with pytest.raises(CannotWrite):
        await watch.stamp()
