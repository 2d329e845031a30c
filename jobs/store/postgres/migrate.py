"""Prepares a database on a server to be opened as the job table: makes or upgrades its schema, or rejects it.

The tables are in a schema of their own, which a comment marks as ours. Everything happens in one transaction,
and one process at a time does it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

import migrations
from jobs.errors import CannotWrite, LockHeld
from jobs.store.postgres.address import SCHEMA, Address
from jobs.store.postgres.connection import connect, take_write_lock
from jobs.store.postgres.errors import told
from jobs.store.postgres.membership import is_at_work
from jobs.store.sqlite.migrate import NotOurDatabase

MARK = "The job table of Nightsheet"
_BASELINE = Path(migrations.__file__).parent / "postgres_baseline.sql"
OLDEST = 130000
"""The first version that has a transaction's number without wrapping around."""
FIRST_WITH_LEASES = 140000
"""The first that ends a session which stands still."""


def prepare(address: Address) -> None:
    """Make the schema, or check it and upgrade it.

    Raises:
        NotOurDatabase: it is rejected, and unchanged.
        CannotWrite: it cannot be made, reached or written.
    """
    _prepare(address, create=True)


def make(address: Address) -> bool:
    """Make the schema; whether there was none of this version.

    Raises:
        NotOurDatabase: another one is in the way, or a newer version's.
        CannotWrite: it cannot be made, or an older one is there.
    """
    with transaction_on(address) as connection:
        take_write_lock(connection)
        before = version_of(connection, address)
        if before is None:
            _make(connection, address)
    if before is not None:
        verify(address)
    elif migrations.BASELINE != migrations.HEAD:
        upgrade(address)
    return before is None


def check(address: Address) -> None:
    """Like `prepare`, for commands that need a batch: the schema is upgraded, but never made.

    Raises:
        NotOurDatabase: it is rejected, and unchanged.
        CannotWrite: there is no such schema.
    """
    _prepare(address, create=False)


def verify(address: Address) -> None:
    """Check that the schema is there, and of this version. Nothing is changed, and nobody is waited for.

    Raises:
        NotOurDatabase: it is rejected.
        CannotWrite: there is none, an older one, or the server cannot be reached.
    """
    with transaction_on(address, writing=False) as connection:
        version = version_of(connection, address)
        if version is None:
            raise _no_table(address)
        if version != migrations.HEAD:
            raise CannotWrite(
                f"{address} has the tables of an older Nightsheet (schema {version}).",
                hint=f"When no runner is at work on it, `nightsheet db upgrade {address}` makes them new.",
            )


def upgrade(address: Address) -> bool:
    """Upgrade the schema while nobody works on it; whether it was of an older version.

    Raises:
        NotOurDatabase: it is rejected, and unchanged.
        LockHeld: a process works on it.
        CannotWrite: there is no schema, or the server cannot be reached.
    """
    with transaction_on(address) as connection:
        take_write_lock(connection)
        before = version_of(connection, address)
        if before is None:
            raise _no_table(address)
        if before != migrations.HEAD:
            if is_at_work(connection):
                raise LockHeld(
                    f"A runner is at work on {address}, with the tables as they are.",
                    hint="Nothing was changed. `nightsheet pause` stops it; upgrade when it has ended.",
                )
            _upgrade(connection, address)
        return before != migrations.HEAD


def _prepare(address: Address, *, create: bool) -> None:
    with transaction_on(address) as connection:
        take_write_lock(connection)
        _prepare_in(connection, address, create=create)


@contextmanager
def transaction_on(address: Address, *, writing: bool = True) -> Iterator[Connection]:
    """A transaction on a connection of its own. Blocks.

    Raises:
        CannotWrite: the server cannot be reached, or refuses.
    """
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(address, writing=writing),
        poolclass=NullPool,
        hide_parameters=True,
    )
    try:
        with engine.begin() as connection:
            yield connection
    except (DBAPIError, psycopg.Error) as error:
        raise told(address, error) from error
    finally:
        engine.dispose()


def _no_table(address: Address) -> CannotWrite:
    return CannotWrite(
        f"There is no job table in {address}.",
        hint=f"`nightsheet db init {address}` makes it, once; or name another database with --db.",
    )


def _prepare_in(connection: Connection, address: Address, *, create: bool) -> None:
    version = version_of(connection, address)
    if version is None:
        if not create:
            raise _no_table(address)
        _make(connection, address)
        version = migrations.BASELINE
    if version != migrations.HEAD:
        _upgrade(connection, address)


def version_of(connection: Connection, address: Address) -> str | None:
    """The version of the schema; None where there is none.

    Raises:
        NotOurDatabase: it is rejected.
    """
    server = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
    if int(server) < OLDEST:
        raise CannotWrite(f"{address} is a PostgreSQL older than 13.", hint="Upgrade the server.")
    found = connection.execute(
        text("SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = :name"),
        {"name": SCHEMA},
    ).one_or_none()
    if found is None:
        return None
    if found[0] != MARK:
        raise NotOurDatabase(
            f"{address} has a schema {SCHEMA} that Nightsheet did not make, and was left as it is.",
            hint="Name another database with --db.",
        )
    version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    if version > migrations.HEAD:
        raise NotOurDatabase(
            f"{address} was written by a newer Nightsheet (schema {version}, this one knows "
            f"{migrations.HEAD}), and was left as it is.",
            hint="Upgrade Nightsheet, or name another database with --db.",
        )
    return str(version)


def _make(connection: Connection, address: Address) -> None:
    try:
        connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        raise CannotWrite(
            f"The job table cannot be made in {address}: permission denied.",
            hint="Have its owner say: GRANT CREATE ON DATABASE ... TO ...",
        ) from error
    connection.exec_driver_sql(f"COMMENT ON SCHEMA {SCHEMA} IS '{MARK}'")
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    driver.execute(_BASELINE.read_bytes())  # a script of many statements: SQLAlchemy takes one


def _upgrade(connection: Connection, address: Address) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, migrations.HEAD)
    except CommandError as error:
        raise NotOurDatabase(
            f"{address} says that it has a schema that no Nightsheet had ({error}), and was left as it is.",
            hint="Restore it from a copy, or start afresh with another database.",
        ) from error
