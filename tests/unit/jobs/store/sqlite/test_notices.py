"""A log that only grows, and a version of SQLite with a bug: told in a sentence, once."""

from pathlib import Path

import pytest

from jobs.store.sqlite.database import open_database
from jobs.store.sqlite.notices import (
    LARGEST_WAL_BYTES,
    Version,
    has_wal_reset_bug,
    running_version,
    version_notice,
    wal_notice,
)

BAD: Version = (3, 40, 1)


@pytest.mark.parametrize(
    ("version", "bug"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 44, 9), False),
        ((3, 45, 6), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_which_versions_have_the_bug(version: Version, bug: bool) -> None:
    assert has_wal_reset_bug(version) is bug


def test_the_version_that_runs_is_one() -> None:
    """As three numbers, of which the first has been 3 for long."""
    assert len(running_version()) == 3
    assert running_version() >= (3, 7, 0)


async def test_a_database_is_told_once_of_a_version(tmp_path: Path) -> None:
    """Not with every command, and again where another version has the bug as well."""
    path = tmp_path / "night.db"
    async with open_database(path) as opened:
        said = await version_notice(opened, BAD)
        assert said is not None
        assert "SQLite 3.40.1" in said
        assert await version_notice(opened, BAD) is None
    async with open_database(path, create=False) as opened:
        assert await version_notice(opened, BAD) is None
        assert await version_notice(opened, (3, 51, 3)) is None
        again = await version_notice(opened, (3, 50, 4))
        assert again is not None
        assert "SQLite 3.50.4" in again
    async with open_database(tmp_path / "other.db") as opened:
        assert await version_notice(opened, BAD) == said


@pytest.mark.parametrize(
    ("size", "told"), [(None, False), (LARGEST_WAL_BYTES, False), (LARGEST_WAL_BYTES + 1, True)]
)
def test_a_log_that_only_grows(tmp_path: Path, size: int | None, told: bool) -> None:
    """It is a sparse file here."""
    path = tmp_path / "night.db"
    if size is not None:
        with Path(f"{path}-wal").open("wb") as file:
            file.truncate(size)
    said = wal_notice(path)
    assert (said is not None) is told
    if said is not None:
        assert f"{path}-wal has grown beyond 64 MB" in said
        assert "Close what has the database open" in said
