"""The two ends of a copy: a transaction at either place, whatever database it is. Everything here blocks."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from jobs.store.open import with_driver
from jobs.store.schema import IDENTITY
from jobs.store.sqlite import migrate as files
from jobs.store.sqlite.database import transaction_in
from jobs.table_place import TablePlace


@contextmanager
def transaction_at(place: TablePlace) -> Iterator[Connection]:
    """A transaction that alone writes to a job table, on a connection of its own.

    On a server its first statement waits for the store's write lock. Retired or not, nobody is refused here.

    Raises:
        CannotWrite: the database cannot be reached, or refuses; it is as it was.
    """
    if place.url is None:
        with transaction_in(place.path) as connection:
            yield connection
        return
    with_driver()
    from jobs.store.postgres.address import address_of
    from jobs.store.postgres.connection import take_write_lock
    from jobs.store.postgres.migrate import transaction_on

    with transaction_on(address_of(place.url)) as connection:
        take_write_lock(connection)
        yield connection


def driver_errors() -> tuple[type[Exception], ...]:
    """What the drivers of both ends raise, as far as they are loaded."""
    psycopg = sys.modules.get("psycopg")
    return (DBAPIError, sqlite3.Error, *(() if psycopg is None else (psycopg.Error,)))


def uid_at(place: TablePlace) -> str | None:
    """The name of the job table at a place; None where there is none.

    Raises:
        NotOurDatabase: something else is there.
        CannotWrite: nobody can tell.
    """
    if place.url is None:
        if not place.path.exists() or files.version_of(place.path) is None:
            return None
        with transaction_in(place.path) as connection:
            return _uid(connection)
    with_driver()
    from jobs.store.postgres.address import address_of
    from jobs.store.postgres.migrate import transaction_on, version_of

    address = address_of(place.url)
    with transaction_on(address, writing=False) as connection:
        return None if version_of(connection, address) is None else _uid(connection)


def _uid(connection: Connection) -> str:
    return str(connection.execute(select(IDENTITY.c.uid)).scalar_one())
