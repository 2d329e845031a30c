"""Prepares a file to be opened as the job table: creates or upgrades it, or rejects it unchanged.

Rejected are a file that is no SQLite database, a database of another program or of a newer Nightsheet, and
one with triggers or views (Nightsheet has none, and a crafted file could act through them).
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import migrations
from jobs.errors import CannotWrite
from jobs.store.sqlite import APPLICATION_ID

_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_WAL_TRIES = 20
_NO_ROOM_BESIDE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}

WAYS_OUT = (
    "Put a backup in its place and remove its -wal and -shm, as docs/moving.md shows, or name another --db. "
    "The journal has what was sent: none of it is paid for twice."
)
"""What to do about a damaged database."""


class NotOurDatabase(CannotWrite):
    """The file is no database of this Nightsheet. It is unchanged."""


def prepare(path: Path) -> None:
    """Create `path` (mode 0600), or check it and upgrade its schema.

    Raises:
        NotOurDatabase: the file is rejected, and unchanged.
        CannotWrite: it cannot be created, read or written.
    """
    _create_if_missing(path)
    if version_of(path) != migrations.HEAD:
        _upgrade(path)


def check(path: Path) -> None:
    """Like `prepare`, for commands that need a batch: the file is upgraded, but never created.

    Raises:
        NotOurDatabase: the file is rejected, and unchanged.
        CannotWrite: there is no such database, or only an empty file.
    """
    version = version_of(path) if path.exists() else None
    if version is None:
        raise CannotWrite(
            f"There is no database at {path}.", hint="Run a sheet first, or name another one with --db."
        )
    if version != migrations.HEAD:
        _upgrade(path)


def _create_if_missing(path: Path) -> None:
    try:
        # Before SQLite creates it: -wal and -shm inherit the mode, and prompts are private.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        if not path.is_file():
            raise CannotWrite(f"{path} is not a file.", hint="Name another database with --db.") from None
    except OSError as error:
        raise CannotWrite(
            f"The database {path} cannot be created: {error.strerror or error}.",
            hint="Name a folder that exists and can be written to with --db.",
        ) from error


def version_of(path: Path) -> str | None:
    """The schema version of the database at `path`; None if it has no table yet.

    Raises:
        NotOurDatabase: the file is rejected.
        CannotWrite: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError as error:
        raise CannotWrite(f"The database {path} cannot be read: {error.strerror or error}.") from error
    if not header:
        return None
    if not header.startswith(_MAGIC):
        raise NotOurDatabase(
            f"{path} is not a Nightsheet database, and was left as it is.",
            hint="Name another file with --db.",
        )
    pages, application = (int.from_bytes(header[first : first + 4], "big") for first in (28, 68))
    if pages > 1 and application != APPLICATION_ID:
        raise _foreign(path)  # rejected before opening it, which would leave -wal and -shm files beside it
    if pages == 1 and Path(f"{path}-journal").exists():
        return None  # its creation was interrupted: no table, and a journal that only a writer can roll back
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return _recognise(path, connection)
    except sqlite3.Error as error:
        if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _NO_ROOM_BESIDE:
            raise CannotWrite(
                f"The database {path} cannot be opened: {error}. SQLite keeps two files beside it.",
                hint="Give permission to write in its folder, or copy the database into one of your own.",
            ) from error
        raise NotOurDatabase(
            f"{path} cannot be read as a database ({error}), and was left as it is.",
            hint=WAYS_OUT,
        ) from error


def _foreign(path: Path) -> NotOurDatabase:
    return NotOurDatabase(
        f"{path} is a database of another program, and was left as it is.",
        hint="Name another file with --db.",
    )


def _recognise(path: Path, connection: sqlite3.Connection) -> str | None:
    connection.execute("BEGIN")  # one snapshot: another process may be creating the tables now
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    names = connection.execute("SELECT type, name FROM sqlite_master").fetchall()
    if not names and application in {0, APPLICATION_ID}:
        return None  # created, and the first upgrade never committed
    if application != APPLICATION_ID:
        raise _foreign(path)
    if any(kind in {"trigger", "view"} for kind, _ in names):
        raise NotOurDatabase(
            f"{path} holds triggers or views, which no Nightsheet database does, and was left as it is.",
            hint="Do not use it: it was changed by something else.",
        )
    if ("table", "alembic_version") not in names:
        raise NotOurDatabase(f"{path} has no schema version, and was left as it is.")
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    version = row[0] if row else None
    if not isinstance(version, str) or version > migrations.HEAD:
        raise NotOurDatabase(
            f"{path} was written by a newer Nightsheet (schema {version}, this one knows {migrations.HEAD}), "
            "and was left as it is.",
            hint="Upgrade Nightsheet, or name another file with --db.",
        )
    return version


def _upgrade(path: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    try:
        with _one_transaction(path) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, migrations.HEAD)
    except CommandError as error:
        raise NotOurDatabase(
            f"{path} says that it has a schema that no Nightsheet had ({error}), and was left as it is.",
            hint="Restore it from a copy, or start afresh with another --db.",
        ) from error
    except sqlite3.Error as error:
        raise CannotWrite(f"The database {path} cannot be brought up to date: {error}.") from error


@contextmanager
def _one_transaction(path: Path) -> Iterator[object]:
    """A connection inside BEGIN IMMEDIATE: all versions are applied, or none."""
    import sqlalchemy as sa
    from sqlalchemy.pool import NullPool

    def connect() -> sqlite3.Connection:
        raw = sqlite3.connect(path, isolation_level=None, timeout=10.0)
        _set_wal(raw)
        raw.execute("PRAGMA synchronous = FULL")
        return raw

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            yield connection
    except sa.exc.DBAPIError as error:
        raise CannotWrite(f"The database {path} cannot be brought up to date: {error.orig}.") from error
    finally:
        engine.dispose()


def _set_wal(raw: sqlite3.Connection) -> None:
    """Put the file into WAL mode, which is a property of it, and can only be set outside a transaction.

    SQLite does not wait for another process that sets it too, but fails at once. It does wait for a
    transaction, so the wait is one.
    """
    for _ in range(_WAL_TRIES):
        try:
            raw.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raw.execute("BEGIN IMMEDIATE")
            raw.execute("ROLLBACK")
    raw.execute("PRAGMA journal_mode = WAL")
