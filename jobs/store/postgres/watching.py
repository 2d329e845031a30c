"""Whether anybody has written to a server's database: a number that grows with every commit of ours.

It is the newest of the processes' last transactions (`last_commit.py`), so a look costs one short query.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

import migrations
from jobs.errors import CannotWrite
from jobs.store.postgres.address import Address
from jobs.store.postgres.connection import ServerConnection, open_connection
from jobs.store.postgres.errors import ServerRefusal, refusal_of, told
from jobs.store.postgres.last_commit import TABLE
from jobs.store.sqlite.watching import NewerSchema, Watch

_ASKED = (
    "SELECT coalesce(max(number), 0), (SELECT version_num FROM alembic_version)"  # noqa: S608 - from here alone
    f" FROM {TABLE}"
)


class ServerWatch:
    """Tells of commits on a server. A connection that broke off is opened again at the next look."""

    def __init__(self, address: Address, home: Path) -> None:
        self._address = address
        self._home = home
        self._connection: ServerConnection | None = None
        self._stamp = 0

    async def stamp(self) -> int:
        """The number as it is now; the one before while the server is away.

        Raises:
            CannotWrite: the server refuses.
            NewerSchema: a newer Nightsheet has been at work on it.
        """
        try:
            with anyio.CancelScope(shield=True):
                if self._connection is None:
                    self._connection = await open_connection(self._address, self._home, writing=False)
                self._stamp, version = await self._connection.run(_look)
        except (DBAPIError, psycopg.Error) as error:
            if refusal_of(error) is not ServerRefusal.LOST:
                why = told(self._address, error)
                if not isinstance(why, CannotWrite):  # no such table
                    why = CannotWrite(f"{self._address} has no tables of ours any more.")
                raise why from error
            await self.close()
            return self._stamp
        if version > migrations.HEAD:
            raise NewerSchema(f"{self._address} was changed by a newer Nightsheet.")
        return self._stamp

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with anyio.CancelScope(shield=True):
                await connection.close()


@asynccontextmanager
async def watching_server(address: Address, home: Path) -> AsyncIterator[Watch]:
    """Hold a connection to the database on a server."""
    watch = ServerWatch(address, home)
    try:
        yield watch
    finally:
        await watch.close()


def _look(connection: Connection) -> tuple[int, str]:
    with connection.begin():
        stamp, version = connection.exec_driver_sql(_ASKED).one()
    return int(stamp), str(version)
