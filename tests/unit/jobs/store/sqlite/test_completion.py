"""A look at the names of batches: nothing is changed, made or raised."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jobs.store.sqlite.completion import batch_names
from tests.support.tables import ORIGIN, opened_table, rows


async def load(path: Path, *names: str) -> None:
    async with opened_table(path, "a") as table:
        for name in names:
            await table.store.batches.load(name=name, sheet=Path(name), origin=ORIGIN, planned=rows("a"))


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_names_are_read_beside_nobody(tmp_path: Path) -> None:
    """No file is made for it."""
    path = tmp_path / "night.db"
    await load(path, "b", "a b")
    before = files(tmp_path)
    assert batch_names(path) == ["a b", "b", "night"]
    assert files(tmp_path) == before


async def test_names_are_read_beside_a_runner(tmp_path: Path) -> None:
    """What it has committed, and it is not held up."""
    path = tmp_path / "night.db"
    async with opened_table(path, "a") as table:
        await table.store.batches.load(name="b", sheet=Path("b"), origin=ORIGIN, planned=rows("a"))
        assert batch_names(path) == ["b", "night"]
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            assert batch_names(path) == ["b", "night"]


@pytest.mark.parametrize("held", [None, b"", b"not a database at all" * 99, "folder"])
def test_what_cannot_be_read_has_no_names(tmp_path: Path, held: bytes | str | None) -> None:
    """Nobody asked for an error."""
    path = tmp_path / "night.db"
    if held == "folder":
        path.mkdir()
    elif isinstance(held, bytes):
        path.write_bytes(held)
    assert batch_names(path) == []
    assert path.exists() is (held is not None)


def test_another_program_s_database_has_no_names(tmp_path: Path) -> None:
    """It is left as it is."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE batches (name)")
    before = path.read_bytes()
    assert batch_names(path) == []
    assert path.read_bytes() == before
