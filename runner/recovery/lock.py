"""One process at a time works on a database: a lock of the OS, which releases it however the process dies.

The lock's file also names its holder and how it stands, for messages and to know how long to wait: a runner
holds it all night, a command such as `cancel` or a runner that is ending only briefly.
"""

import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from filelock import FileLock, SoftFileLock, Timeout
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from jobs.errors import CannotWrite
from jobs.pauses import Wait
from runner.clock import Clock

_PATIENCE_SECONDS = 0.5
"""A process that only checks whether the lock is free holds it for an instant."""
_PATIENCE_WITH_AN_END_SECONDS = 600.0
_WATCHED_SECONDS = 3.0
"""A runner looks into the table every second, and then stands as the table has it."""
_ASKED_EVERY_SECONDS = 0.05
_NOTE_AT = 1
"""On Windows the first byte is locked: no other process may read or write it."""
_NOTE_BYTES = 2000


class Phase(StrEnum):
    """How a runner stands, for others that want to follow it."""

    WORKING = "working"
    PAUSED = "paused"
    """It submits nothing, and goes on when its pause is cleared."""
    ENDING = "ending"
    """It does not go on in this process, whatever is cleared."""


class Holder(BaseModel):
    """The process that holds a database; without a command if that is unknown."""

    model_config = ConfigDict(frozen=True)

    command: str = ""
    batch: str = ""
    pid: int = 0
    host: str = ""
    since: AwareDatetime | None = None
    phase: Phase = Phase.WORKING
    waiting: Wait | None = None
    """Why nothing moves at the moment, though nothing is paused."""

    @property
    def makes_room_soon(self) -> bool:
        """Whether it is a short command, or a runner that is ending."""
        return self.command not in {"", "run", "resume"} or self.phase is Phase.ENDING

    def __str__(self) -> str:
        if self.since is None:
            return "Another runner"
        since = self.since.isoformat(timespec="seconds").replace("+00:00", "Z")
        return f"`nightsheet {self.command}` (process {self.pid} on {self.host}, since {since})"


@contextmanager
def try_holding(database: Path) -> Iterator[bool]:
    """Hold the database for the length of the block, an instant; yields False if another process has it.

    Raises:
        CannotWrite: the lock's file cannot be created.
    """
    lock = _lock(database)
    if not _taken(lock):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


@asynccontextmanager
async def holding(
    database: Path, *, command: str, batch: str, clock: Clock, notice: Callable[[str], None]
) -> AsyncIterator[Holder | None]:
    """Hold the database for the length of the block; yields another process that keeps it, or None.

    Waits for a short command and for a runner that is ending, and reports that by `notice`.

    Raises:
        CannotWrite: the lock's file cannot be created.
    """
    lock = _lock(database)

    async def taken() -> bool:
        return _taken(lock)

    async def holder() -> Holder:
        return _holder(lock)

    other = await waited_for(taken, holder, str(database), clock, notice)
    if other is not None:
        yield other
        return
    try:
        _sign(lock, note_of(command, batch, clock.now()).model_dump_json())
        yield None
    finally:
        _sign(lock, "")
        lock.release()


async def waited_for(
    taken: Callable[[], Awaitable[bool]],
    holder_now: Callable[[], Awaitable[Holder]],
    place: str,
    clock: Clock,
    notice: Callable[[str], None],
    every_seconds: float = _ASKED_EVERY_SECONDS,
) -> Holder | None:
    """Wait until a lock is `taken`, as long as its holder makes room soon; else the one who keeps it."""
    other: Holder | None = None
    told: Holder | None = None
    since = clock.monotonic()
    while not await taken():
        holder = await holder_now()
        if holder != other:  # another process took over, and has not signed yet or only checks
            other, since = holder, clock.monotonic()
        waited = clock.monotonic() - since
        if waited >= (_PATIENCE_WITH_AN_END_SECONDS if holder.makes_room_soon else _PATIENCE_SECONDS):
            return holder
        if holder.makes_room_soon and waited >= _PATIENCE_SECONDS and told != holder:
            doing = "is ending" if holder.phase is Phase.ENDING else f"is at work on {place}"
            notice(f"{holder} {doing}: waiting until it has ended.")
            told = holder
        await clock.sleep(every_seconds)
    return None


