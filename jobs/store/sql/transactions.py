"""Transactions of the store: group commit, and consistent reads, whatever database it is.

A process has one writing connection. Writes that arrive during a commit share the next one (group commit),
so many workers share an fsync, and a whole group is one hop to the connection's thread. A group is committed
in a task of its own, which no cancellation reaches.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
from sqlalchemy import Connection

from jobs.store.sql.connections import HeldConnection

if TYPE_CHECKING:
    from jobs.store.postgres.membership import Membership
    from jobs.store.sqlite.watching import Watch

T = TypeVar("T")
Operation = Callable[[Connection], T]
"""Statements of one transaction. They run on the connection's thread."""

READERS = 2
"""So many reads run at once: a long one, as of a manifest, does not keep a short one waiting."""
TURNS = 4
"""So many turns of the loop a commit leaves to others that are about to write. A turn is long where much goes
on, and then several come; where nothing does, it takes no time."""


@dataclass(slots=True)
class WaitingWrite(Generic[T]):
    """A write that waits for its commit."""

    operation: Operation[T]
    done: "asyncio.Future[T]"
    alone: bool
    regardless: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write."""

    result: Any = None
    error: Exception | None = None


class Database(ABC):
    """Concurrent reads; writes through one connection, with group commit."""

    membership: "Membership | None" = None
    """Who works on a database of a server; a file has a lock of the operating system beside it."""
    runner_id: int | None = None
    """Of this process, while it works on a database of a server."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: HeldConnection | None = None
        self._waiting: deque[WaitingWrite[Any]] = deque()
        self._committer: asyncio.Task[None] | None = None
        self._readers: list[HeldConnection] = []
        self._reading = anyio.Semaphore(READERS)

    async def write(self, operation: Operation[T]) -> T:
        """Run `operation` in a durable transaction, perhaps shared with others; return its result.

        It may run twice (if another operation of its group failed), so it must only execute statements.

        Raises:
            CannotWrite: the database refuses: disk full, locked for too long, or damaged.
        """
        return await self._committed(operation, alone=False)

    async def write_once(self, operation: Operation[T]) -> T:
        """Like `write`, but in a transaction of its own: `operation` runs once, and may consume its input.

        Raises:
            CannotWrite: the database refuses.
        """
        return await self._committed(operation, alone=True)

    async def write_regardless(self, operation: Operation[T]) -> T:
        """Like `write`, also where the database has lost commits (`CommitsLost`): for what is decided by
        nothing that it says.

        Raises:
            CannotWrite: the database refuses.
        """
        return await self._committed(operation, alone=True, regardless=True)

    @abstractmethod
    async def read(self, operation: Operation[T]) -> T:
        """Run `operation` on a read-only connection, in one consistent snapshot.

        Raises:
            CannotWrite: the database cannot be read.
        """

    @property
    def shown(self) -> str:
        """Where it is, for people."""
        return str(self.path)

    @abstractmethod
    def check_alive(self, connection: Connection) -> None:
        """Check that nobody takes this process for dead, if it works on a database of a server.

        Raises:
            LockLost: somebody does, and may have taken over.
        """

    def clock(self, connection: Connection, now: Callable[[], datetime]) -> datetime:
        """The time that all who write here go by: on a server its own, in a file that of this machine."""
        return now()

    @abstractmethod
    def watching(self) -> AbstractAsyncContextManager["Watch"]:
        """Hold a connection that sees whether anybody has written.

        Raises:
            CannotWrite: there is no database, or it cannot be opened.
        """

    async def close(self) -> None:
        """Close the database after the current commit."""
        if self._committer is not None:
            await asyncio.wait([self._committer])
        for thread in [*self._readers, *([self._writer] if self._writer else [])]:
            await thread.close()
        self._readers.clear()

    @abstractmethod
    async def _commit(self, group: Sequence[WaitingWrite[Any]]) -> list[Written]:
        """Commit a group; what came of each write, in their order."""

    async def _committed(self, operation: Operation[T], *, alone: bool, regardless: bool = False) -> T:
        ticket = WaitingWrite(operation, asyncio.get_running_loop().create_future(), alone, regardless)
        self._waiting.append(ticket)
        if self._committer is None or self._committer.done():
            self._committer = asyncio.create_task(self._commit_waiting())
        with anyio.CancelScope(shield=True):
            # A bare `task.cancel()` ignores scopes. It ends this wait; the group's commit continues.
            result: T = await ticket.done
        return result

    async def _commit_waiting(self) -> None:
        while self._waiting:
            group: list[WaitingWrite[Any]] = []
            try:
                for _turn in range(TURNS):
                    await asyncio.sleep(0)  # noqa: TID251 - a turn of the loop, and no time
                group.append(self._waiting.popleft())
                while self._waiting and not (group[0].alone or self._waiting[0].alone):
                    group.append(self._waiting.popleft())
                for ticket, outcome in zip(group, await self._commit(group), strict=True):
                    _settle(ticket, outcome)
            except BaseException as error:  # a kill, or the loop's own end: it is for those who wait
                for ticket in [*group, *self._waiting]:
                    if not ticket.done.done():
                        ticket.done.set_exception(error)
                self._waiting.clear()


def _settle(ticket: WaitingWrite[Any], outcome: Written) -> None:
    if ticket.done.done():
        return
    if outcome.error is None:
        ticket.done.set_result(outcome.result)
    else:
        ticket.done.set_exception(outcome.error)


def read_in_one(operation: Operation[T], connection: Connection) -> T:
    """Run `operation` in a transaction, on the connection's thread."""
    with connection.begin():
        return operation(connection)
