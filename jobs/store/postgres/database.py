"""Transactions on a server: group commit as for a file, and a connection that may break off at any time.

A connection that broke off is opened again, for a while; what was under way is made again. Where it broke off
during a commit nobody knows what became of that, so the server is asked by the transaction's number: what it
has committed is not written twice, and what it has not is not given up.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from typing import Any, TypeVar

import anyio
import psycopg
from anyio import to_thread
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from jobs.errors import CannotWrite
from jobs.store.postgres import keeping, marking, migrate
from jobs.store.postgres.address import Address
from jobs.store.postgres.connection import open_connection
from jobs.store.postgres.errors import ConnectionLost, ServerRefusal, refusal_of, told
from jobs.store.postgres.last_commit import LastCommit, forget_old
from jobs.store.postgres.membership import Membership, check_alive
from jobs.store.postgres.watching import watching_server
from jobs.store.runners.ownership import RUNNER_ID
from jobs.store.sql.connections import HeldConnection
from jobs.store.sql.transactions import Database, Operation, WaitingWrite, Written, read_in_one
from jobs.store.sqlite.watching import Watch

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

PATIENCE_SECONDS = 120.0
"""So long a server that is away is waited for: a restart after a crash, or a failover."""
_FIRST_WAITS = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0)
_LONGEST_WAIT = 5.0
_FOLD_AFTER = 200
"""So many writes are counted in rows of their own."""

_ONCE_MORE = (ServerRefusal.LOST, ServerRefusal.AGAIN)
_TIDYING: tuple[Operation[None], ...] = (keeping.fold, marking.fold, forget_old)
_CLOCK = text("SELECT clock_timestamp()")
_IN_PROGRESS = "in progress"
_NO_SUCH_NUMBER = "22023"


@dataclass(frozen=True, slots=True)
class _CutOff:
    """A transaction that did not come to its end, or of whose end nobody has heard."""

    refusal: ServerRefusal
    error: Exception
    has_run: bool
    """Whether anything of it was done: what runs once cannot be done again."""
    number: int | None = None
    """Of the transaction, where the commit was sent."""
    results: Sequence[Any] = ()


class PostgresDatabase(Database):
    """A database on a server. `path` is where its files on this machine are: the journal lies beside it."""

    def __init__(self, address: Address, home: Path, sleep: Sleep) -> None:
        super().__init__(home)
        self.membership = Membership(address)
        self._address = address
        self._sleep = sleep
        self._since_fold = 0
        self._last = LastCommit(address)

    async def read(self, operation: Operation[T]) -> T:
        """Run `operation` on a read-only connection, in one consistent snapshot.

        Raises:
            CannotWrite: the database cannot be read.
        """
        with anyio.CancelScope(shield=True):
            async with self._reading:
                result = await self._patiently(partial(self._read_once, operation))
        return result

    @property
    def shown(self) -> str:
        """Where it is, for people."""
        return str(self._address)

    def check_alive(self, connection: Connection) -> None:
        """Check that nobody takes this process for dead.

        Raises:
            LockLost: somebody does.
        """
        if self.runner_id is not None:
            check_alive(connection, self.runner_id, self._address)

    def clock(self, connection: Connection, now: Callable[[], datetime]) -> datetime:
        """The server's clock: several machines go by it. It is read when it is asked, not when they began."""
        at: datetime = connection.execute(_CLOCK).scalar_one()
        return at

    def watching(self) -> AbstractAsyncContextManager[Watch]:
        """Hold a connection that sees whether anybody has written."""
        return watching_server(self._address, self.path)

    async def _open(self, *, writing: bool) -> HeldConnection:
        try:
            return await open_connection(self._address, self.path, writing=writing)
        except (DBAPIError, psycopg.Error) as error:
            raise told(self._address, error) from error

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What is asked of the server, however often the connection breaks off, for a while."""
        for wait in _waits():
            try:
                return await ask()
            except ConnectionLost:
                await self._sleep(wait)
        return await ask()

    async def _read_once(self, operation: Operation[T]) -> T:
        reader = self._readers.pop() if self._readers else await self._open(writing=False)
        try:
            result = await reader.run(partial(read_in_one, operation))
        except (DBAPIError, psycopg.Error) as error:
            if refusal_of(error) is ServerRefusal.LOST:
                await reader.close()
            else:
                self._readers.append(reader)
            why = told(self._address, error)
            raise why from why.__cause__
        except BaseException:
            self._readers.append(reader)
            raise
        self._readers.append(reader)
        return result

    async def _commit(self, group: Sequence[WaitingWrite[Any]]) -> list[Written]:
        waits = _waits()
        while True:
            came = await self._try(group)
            if not isinstance(came, _CutOff):
                return [Written(result) for result in came]
            if came.number is not None:
                is_committed = await self._is_committed(came.number, waits)
                if is_committed:
                    self._last.is_kept(came.number)
                    return [Written(result) for result in came.results]
                if is_committed is None:
                    self._last.may_be_kept(came.number)
                    return [Written(error=self._unknown(came.error))] * len(group)
            if came.refusal not in _ONCE_MORE:
                if len(group) > 1:
                    # One operation failed and rolled the others back: each gets a transaction of its own.
                    return [written for ticket in group for written in await self._commit([ticket])]
                return [Written(error=told(self._address, came.error))]
            wait = next(waits, None)
            if wait is None or (group[0].alone and came.has_run):
                return [Written(error=told(self._address, came.error))] * len(group)
            await self._sleep(wait)

    async def _try(self, group: Sequence[WaitingWrite[Any]]) -> Sequence[Any] | _CutOff:
        """Commit a group; the results, or what came in between."""
        self._since_fold += len(group)
        folds = group[0].alone or self._since_fold >= _FOLD_AFTER
        operations = [ticket.operation for ticket in group]
        try:
            if self._writer is None:
                self._writer = await self._open(writing=True)
        except CannotWrite as error:
            refusal = ServerRefusal.LOST if isinstance(error, ConnectionLost) else ServerRefusal.OTHER
            return _CutOff(refusal, error, has_run=False)
        begin = partial(self._begin, regardless=group[0].regardless)
        done = [*operations, *_TIDYING] if folds else operations
        came = await self._writer.run(partial(_committed, done, begin))
        if isinstance(came, _CutOff):
            if came.refusal is ServerRefusal.LOST:
                await self._writer.close()
                self._writer = None
            return came
        results, number = came
        self._last.is_kept(number)
        self._since_fold = 0 if folds else self._since_fold
        return results[: len(group)]

    def _begin(self, connection: Connection, *, regardless: bool) -> int:
        connection.info[RUNNER_ID] = self.runner_id
        return self._last.begin(connection, regardless=regardless)

    async def _is_committed(self, number: int, waits: Iterator[float]) -> bool | None:
        """Whether a transaction was committed; None if nobody can tell.

        Where it has ended, its row says how: its number may be another one's, on a server that took over.
        """
        while True:
            try:
                if await self._read_once(partial(_has_ended, number)):
                    return await self._read_once(partial(self._last.is_there, number=number))
            except ConnectionLost:
                pass  # asked again, while there is patience
            except CannotWrite:
                return None
            if (wait := next(waits, None)) is None:
                return None
            await self._sleep(wait)

    def _unknown(self, error: Exception) -> CannotWrite:
        why = ConnectionLost(
            f"The connection to the database {self._address} broke off as something was written. "
            "Nobody knows whether that was kept.",
            hint="Run `nightsheet resume`: the journal has what was sent, and none of it is paid for twice.",
        )
        why.__cause__ = error
        return why


def _committed(
    operations: Sequence[Operation[Any]], begin: Operation[int], connection: Connection
) -> tuple[Sequence[Any], int] | _CutOff:
    """Commit operations in one transaction, on the connection's thread; their results, and its number."""
    number, results = 0, list[Any]()
    has_run = False
    try:
        with connection.begin():
            number = begin(connection)
            has_run = True
            results += [operation(connection) for operation in operations]
    except Exception as error:
        refusal = refusal_of(error)
        was_sent = refusal is ServerRefusal.LOST and len(results) == len(operations)
        return _CutOff(refusal, error, has_run, number if was_sent else None, results[:])
    return results, number


