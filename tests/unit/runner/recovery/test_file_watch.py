"""The database's files are looked at while a run has them open."""

from pathlib import Path

import pytest

from jobs.errors import CannotWrite
from runner.recovery.file_watch import FileWatch


@pytest.fixture
def database(tmp_path: Path) -> Path:
    for suffix in ("", "-wal", ".lock"):
        (tmp_path / f"night.db{suffix}").touch()
    return tmp_path / "night.db"


@pytest.mark.parametrize("suffix", ["", "-wal", ".lock"])
def test_a_file_that_is_gone_or_another_one(database: Path, suffix: str) -> None:
    """Which, and what follows."""
    files = FileWatch(database)
    files.look()
    path = database.with_name(f"night.db{suffix}")
    other = database.with_name("other")
    other.touch()
    other.replace(path)
    with pytest.raises(CannotWrite, match="was replaced while this run had it open"):
        files.look()
    path.unlink()
    with pytest.raises(CannotWrite, match="was removed"):
        files.look()


def test_what_is_written_into_them_is_nothing(database: Path) -> None:
    """That is what they are there for."""
    files = FileWatch(database)
    database.write_text("more")
    files.look()


def test_an_older_copy_written_into_the_database(database: Path) -> None:
    """`cp backup.db night.db`: the same file, and less in it."""
    files = FileWatch(database)
    database.write_text("more")
    files.look()
    database.write_text("old")
    with pytest.raises(CannotWrite, match=r"night\.db was written over while this run had it open"):
        files.look()
