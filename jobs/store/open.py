"""Opens a job table: the one way from a path to a Store."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from jobs.store.sqlite.database import open_database
from jobs.store.store import Store


@asynccontextmanager
async def open_store(
    path: Path, now: Callable[[], datetime], *, create: bool = False
) -> AsyncIterator[Store]:
    """The job table in the file `path`, migrated; `now` is the wall clock, aware and in UTC.

    `create` makes a table where there is none.

    Raises:
        NotOurDatabase: the file is something else, or newer than this Nightsheet.
        CannotWrite: it cannot be opened, or there is none and `create` is not set.
    """
    async with open_database(path, create=create) as database:
        yield Store(database, now)
