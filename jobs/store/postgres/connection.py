"""A connection to PostgreSQL: work is done on a thread, whole, in one hop and back, as for SQLite.

A writer takes the store's write lock as its transaction begins, and waits for it: one transaction writes at a
time, as in a file of SQLite, and reads what all earlier ones wrote. So whatever the store finds out before it
writes is still so when it does (docs/decisions/0023-one-store-two-dialects.md).
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from anyio import CapacityLimiter, to_thread
from psycopg.types.json import set_json_dumps
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from jobs.store.postgres.address import SCHEMA, Address
from jobs.store.sqlite.thread import DATABASE, UnsafeDatabase

T = TypeVar("T")

BUSY_SECONDS = 10
"""How long a statement waits for another's lock."""
STANDSTILL_SECONDS = 60
"""So long a transaction may stand still before the server ends it: its process was stopped, or is cut off."""

WRITE_LOCK = 0x4E534854
_LOCK = f"SELECT pg_advisory_xact_lock({WRITE_LOCK})"
_NOWHERE = re.compile("[\0\ud800-\udfff]")
"""Characters that PostgreSQL takes nowhere: nothing, and halves of one. SQLite does, in what an API says."""
_IN_JSON = re.compile(r"\\u0000|\\ud[89a-f]")
_INSTEAD = "\N{REPLACEMENT CHARACTER}"
_CONNECTING: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "application_name": "nightsheet",
    "client_encoding": "UTF8",
}
_SETTINGS = {
    "search_path": SCHEMA,
    "lock_timeout": f"{BUSY_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{STANDSTILL_SECONDS}s",
}
DURABLE = {"fsync": {"on"}, "full_page_writes": {"on"}}
"""Settings of a server that keep what is committed, with the values that do."""
COMMITS_LATE = {"off", "local"}
"""Values of `synchronous_commit` with which a commit that was told may still be lost."""


class ServerConnection:
    """One open connection, which one thread uses at a time."""

    def __init__(self, connection: Connection, turn: CapacityLimiter) -> None:
        self._connection = connection
        self._turn = turn

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Have `work` done on a thread; its result, or what it raises."""
        return await to_thread.run_sync(work, self._connection, limiter=self._turn)

    async def close(self) -> None:
        """Close the connection."""
        await to_thread.run_sync(self._connection.engine.dispose, limiter=self._turn)


async def open_connection(address: Address, home: Path, *, writing: bool) -> ServerConnection:
    """Open the database, to write to it or only to read. `home` is where its files on this machine are.

    Raises:
        UnsafeDatabase: it has settings with which commits are lost.
        sqlalchemy.exc.DBAPIError: it cannot be reached.
    """

    def connected() -> Connection:
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: connect(address, writing=writing),
            poolclass=StaticPool,
            hide_parameters=True,
        )
        event.listen(engine, "connect", lambda _raw, record: record.info.update({DATABASE: home}))
        return engine.connect()

    turn = CapacityLimiter(1)
    return ServerConnection(await to_thread.run_sync(connected, limiter=turn), turn)


def take_write_lock(connection: Connection) -> None:
    """Wait for the store's write lock, and have it to the transaction's end."""
    connection.exec_driver_sql(_LOCK)


def connect(address: Address, *, writing: bool) -> "psycopg.Connection[Any]":
    """A connection of the driver, with the settings that keep what is committed.

    Raises:
        UnsafeDatabase: the server has others.
        psycopg.Error: it cannot be reached.
    """
    raw = psycopg.connect(address.conninfo, autocommit=True, **_CONNECTING)
    try:
        raw.adapters.register_dumper(str, _FitText)
        set_json_dumps(_as_json, raw)
        for name, value in _SETTINGS.items():
            raw.execute("SELECT set_config(%s, %s, false)", (name, value))
        _check_durable(raw, address)
        raw.autocommit = False
        raw.isolation_level = (
            psycopg.IsolationLevel.READ_COMMITTED if writing else psycopg.IsolationLevel.REPEATABLE_READ
        )
        raw.read_only = not writing
    except BaseException:
        raw.close()
        raise
    return raw


def _check_durable(raw: "psycopg.Connection[Any]", address: Address) -> None:
    for name, safe in DURABLE.items():
        value = _shown(raw, name)
        if value not in safe:
            raise UnsafeDatabase(
                f"{address} cannot be kept safely: {name} is {value} on the server.",
                hint=f"Set {name} to {' or '.join(sorted(safe))} there: a crash may lose what was paid for.",
            )
    if _shown(raw, "synchronous_commit") in COMMITS_LATE:
        raw.execute("SET synchronous_commit = on")


def _shown(raw: "psycopg.Connection[Any]", name: str) -> str:
    row = raw.execute(f"SHOW {name}").fetchone()
    assert row is not None
    return str(row[0])


class _FitText(StrDumperUnknown):
    """Text with another character for those that no column takes."""

    def dump(self, obj: str) -> Any:
        return super().dump(_NOWHERE.sub(_INSTEAD, obj))


def _as_json(value: Any) -> str:
    text = json.dumps(value)
    return json.dumps(_fit(value)) if _IN_JSON.search(text) else text


def _fit(value: Any) -> Any:
    match value:
        case str():
            return _NOWHERE.sub(_INSTEAD, value)
        case dict():
            return {_fit(name): _fit(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_fit(inner) for inner in value]
        case _:
            return value
