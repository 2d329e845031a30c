"""Who works on a database of a server: one process at a time, by a lock that the server itself lets go of.

The lock is a session's, so that it is gone with its process, its machine or its connection. A runner may not
hear of that: it was stopped, or cut off. So who takes the lock also counts up the epoch in the table, in a
transaction of the store's write lock; and each intent is committed in a transaction of that lock which finds
the epoch of its own runner there (`check_epoch`). Whatever became of the lock meanwhile: a runner that
another one has followed commits no intent any more, and so sends nothing.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection, select

from jobs.errors import LockLost
from jobs.store.postgres.address import Address
from jobs.store.postgres.connection import WRITE_LOCK, connect
from jobs.store.postgres.errors import told
from jobs.store.schema import IDENTITY

T = TypeVar("T")

LEASE_SECONDS = 30
"""So long a holder may stand still before the server ends its session: it was stopped, or is cut off."""

_KEY = f"{WRITE_LOCK}, 1"
_HELD = (
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"  # noqa: S608
    f" AND classid = {WRITE_LOCK} AND objid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)
_BEGIN = "UPDATE identity SET epoch = epoch + 1, holder = %s RETURNING epoch"
_SIGN = "UPDATE identity SET holder = %s WHERE epoch = %s AND holder IS DISTINCT FROM %s"


class ServerLock:
    """The lock, on a connection of its own. Every method blocks, and one thread at a time may call them.

    Raises:
        CannotWrite: of every method: the server cannot be reached, or refuses.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._raw: psycopg.Connection[Any] | None = None

    def take(self) -> bool:
        """Take the lock, on a new connection if there is none; whether it was free."""

        def ask(raw: "psycopg.Connection[Any]") -> bool:
            return bool(_one(raw, f"SELECT pg_try_advisory_lock({_KEY})"))

        taken = self._asked(ask)
        if not taken:
            self.release()
        return taken

    def begin(self, note: str) -> int:
        """Once it is taken: have the table say so; the epoch that begins."""

        def ask(raw: "psycopg.Connection[Any]") -> int:
            with raw.transaction():
                raw.execute(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")  # after who commits an intent
                return int(_one(raw, _BEGIN, note))

        return self._asked(ask)

    def beat(self, epoch: int, note: str | None = None) -> int:
        """Show the server that the holder is alive; the epoch that the table has. A `note` is kept there."""

        def ask(raw: "psycopg.Connection[Any]") -> int:
            if note is not None:
                raw.execute(_SIGN, (note, epoch, note))
            return int(_one(raw, "SELECT epoch FROM identity"))

        return self._asked(ask)

    def release(self) -> None:
        """Let go of the lock, and of the connection."""
        if self._raw is not None:
            with suppress(psycopg.Error):
                self._raw.close()
            self._raw = None

    def followed(self) -> LockLost:
        """What to tell a runner that another one has followed."""
        return _followed(self._address)

    @staticmethod
    def is_held(connection: Connection) -> bool:
        """Whether any process has the lock, asked in a transaction of the store's."""
        return is_held(connection)

    @staticmethod
    def told(connection: Connection) -> tuple[int, str | None]:
        """The epoch, and what its holder says of itself; None if nobody ever held it."""
        row = connection.execute(select(IDENTITY.c.epoch, IDENTITY.c.holder)).one()
        return int(row.epoch), row.holder

    def _asked(self, ask: "Callable[[psycopg.Connection[Any]], T]") -> T:
        try:
            if self._raw is None:
                self._raw = _opened(self._address)
            return ask(self._raw)
        except psycopg.Error as error:
            if self._raw is not None and self._raw.closed:
                self._raw = None
            raise told(self._address, error) from error


def _opened(address: Address) -> "psycopg.Connection[Any]":
    raw = connect(address, writing=True)
    raw.autocommit = True
    with suppress(psycopg.Error):  # PostgreSQL 13 has none: there only the network tells who is gone
        raw.execute(f"SET idle_session_timeout = '{LEASE_SECONDS}s'")
    return raw


def _one(raw: "psycopg.Connection[Any]", statement: str, *values: Any) -> Any:
    row = raw.execute(statement.encode(), values or None).fetchone()
    assert row is not None
    return row[0]


def is_held(connection: Connection) -> bool:
    """Whether any process has the lock."""
    return bool(connection.exec_driver_sql(_HELD).scalar_one())


def check_epoch(connection: Connection, epoch: int, address: Address) -> None:
    """Check that nobody has taken over since the epoch began. The transaction has the store's write lock.

    Raises:
        LockLost: somebody has.
    """
    if connection.execute(select(IDENTITY.c.epoch)).scalar_one() != epoch:
        raise _followed(address)


def _followed(address: Address) -> LockLost:
    return LockLost(
        f"Another runner has taken over {address}: this one had lost its lock, and sends nothing more. What "
        "it has sent is kept, and the other one fetches it.",
        hint="`nightsheet status` shows how the batch stands. Nothing was paid for twice.",
    )
