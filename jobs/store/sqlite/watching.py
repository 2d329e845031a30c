"""Whether anybody has written to the database: a number that changes with every commit of another connection.

The number is one connection's own, so a connection is held for it. To look costs some microseconds, so the
page asks for nothing else while it stands still.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import anyio
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

import migrations
from jobs.errors import CannotWrite
from jobs.store.sqlite.thread import ConnectionThread, open_thread


class NewerSchema(CannotWrite):
    """A newer Nightsheet has changed the tables meanwhile."""


class Watch(Protocol):
    """Tells of commits."""

    async def stamp(self) -> int:
        """A number that is another one after each.

        Raises:
            CannotWrite: the table cannot be read any more.
            NewerSchema: a newer Nightsheet has been at work on it.
        """


class TableWatch:
    """Tells of commits to a file."""

    def __init__(self, path: Path, file: tuple[int, int], thread: ConnectionThread) -> None:
        self._path = path
        self._thread = thread
        self._file = file
        self._schema: int | None = None

    async def stamp(self) -> int:
        """The number as it is now.

        Raises:
            CannotWrite: the file was deleted, or another one put in its place.
            NewerSchema: a newer Nightsheet has been at work on it.
        """
        if _identity(self._path) != self._file:
            raise CannotWrite(f"{self._path} is not the file any more that was opened.")
        try:
            with anyio.CancelScope(shield=True):
                version, schema = await self._thread.run(_versions)
                if schema != self._schema and await self._thread.run(_is_newer):
                    raise NewerSchema(f"{self._path} was changed by a newer Nightsheet.")
        except sqlite3.Error as error:
            raise CannotWrite(f"{self._path} cannot be read: {error}.") from error
        self._schema = schema
        return version


@asynccontextmanager
async def watching(path: Path) -> AsyncIterator[TableWatch]:
    """Hold a connection to the database at `path`.

    Raises:
        CannotWrite: there is none, or it cannot be opened.
    """
    file = _identity(path)  # before it is opened: somebody may move it in between
    if file is None:
        raise CannotWrite(f"{path} is gone.")
    try:
        with anyio.CancelScope(shield=True):  # a thread that nobody closes keeps the process from ending
            thread = await open_thread(path, writing=False)
    except (sqlite3.Error, DBAPIError) as error:
        raise CannotWrite(f"{path} cannot be opened: {error}.") from error
    try:
        yield TableWatch(path, file, thread)
    finally:
        with anyio.CancelScope(shield=True):
            await thread.close()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _versions(connection: Connection) -> tuple[int, int]:
    """Of the data, for this connection, and of the tables."""
    driver = connection.connection.driver_connection  # outside of a transaction: within one nothing changes
    assert driver is not None
    data, schema = (
        driver.execute(f"PRAGMA {name}").fetchone()[0] for name in ("data_version", "schema_version")
    )
    return int(data), int(schema)


def _is_newer(connection: Connection) -> bool:
    driver = connection.connection.driver_connection
    assert driver is not None
    return str(driver.execute("SELECT version_num FROM alembic_version").fetchone()[0]) > migrations.HEAD
