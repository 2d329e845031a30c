"""Transactions in a file of SQLite: durable writes with group commit, and consistent reads.

Power may fail at any time, and a rolled-back intent would be paid twice: the database uses WAL with
synchronous=FULL, checked on every connection.
"""

import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
from anyio import to_thread
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, ProgrammingError

from jobs.errors import CannotWrite
from jobs.store.sql.connections import HeldConnection
from jobs.store.sql.retirement import check_in_use
from jobs.store.sql.transactions import Database, Operation, WaitingWrite, Written, read_in_one
from jobs.store.sqlite import migrate
from jobs.store.sqlite.keeping import keep_counts
from jobs.store.sqlite.marking import mark_changes
from jobs.store.sqlite.migrate import WAYS_OUT
from jobs.store.sqlite.one_name import check_one_name
from jobs.store.sqlite.thread import engine_of, open_thread
from jobs.store.sqlite.watching import Watch, watching

T = TypeVar("T")

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_DEFECTS = (
    *(IntegrityError, DataError, ProgrammingError, InterfaceError),
    *(sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError),
)
"""A constraint, or a value that no column takes: a defect of Nightsheet."""


class FileDatabase(Database):
    """A database in a file."""

    async def read(self, operation: Operation[T]) -> T:
        """Run `operation` on a read-only connection, in one consistent snapshot.

        Raises:
            CannotWrite: the database cannot be read.
        """
        with anyio.CancelScope(shield=True):
            async with self._reading:
                try:
                    reader = self._readers.pop() if self._readers else await self._open(writing=False)
                    try:
                        result = await reader.run(partial(read_in_one, operation))
                    finally:
                        self._readers.append(reader)
                except (DBAPIError, sqlite3.Error) as error:
                    told = _told(self.path, error)
                    raise told from told.__cause__  # a defect stays as it is, and is not its own cause
        return result

    def check_alive(self, connection: Connection) -> None:
        """The lock beside a file is held as long as its process lives."""

    def watching(self) -> AbstractAsyncContextManager[Watch]:
        """Hold a connection that sees whether anybody has written.

        Raises:
            CannotWrite: there is no file, or it cannot be opened.
        """
        return watching(self.path)

    async def _open(self, *, writing: bool) -> HeldConnection:
        thread = await open_thread(self.path, writing=writing)
        try:
            if writing:
                await thread.run(keep_counts)
                await thread.run(mark_changes)
        except BaseException:
            await thread.close()
            raise
        return thread

    async def _commit(self, group: Sequence[WaitingWrite[Any]]) -> list[Written]:
        try:
            if self._writer is None:
                self._writer = await self._open(writing=True)
        except (DBAPIError, sqlite3.Error, CannotWrite) as error:
            return [Written(error=_told(self.path, error))] * len(group)
        return await self._writer.run(partial(_commit, self.path, [ticket.operation for ticket in group]))


def _commit(path: Path, group: Sequence[Operation[Any]], connection: Connection) -> list[Written]:
    """Commit a group in one transaction, on the connection's thread."""
    under_way = True
    try:
        with connection.begin():
            check_in_use(connection, str(path))
            results = [operation(connection) for operation in group]
            under_way = False
    except Exception as error:
        # One operation failed and rolled the others back: each gets a transaction of its own. But a failed
        # commit is not repeated: it may have taken effect, and would conflict with itself.
        if under_way and len(group) > 1:
            return [outcome for alone in group for outcome in _commit(path, [alone], connection)]
        return [Written(error=_told(path, error))] * len(group)
    return [Written(result) for result in results]


def _told(path: Path, error: Exception) -> Exception:
    """The error for who asked: the driver's own as `CannotWrite`, but for a defect of what is written."""
    if not isinstance(error, DBAPIError | sqlite3.Error) or isinstance(error, _DEFECTS):
        return error  # one row may fail, a batch must not pause
    raw = error.orig if isinstance(error, DBAPIError) else error
    damaged = (getattr(raw, "sqlite_errorcode", 0) & 0xFF) in _DAMAGED
    told = CannotWrite(
        f"The database {path} {'is damaged' if damaged else 'refuses'}: {raw}.",
        hint=WAYS_OUT if damaged else "Free some space or close what holds it, then run `nightsheet resume`.",
    )
    told.__cause__ = error
    return told


@asynccontextmanager
async def open_database(path: Path, *, create: bool = True) -> AsyncIterator[FileDatabase]:
    """Open the database at `path`. It is upgraded first, and with `create` created if it does not exist.

    Raises:
        NotOurDatabase: the file is not a database of this version or an older one. It is unchanged.
        CannotWrite: it cannot be created or opened, or has a second name.
    """
    await to_thread.run_sync(check_one_name, path)
    await to_thread.run_sync(migrate.prepare if create else migrate.check, path)
    database = FileDatabase(path)
    try:
        yield database
    finally:
        with anyio.CancelScope(shield=True):
            await database.close()


@contextmanager
def transaction_in(path: Path) -> Iterator[Connection]:
    """A transaction that alone writes to a file, on a connection of its own. Blocks.

    Nothing is counted or marked with what it writes.

    Raises:
        CannotWrite: the database refuses, and is as it was.
    """
    engine = engine_of(path, lambda: sqlite3.connect(path, isolation_level=None), writing=True)
    try:
        with engine.begin() as connection:
            yield connection
    except (DBAPIError, sqlite3.Error) as error:
        told = _told(path, error)
        raise told from told.__cause__
    finally:
        engine.dispose()
