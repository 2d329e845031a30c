"""One runner at a time a database: a lock of the OS, freed by it when the process dies, however it dies."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from jobs.errors import CannotWrite, LockHeld
from jobs.store.door import Store

PATIENCE_SECONDS = 0.2


def _lock(database: Path) -> FileLock:
    # A file beside the database: closing any handle on the database itself would drop SQLite's own locks.
    return FileLock(f"{database}.lock", timeout=0, mode=0o600, thread_local=False)


@contextmanager
def try_holding(database: Path, *, patience_seconds: float = 0.0) -> Iterator[bool]:
    """Hold the database for as long as the block lasts; False if another runner does.

    A runner has some patience: who only asks whether the lock is free holds it for an instant.

    Raises:
        CannotWrite: the lock's file cannot be made.
    """
    lock = _lock(database)
    try:
        lock.acquire(timeout=patience_seconds, poll_interval=0.02)
    except Timeout:
        yield False
        return
    except OSError as error:
        raise CannotWrite(f"{lock.lock_file} cannot be written: {error.strerror}.") from error
    try:
        yield True
    finally:
        lock.release()


@asynccontextmanager
async def holding(database: Path, store: Store) -> AsyncIterator[None]:
    """Hold the database for as long as the block lasts.

    Raises:
        LockHeld: another runner holds it; the message says which.
        CannotWrite: the lock's file cannot be made.
    """
    with try_holding(database, patience_seconds=PATIENCE_SECONDS) as held:
        if not held:
            run = await store.latest_run()
            who = "Another runner"
            if run is not None:
                since = run.started_at.isoformat(timespec="seconds").replace("+00:00", "Z")
                who = f"Another runner (process {run.pid} on {run.host}, since {since})"
            raise LockHeld(
                f"{who} holds {database}.",
                hint="Nothing was changed. `nightsheet status` works meanwhile; `nightsheet pause` stops it.",
            )
        yield
