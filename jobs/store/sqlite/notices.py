"""What a person should know about a database: a log that only grows, and a version of SQLite with a bug."""

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from jobs.store.sql.transactions import Database

Version = tuple[int, int, int]

LARGEST_WAL_BYTES = 64 * 1024 * 1024
"""SQLite empties the log at about 4 MB, unless somebody reads on in it."""

_FIRST_WITH_THE_BUG = (3, 7, 0)
_FIRST_WITHOUT = (3, 51, 3)
_MENDED_BRANCHES = {(3, 44): 6, (3, 50): 7}
"""The first release of an older branch that has the fix, too."""


def running_version() -> Version:
    """The version of the SQLite that this Python brings along."""
    return sqlite3.sqlite_version_info[:3]


def wal_notice(path: Path) -> str | None:
    """What to do about a large log beside the database at `path`; None while it is small."""
    try:
        size = Path(f"{path}-wal").stat().st_size
    except OSError:
        return None
    if size <= LARGEST_WAL_BYTES:
        return None
    return (
        f"{path}-wal has grown beyond {LARGEST_WAL_BYTES // 1024**2} MB: another program has been reading "
        "the database for a long time, and SQLite cannot empty this file meanwhile. Nothing is lost, but the "
        "disk fills up. Close what has the database open, such as a viewer or a backup; do not delete this."
    )


async def version_notice(database: "Database", version: Version) -> str | None:
    """The warning of a version that may damage a database; None if it has no bug, or this database was told.

    The database remembers the version that it was told of: another one is told again.
    """
    if not has_wal_reset_bug(version):
        return None
    number = version[0] * 1_000_000 + version[1] * 1_000 + version[2]

    def told(connection: "Connection") -> int:
        if connection.dialect.name != "sqlite":
            return number  # it is no concern of a server's
        return int((connection.exec_driver_sql("PRAGMA user_version")).scalar_one())

    def tell(connection: "Connection") -> None:
        connection.exec_driver_sql(f"PRAGMA user_version = {number}")

    if await database.read(told) == number:
        return None
    await database.write(tell)
    return (
        f"This Python comes with SQLite {'.'.join(map(str, version))}, which has a rare bug: two processes "
        "that write to one database in the very same moment may damage it. While a run is at work, use "
        "`pause`, `tune`, `cancel`, `retry` and `review` sparingly, or install a Python with SQLite 3.51.3 "
        "or newer (3.50.7 and 3.44.6 are fixed as well). This is said once for each database."
    )


def has_wal_reset_bug(version: Version) -> bool:
    """Whether SQLite may damage a database in WAL mode that two connections write to at one moment."""
    mended = _MENDED_BRANCHES.get(version[:2])
    return _FIRST_WITH_THE_BUG <= version < _FIRST_WITHOUT and (mended is None or version[2] < mended)
