"""Whether anybody has written to the database: a number that grows with every commit of ours.

It is the newest of the processes' last transactions (`last_commit.py`), so a look costs one short query.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

import migrations
from jobs.errors import CannotWrite
from jobs.store.postgres.address import Address
from jobs.store.postgres.database import PostgresDatabase, Sleep
from jobs.store.postgres.last_commit import TABLE
from jobs.store.sqlite.watching import NewerSchema

_LOOK = text(
    "SELECT coalesce(max(number), 0), (SELECT version_num FROM alembic_version)"  # noqa: S608 - from here alone
    f" FROM {TABLE}"
)


class ServerWatch:
    """Tells of commits, as a `TableWatch` does of a file's."""

    def __init__(self, address: Address, database: PostgresDatabase) -> None:
        self._address = address
        self._database = database

    async def stamp(self) -> int:
        """The number as it is now. A server that is away is waited for.

        Raises:
            CannotWrite: it cannot be reached, or the tables are gone.
            NewerSchema: a newer Nightsheet has been at work on it.
        """
        try:
            stamp, version = await self._database.read(_looked)
        except DBAPIError as error:
            raise CannotWrite(f"{self._address} has no tables of ours any more.") from error
        if version > migrations.HEAD:
            raise NewerSchema(f"{self._address} was changed by a newer Nightsheet.")
        return stamp


@asynccontextmanager
async def watching_server(address: Address, home: Path, sleep: Sleep) -> AsyncIterator[ServerWatch]:
    """Hold a connection to the database on a server."""
    database = PostgresDatabase(address, home, sleep)
    try:
        yield ServerWatch(address, database)
    finally:
        with anyio.CancelScope(shield=True):
            await database.close()


def _looked(connection: Connection) -> tuple[int, str]:
    stamp, version = connection.execute(_LOOK).one()
    return int(stamp), str(version)