def _has_ended(number: int, connection: Connection) -> bool:
    asked = text("SELECT pg_xact_status(CAST(CAST(:number AS TEXT) AS xid8))")
    try:
        with connection.begin_nested():
            status = connection.execute(asked, {"number": number}).scalar_one()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _NO_SUCH_NUMBER:
            return True  # the server that answers now has not come to it
        raise
    return bool(status != _IN_PROGRESS)


def _waits() -> Iterator[float]:
    """The waits between the tries, as long as there is patience."""
    total = 0.0
    for wait in chain(_FIRST_WAITS, repeat(_LONGEST_WAIT)):
        total += wait
        if total > PATIENCE_SECONDS:
            return
        yield wait


@asynccontextmanager
async def open_postgres(
    address: Address,
    home: Path,
    sleep: Sleep,
    *,
    opening: Callable[[Address], None] = migrate.prepare,
) -> AsyncIterator[PostgresDatabase]:
    """Open the database on a server. `opening` makes, upgrades or only checks its schema before.

    `home` is where its files on this machine are.

    Raises:
        NotOurDatabase: the schema is not of this version or an older one. It is unchanged.
        CannotWrite: it cannot be created or reached.
    """
    await to_thread.run_sync(opening, address)
    database = PostgresDatabase(address, home, sleep)
    try:
        yield database
    finally:
        with anyio.CancelScope(shield=True):
            await database.close()