def say_phase(database: Path, phase: Phase) -> None:
    """Let others know how the runner stands that holds the database: this process."""
    lock = _lock(database)
    _sign(lock, _holder(lock).model_copy(update={"phase": phase}).model_dump_json())


def say_waiting(database: Path, waiting: Wait | None) -> None:
    """Let others know why nothing moves at the moment: `status` beside this process shows it."""
    lock = _lock(database)
    _sign(lock, _holder(lock).model_copy(update={"waiting": waiting}).model_dump_json())


def waiting_of(database: Path) -> Wait | None:
    """What the process that holds the database waits for. Means nothing where no process holds it."""
    return _holder(_lock(database)).waiting


async def settled_phase(
    database: Path, runner: Holder, clock: Clock, pauses_again: Callable[[], Awaitable[bool]]
) -> Phase:
    """How `runner` stands after a change of the table, once that is certain.

    WORKING: it was for some seconds, and so has looked into the table. ENDING: it is, or has ended. PAUSED:
    it `pauses_again`, as the table has it, or neither came for a long time.
    """
    lock = _lock(database)

    async def now() -> Holder | None:
        with try_holding(database) as gone:
            holder = _holder(lock)
        return None if gone else holder

    return await settled(now, runner, clock, pauses_again)


async def settled(
    now: Callable[[], Awaitable[Holder | None]],
    runner: Holder,
    clock: Clock,
    pauses_again: Callable[[], Awaitable[bool]],
    every_seconds: float = _ASKED_EVERY_SECONDS,
) -> Phase:
    """The same of any lock; `now` says who holds it, None while nobody does."""
    since = working_since = clock.monotonic()
    look_at = since + _WATCHED_SECONDS
    while clock.monotonic() - since < _PATIENCE_WITH_AN_END_SECONDS:
        holder = await now()
        if holder is None or holder.phase is Phase.ENDING:
            return Phase.ENDING
        if (holder.pid, holder.since) != (runner.pid, runner.since):
            return Phase.ENDING
        if holder.phase is Phase.PAUSED:
            working_since = clock.monotonic()
            if working_since >= look_at:
                look_at = working_since + 1.0
                if await pauses_again():
                    return Phase.PAUSED
        elif clock.monotonic() - working_since >= _WATCHED_SECONDS:
            return Phase.WORKING
        await clock.sleep(every_seconds)
    return Phase.PAUSED


def _lock(database: Path) -> FileLock:
    # A file beside the database: closing any handle on the database itself would drop SQLite's own locks.
    return FileLock(f"{database}.lock", timeout=0, mode=0o600, thread_local=False)


def _taken(lock: FileLock) -> bool:
    try:
        lock.acquire()
    except Timeout:
        return False
    except OSError as error:
        raise CannotWrite(f"{lock.lock_file} cannot be written: {error.strerror}.") from error
    return True


def note_of(command: str, batch: str, now: datetime) -> Holder:
    """What this process says of itself."""
    return Holder(command=command, batch=batch, pid=os.getpid(), host=socket.gethostname(), since=now)


def _sign(lock: FileLock, note: str) -> None:
    if isinstance(lock, SoftFileLock):  # on a file system without locks the file itself is the lock
        return
    with suppress(OSError), Path(lock.lock_file).open("r+b") as file:  # on a full disk no holder is named
        file.seek(_NOTE_AT)
        file.write(f"{note}\n".encode())


def _holder(lock: FileLock) -> Holder:
    try:
        with Path(lock.lock_file).open("rb") as file:
            file.seek(_NOTE_AT)
            note, ended, _ = file.read(_NOTE_BYTES).partition(b"\n")
            return Holder.model_validate_json(note) if ended else Holder()
    except (OSError, ValidationError):
        return Holder()
