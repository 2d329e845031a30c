"""The only module that knows SQLite: connections, their settings, and group commit.

Power may fail at any time, and a rolled-back intent would be paid twice: the database uses WAL with
synchronous=FULL, checked on every connection. A process has one writing connection. Writes that arrive during
a commit share the next one (group commit), so many workers share an fsync. A write runs in a task of its own,
which no cancellation reaches: a cancel inside a statement was seen to leave the write lock held.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import anyio
from anyio import to_thread
from sqlalchemy import URL, event
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from jobs.errors import CannotWrite
from jobs.store.sqlite import migrate
from jobs.store.sqlite.one_name import check_one_name

T = TypeVar("T")
Operation = Callable[[AsyncConnection], Awaitable[T]]

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
_DEFECTS = (IntegrityError, DataError, ProgrammingError, InterfaceError)
"""A constraint, or a value that no column takes: a defect of Nightsheet."""
_MACOS_PRAGMAS = {"fullfsync": "1", "checkpoint_fullfsync": "1"}


class UnsafeDatabase(CannotWrite):
    """A connection rejected the settings that make commits durable."""


@dataclass(slots=True)
class _Ticket(Generic[T]):
    """A write that waits for its commit."""

    operation: Operation[T]
    result: T | None = None
    error: Exception | None = None
    settled: bool = False


class Database:
    """Concurrent reads; writes through one connection, with group commit."""

    def __init__(self, path: Path, writer: AsyncEngine, reader: AsyncEngine) -> None:
        self.path = path
        self._writer = writer
        self._reader = reader
        self._lock = anyio.Lock()
        self._waiting: list[_Ticket[Any]] = []

    async def write(self, operation: Operation[T]) -> T:
        """Run `operation` in a durable transaction, perhaps shared with others; return its result.

        It may run twice (if another operation of its group failed), so it must only execute statements.

        Raises:
            CannotWrite: the database refuses: disk full, locked for too long, or damaged.
        """
        ticket: _Ticket[T] = _Ticket(operation)
        self._waiting.append(ticket)
        return await self._settled(ticket, self._settle(ticket))

    async def write_once(self, operation: Operation[T]) -> T:
        """Like `write`, but in a transaction of its own: `operation` runs once, and may consume its input.

        Raises:
            CannotWrite: the database refuses.
        """
        ticket: _Ticket[T] = _Ticket(operation)
        return await self._settled(ticket, self._settle_alone(ticket))

    async def read(self, operation: Operation[T]) -> T:
        """Run `operation` on a read-only connection, in one consistent snapshot.

        Raises:
            CannotWrite: the database cannot be read.
        """
        scope = anyio.CancelScope(shield=True)
        with scope, _translated_errors(self.path):
            async with self._reader.begin() as connection:
                result = await operation(connection)
        return result

    async def close(self) -> None:
        """Close the file after the current commit."""
        async with self._lock:
            await self._reader.dispose()
            await self._writer.dispose()

    async def _settled(self, ticket: _Ticket[T], work: Coroutine[Any, Any, None]) -> T:
        with anyio.CancelScope(shield=True):
            # A bare `task.cancel()` ignores scopes. It ends this wait; the group's commit continues.
            await asyncio.shield(asyncio.create_task(work))
        if ticket.error is not None:
            raise ticket.error
        return ticket.result  # type: ignore[return-value]  # settled without an error: it is a T

    async def _settle(self, ticket: _Ticket[Any]) -> None:
        async with self._lock:
            if not ticket.settled:
                group, self._waiting = self._waiting, []
                await self._commit(group)

    async def _settle_alone(self, ticket: _Ticket[Any]) -> None:
        async with self._lock:
            await self._commit([ticket])

    async def _commit(self, group: list[_Ticket[Any]]) -> None:
        under_way = False
        try:
            with _translated_errors(self.path):
                async with self._writer.begin() as connection:
                    under_way = True
                    for ticket in group:
                        ticket.result = await ticket.operation(connection)
                    under_way = False
        except Exception as error:
            # One operation failed and rolled the others back: each gets a transaction of its own. But a
            # failed commit is not repeated: it may have taken effect, and would conflict with itself.
            if under_way and len(group) > 1:
                for ticket in group:
                    await self._commit([ticket])
                return
            for ticket in group:
                ticket.error = error
        for ticket in group:
            ticket.settled = True


@contextmanager
def _translated_errors(path: Path) -> Iterator[None]:
    """Translate the driver's errors into `CannotWrite`."""
    try:
        yield
    except _DEFECTS:
        raise  # of what is written, not of the disk: one row may fail, a batch must not pause
    except DBAPIError as error:
        raise CannotWrite(
            f"The database {path} refuses: {error.orig}.",
            hint="Free some space or close what holds it, then run `nightsheet resume`.",
        ) from error


@asynccontextmanager
async def open_database(path: Path, *, create: bool = True) -> AsyncIterator[Database]:
    """Open the database at `path`. It is upgraded first, and with `create` created if it does not exist.

    Raises:
        NotOurDatabase: the file is not a database of this version or an older one. It is unchanged.
        CannotWrite: it cannot be created or opened, or has a second name.
    """
    await to_thread.run_sync(check_one_name, path)
    await to_thread.run_sync(migrate.prepare if create else migrate.check, path)
    database = Database(path, _engine(path, writing=True), _engine(path, writing=False))
    try:
        yield database
    finally:
        with anyio.CancelScope(shield=True):
            await database.close()


def _engine(path: Path, *, writing: bool) -> AsyncEngine:
    options: dict[str, Any] = {"poolclass": StaticPool} if writing else {"pool_size": 2, "max_overflow": 2}
    url = URL.create("sqlite+aiosqlite", database=str(path))
    engine = create_async_engine(url, hide_parameters=True, **options)

    def on_connect(connection: Any, record: object) -> None:
        # Stop the driver from starting transactions: ours are explicit, and take the write lock at once.
        connection.isolation_level = None
        cursor = connection.cursor()
        settings = _PRAGMAS | (_MACOS_PRAGMAS if sys.platform == "darwin" else {})
        if not writing:
            settings |= {"query_only": "1"}
        for name, value in settings.items():
            cursor.execute(f"PRAGMA {name} = {value}")
            cursor.execute(f"PRAGMA {name}")
            _assert_setting(path, name, value, cursor.fetchone())
        cursor.close()

    event.listen(engine.sync_engine, "connect", on_connect)
    begin = "BEGIN IMMEDIATE" if writing else "BEGIN"
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _assert_setting(path: Path, name: str, wanted: str, got: Any) -> None:
    if got is None or str(got[0]) != wanted:
        found = "nothing" if got is None else got[0]
        raise UnsafeDatabase(
            f"{path} cannot be kept safely here: {name} is {found}, not {wanted}.",
            hint="Put the database on a local disk: network and synchronised folders cannot hold it.",
        )
