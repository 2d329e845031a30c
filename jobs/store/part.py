"""The base of the store's parts: decorators make a durable write or a consistent read of SQL statements."""

from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from jobs.store.sql.transactions import Database

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="StorePart")

Statement = Callable[Concatenate[S, Connection, P], T]
Method = Callable[Concatenate[S, P], Coroutine[Any, Any, T]]


class StorePart:
    """One part of the store. `now` is the wall clock."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now


def reads(statement: Statement[S, P, T]) -> Method[S, P, T]:
    """Make a statement a method that runs in one consistent snapshot, on a read-only connection."""

    @wraps(statement)
    async def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._database.read(lambda connection: statement(self, connection, *args, **kwargs))

    return method


def writes_regardless(statement: Statement[S, P, T]) -> Method[S, P, T]:
    """Like `writes`, also into a database that has lost commits (`CommitsLost`): why nothing goes on."""

    @wraps(statement)
    async def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._database.write_regardless(
            lambda connection: statement(self, connection, *args, **kwargs)
        )

    return method


def writes(statement: Statement[S, P, T]) -> Method[S, P, T]:
    """Make a statement a method that commits durably, perhaps in one transaction with others.

    The statement may run twice (if another one of its group failed), so it must only execute SQL.
    """

    @wraps(statement)
    async def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._database.write(lambda connection: statement(self, connection, *args, **kwargs))

    return method
