"""A connection to SQLite and its thread: work is done there whole, in one hop and back.

aiosqlite owns both. Its own methods make one hop a statement, and so does SQLAlchemy's asynchronous face of
it, through a greenlet: a job's dozen statements cost more than its requests. So a function is handed over,
and uses the connection through SQLAlchemy's plain one (docs/decisions/0018-one-hop-to-the-database.md).
"""

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from jobs.errors import CannotWrite

T = TypeVar("T")

DATABASE = "database"
"""Under this name a connection's `info` has the path of its database."""
BUSY_SECONDS = 10
"""How long a statement waits for another process's write lock."""

_PRAGMAS = {
    "foreign_keys": "1",
    "busy_timeout": str(BUSY_SECONDS * 1000),
    "journal_mode": "wal",  # a copy made with VACUUM INTO loses it
    "synchronous": "2",  # FULL
    "trusted_schema": "0",
    "cell_size_check": "1",
    "mmap_size": "0",
}
_MACOS_PRAGMAS = {"fullfsync": "1", "checkpoint_fullfsync": "1"}


class UnsafeDatabase(CannotWrite):
    """A connection rejected the settings that make commits durable."""


class ConnectionThread:
    """One open connection, and the thread that alone may use it."""

    def __init__(self, driver: aiosqlite.Connection, connection: Connection) -> None:
        self._driver = driver
        self._connection = connection

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Have `work` done on the thread; its result, or what it raises."""
        return await _in_thread(self._driver, work, self._connection)

    async def close(self) -> None:
        """Close the connection and end the thread."""
        await _in_thread(self._driver, self._connection.engine.dispose)
        await self._driver.close()


async def open_thread(path: Path, *, writing: bool) -> ConnectionThread:
    """Open the database at `path`, to write to it or only to read.

    Raises:
        UnsafeDatabase: it does not take the settings that make commits durable.
        sqlalchemy.exc.DBAPIError: it cannot be opened.
    """
    # Stop the driver from starting transactions: ours are explicit, and take the write lock at once.
    driver = await aiosqlite.connect(path, isolation_level=None)

    def connected() -> Connection:
        return engine_of(path, lambda: driver._conn, writing=writing).connect()

    try:
        return ConnectionThread(driver, await _in_thread(driver, connected))
    except BaseException:
        await driver.close()
        raise


def engine_of(path: Path, opened: Callable[[], sqlite3.Connection], *, writing: bool) -> Engine:
    """SQLAlchemy's face of one connection to the database at `path`, with the settings that keep it safe."""
    engine = create_engine("sqlite://", creator=opened, poolclass=StaticPool, hide_parameters=True)
    event.listen(engine, "connect", lambda raw, _record: _apply_settings(raw, path, writing=writing))
    event.listen(engine, "connect", lambda _raw, record: record.info.update({DATABASE: path}))
    begin = "BEGIN IMMEDIATE" if writing else "BEGIN"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def driver_of(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection."""
    raw: Any = connection.connection.dbapi_connection
    return cast("sqlite3.Connection", raw)


async def _in_thread(driver: aiosqlite.Connection, work: Callable[..., T], *arguments: Any) -> T:
    # aiosqlite has no public name for it. A test holds it to what is relied on here.
    result: T = await driver._execute(work, *arguments)  # type: ignore[no-untyped-call]
    return result


def _apply_settings(raw: sqlite3.Connection, path: Path, *, writing: bool) -> None:
    settings = _PRAGMAS | (_MACOS_PRAGMAS if sys.platform == "darwin" else {})
    if not writing:
        settings |= {"query_only": "1"}
    for name, value in settings.items():
        raw.execute(f"PRAGMA {name} = {value}")
        got = raw.execute(f"PRAGMA {name}").fetchone()
        if got is None or str(got[0]) != value:
            found = "nothing" if got is None else got[0]
            raise UnsafeDatabase(
                f"{path} cannot be kept safely here: {name} is {found}, not {value}.",
                hint="Put the database on a local disk: network and synchronised folders cannot hold it.",
            )
