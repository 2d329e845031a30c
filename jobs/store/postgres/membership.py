"""The rows of the runners that work on a database of a server, and the lock that has one work at a time.

A runner's row is what money rests on. Each intent is committed in a transaction of the store's write lock
that finds the row of its own runner alive (`check_alive`). Whoever takes a runner for dead says so in its
row, in a transaction of that same lock. So an intent is either there before, and doubted with all that the
dead one had on its way, or it is refused: whatever a runner believes that slept or was cut off, it sends
nothing more.

The lease in the row tells only when others may take its runner for dead. Its times are the server's alone.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection, select

from jobs.errors import LockLost
from jobs.runners import RunnerIdentity
from jobs.store.postgres.address import Address
from jobs.store.postgres.connection import WRITE_LOCK, connect
from jobs.store.postgres.errors import told
from jobs.store.runners import lease
from jobs.store.schema import RUNNER

T = TypeVar("T")

_KEY = f"{WRITE_LOCK}, 1"
_NOW = "clock_timestamp()"
_LEASE = f"{_NOW} + %s * interval '1 second'"
_ENTER = (
    "INSERT INTO runner (host, pid, machine, begun, version, note, since, beat_at, steady_since, lease_until,"  # noqa: S608
    f" progress_at) VALUES (%s, %s, %s, %s, %s, %s, {_NOW}, {_NOW}, {_NOW}, {_LEASE}, {_NOW}) RETURNING id"
)
_FOLLOW = (
    f"UPDATE runner SET dead_at = {_NOW}, why = CASE WHEN id = ANY(%s) THEN 'gone' ELSE 'followed' END"  # noqa: S608
    " WHERE dead_at IS NULL"
)
_FENCE = "UPDATE identity SET epoch = epoch + 1"
"""A runner of the version before has no row, and holds each of its intents against this number."""
_FORGET = "DELETE FROM runner WHERE dead_at < now() - interval '90 days'"
_BEAT = (
    f"UPDATE runner SET beat_at = {_NOW}, lease_until = {_NOW} + %(lease)s * interval '1 second',"  # noqa: S608
    " note = %(note)s, batch_id = %(batch_id)s,"
    f" progress_at = CASE WHEN %(progressed)s THEN {_NOW} ELSE progress_at END"
    " WHERE id = %(id)s AND dead_at IS NULL"
)
_HELD = (
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"  # noqa: S608
    f" AND classid = {WRITE_LOCK} AND objid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
)
_AT_WORK = f"SELECT EXISTS (SELECT 1 FROM runner WHERE dead_at IS NULL AND lease_until > {_NOW})"  # noqa: S608
_LEAVE = f"UPDATE runner SET dead_at = {_NOW}, why = 'ended' WHERE id = %s AND dead_at IS NULL"  # noqa: S608


class Membership:
    """A runner's row, on a connection of its own. Every method blocks, and one thread at a time calls them.

    Raises:
        CannotWrite: of every method: the server cannot be reached, or refuses.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._raw: psycopg.Connection[Any] | None = None

    def take(self) -> bool:
        """Take the lock of the one who works, on a new connection if there is none; whether it was free."""

        def ask(raw: "psycopg.Connection[Any]") -> bool:
            return bool(_one(raw, f"SELECT pg_try_advisory_lock({_KEY})"))

        taken = self._asked(ask)
        if not taken:
            self.release()
        return taken

    def enter(self, me: RunnerIdentity, note: str, gone: Sequence[int] = ()) -> int:
        """Once the lock is taken: a row of one's own; its id. Whoever had it before is dead from now on.

        Those that are `gone` have ended for certain: the others may only be asleep.
        """

        def ask(raw: "psycopg.Connection[Any]") -> int:
            with raw.transaction():
                raw.execute(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")  # after who commits an intent
                raw.execute(_FOLLOW.encode(), (list(gone),))
                raw.execute(_FENCE)
                raw.execute(_FORGET)
                told_of = (me.host, me.pid, me.machine, me.begun, me.version)
                return int(_one(raw, _ENTER, *told_of, note, lease.LEASE_SECONDS))

        return self._asked(ask)

    def beat(self, runner_id: int, note: str, *, progressed: bool, batch_id: int | None = None) -> bool:
        """Renew the lease; False where the runner counts as dead, and its row is another one's to settle."""
        values = {"id": runner_id, "note": note, "progressed": progressed, "batch_id": batch_id}
        values["lease"] = lease.LEASE_SECONDS

        def ask(raw: "psycopg.Connection[Any]") -> bool:
            return raw.execute(_BEAT.encode(), values).rowcount > 0

        return self._asked(ask)

    def leave(self, runner_id: int) -> None:
        """Say that the runner has ended: nobody waits for its lease."""

        def ask(raw: "psycopg.Connection[Any]") -> None:
            with raw.transaction():
                raw.execute(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")
                raw.execute(_LEAVE.encode(), (runner_id,))

        self._asked(ask)

    def release(self) -> None:
        """Let go of the lock, and of the connection."""
        if self._raw is not None:
            with suppress(psycopg.Error):
                self._raw.close()
            self._raw = None

    def lost(self) -> LockLost:
        """What to tell a runner whose row is dead."""
        return _lost(self._address)

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
        raw.execute(f"SET idle_session_timeout = '{lease.LEASE_SECONDS:g}s'")
    return raw


def _one(raw: "psycopg.Connection[Any]", statement: str, *values: Any) -> Any:
    row = raw.execute(statement.encode(), values or None).fetchone()
    assert row is not None
    return row[0]


def is_at_work(connection: Connection) -> bool:
    """Whether a runner may be at work, also of a version that had no row."""
    if connection.exec_driver_sql(_HELD).scalar_one():
        return True
    has_rows = connection.exec_driver_sql("SELECT to_regclass('runner') IS NOT NULL").scalar_one()
    return bool(has_rows and connection.exec_driver_sql(_AT_WORK).scalar_one())


def check_alive(connection: Connection, runner_id: int, address: Address) -> None:
    """Check that nobody took the runner for dead. The transaction has the store's write lock.

    Raises:
        LockLost: somebody has.
    """
    alive = select(RUNNER.c.id).where(RUNNER.c.id == runner_id, RUNNER.c.dead_at.is_(None))
    if connection.execute(alive).first() is None:
        raise _lost(address)


def _lost(address: Address) -> LockLost:
    return LockLost(
        f"Another runner has taken over {address}: this one stood still or was cut off for too long, and "
        "sends nothing more. What it has sent is kept, and the other one fetches it.",
        hint="`nightsheet status` shows how the batch stands. Nothing was paid for twice.",
    )
