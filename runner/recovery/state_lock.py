"""One runner at a time over all copies of a database: a lock beside the journal's copies.

The lock beside the database sees no copy of it, nor a second name in another container.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from jobs.errors import LockHeld
from jobs.table_place import TablePlace
from runner.recovery.journal import no_copy
from runner.recovery.journal_places import Places

_NAME = "lock"


@contextmanager
def one_runner(
    places: Places, database: Path | TablePlace, notice: Callable[[str], None]
) -> Iterator[Places]:
    """Hold the database's name for the length of the block; yields where this run may write its journal.

    Where the state folder cannot be written, that is told, and the run keeps no copy there.

    Raises:
        LockHeld: another process holds it, over a copy of this database.
    """
    if places.copies is None:
        yield places
        return
    lock = FileLock(places.copies / _NAME, timeout=0, mode=0o600, thread_local=False)
    try:
        places.copies.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise LockHeld(
            f"Another runner works on a copy of {database}, or on it under another name.",
            hint="Nothing was sent: both would pay for the same rows. Wait until it has ended, and use one "
            "copy alone.",
        ) from None
    except OSError as error:
        notice(no_copy(places.copies, error))
        yield replace(places, copies=None)
        return
    try:
        yield places
    finally:
        lock.release()
