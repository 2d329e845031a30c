"""Opens a job table: the one way from its place to a Store."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from jobs.errors import CannotWrite, UsageProblem
from jobs.store.sql.transactions import Database
from jobs.store.sqlite.database import open_database
from jobs.store.store import Store
from jobs.table_place import TablePlace

if TYPE_CHECKING:
    from jobs.store.postgres.checkup import ServerReport

_SLEEP = anyio.sleep  # noqa: TID251 - between two tries of a server, which no virtual night has


@asynccontextmanager
async def open_store(
    place: TablePlace | Path, now: Callable[[], datetime], *, create: bool = False
) -> AsyncIterator[Store]:
    """The job table at a place, migrated; `now` is the wall clock, aware and in UTC.

    `create` makes a table in a file where there is none. On a server that is `db init`'s work alone, and
    `db upgrade`'s to make it one of this version: others may work there.

    Raises:
        NotOurDatabase: the file is something else, or newer than this Nightsheet.
        CannotWrite: it cannot be opened, or there is none and `create` is not set.
        UsageProblem: it is on a server, and the driver for that is not installed.
    """
    opened: AbstractAsyncContextManager[Database]
    if isinstance(place, TablePlace) and place.url is not None:
        await to_thread.run_sync(_make_room, place.path)
        opened = _on_server(place.url, place.path)
    else:
        opened = open_database(place.path if isinstance(place, TablePlace) else place, create=create)
    async with opened as database:
        yield Store(database, now)


def init_server(url: str) -> bool:
    """Make the job table on a server; whether there was none. Blocks.

    Raises:
        NightsheetError: it cannot be made, or there is an older one.
    """
    with_driver()
    from jobs.store.postgres import migrate
    from jobs.store.postgres.address import address_of

    return migrate.make(address_of(url))


def upgrade_server(url: str) -> bool:
    """Upgrade the job table on a server; whether it was an older one. Blocks.

    Raises:
        NightsheetError: it cannot be upgraded, or a runner is at work.
    """
    with_driver()
    from jobs.store.postgres import migrate
    from jobs.store.postgres.address import address_of

    return migrate.upgrade(address_of(url))


def look_at_server(url: str) -> "ServerReport":
    """What a server is, and what it lacks. Blocks.

    Raises:
        NightsheetError: it cannot be reached.
    """
    with_driver()
    from jobs.store.postgres.address import address_of
    from jobs.store.postgres.checkup import report_of

    return report_of(address_of(url))


def with_driver() -> None:
    """Check that the driver for a server is there: it is imported where it is asked for, and nowhere else.

    Raises:
        UsageProblem: it is not.
    """
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise UsageProblem(
            "A database on a server needs psycopg, which is not installed here.",
            hint="Install it: pip install 'nightsheet[postgres]'. A file needs none: --db FILE.",
        ) from error


def _on_server(url: str, home: Path) -> AbstractAsyncContextManager[Database]:
    with_driver()
    from jobs.store.postgres import migrate
    from jobs.store.postgres.address import address_of
    from jobs.store.postgres.database import open_postgres

    return open_postgres(address_of(url), home, _SLEEP, opening=migrate.verify)


def _make_room(home: Path) -> None:
    """The folder of what this machine keeps for a database on a server.

    Raises:
        CannotWrite: it cannot be made. Without the journal in it nothing may be sent.
    """
    try:
        home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(
            f"{home.parent} cannot be made: {error.strerror or error}. The journal of what was sent is to "
            "lie there.",
            hint="Give permission to write there, or set XDG_STATE_HOME to a folder that can be written.",
        ) from error
