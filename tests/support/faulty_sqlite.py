"""SQLite on a disk that fails, at the driver: its errors as they arise, and the state that they leave.

On a full disk and an I/O error SQLite has often rolled the transaction back by itself when it tells; on a
lock never. The worst is a commit that reports an I/O error and is found done afterwards: its frames were
written, and only the last sync failed.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any
from unittest import mock

from tests.support.fuse import Fuse

_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE", "CREATE", "SAVEPOINT", "RELEASE"})


class Way(StrEnum):
    """How an operation fails."""

    FULL = "full"
    """The disk is full; the transaction is still open."""
    IO = "io"
    """An I/O error; SQLite has rolled back."""
    LATE = "late"
    """A commit says that it failed, and has not: everything else fails as with `IO`."""
    LOCKED = "locked"
    """Another process holds the lock: at the beginning of a transaction, where else it cannot be."""


_WORDS = {
    Way.FULL: "database or disk is full",
    Way.IO: "disk I/O error",
    Way.LATE: "disk I/O error",
    Way.LOCKED: "database is locked",
}


class _Failing:
    """Which operations count, and what happens to the one that fails."""

    def __init__(self, fuse: Fuse, way: Way, *, reads: bool) -> None:
        self.fuse = fuse
        self.way = way
        self.reads = reads

    def counts(self, statement: str) -> bool:
        word = statement.split(maxsplit=1)[0].upper()
        if self.reads:
            return word in ("SELECT", "PRAGMA")
        begins = statement.upper().startswith("BEGIN IMMEDIATE")
        return begins or (word in _CHANGES and self.way is not Way.LOCKED)

    def fail(self, connection: sqlite3.Connection) -> None:
        if self.way in (Way.IO, Way.LATE) and connection.in_transaction:
            sqlite3.Connection.rollback(connection)
        raise sqlite3.OperationalError(_WORDS[self.way])

    def at_commit(self, connection: sqlite3.Connection) -> None:
        if self.reads or self.way is Way.LOCKED or not connection.in_transaction or not self.fuse.blows():
            return
        if self.way is Way.LATE:
            sqlite3.Connection.commit(connection)
        self.fail(connection)


def _connections(failing: _Failing) -> type[sqlite3.Connection]:
    class Cursor(sqlite3.Cursor):
        def execute(self, statement: str, values: Any = (), /) -> Any:
            self._look(statement)
            return super().execute(statement, values)

        def executemany(self, statement: str, values: Any, /) -> Any:
            self._look(statement)
            return super().executemany(statement, values)

        def _look(self, statement: str) -> None:
            if failing.counts(statement) and failing.fuse.blows():
                failing.fail(self.connection)

    class Connection(sqlite3.Connection):
        def cursor(self, *_arguments: Any) -> Any:
            return super().cursor(Cursor)

        def execute(self, statement: str, values: Any = (), /) -> Any:
            return self.cursor().execute(statement, values)

        def commit(self) -> None:
            failing.at_commit(self)
            super().commit()

    return Connection


@contextmanager
def failing_sqlite(fuse: Fuse, way: Way, *, reads: bool = False) -> Iterator[None]:
    """Every connection that is opened in the block fails where the fuse says: at what changes the database,
    or with `reads` at what looks at it."""
    factory = _connections(_Failing(fuse, way, reads=reads))
    real: Callable[..., sqlite3.Connection] = sqlite3.connect

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return real(*arguments, **(options | {"factory": factory}))

    with mock.patch("sqlite3.connect", connect):
        yield
