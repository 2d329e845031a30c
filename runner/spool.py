"""The last resort for a request_id that the database would not take: a file beside it, opened and filled
with room at the start, so that a full disk cannot refuse a line. Replayed when the next run begins."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock

from jobs.errors import CannotWrite

_ROOM_BYTES = 64 * 1024
"""Some 300 lines; one crash leaves at most the gate's four."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """A request_id that belongs to a job, and could not be committed."""

    batch_id: int
    job_id: int
    key: str
    request_id: str
    at: str
    """ISO 8601."""

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.at)


class Spool:
    """An open spool. Blocks for the length of an fsync."""

    def __init__(self, path: Path) -> None:
        self.path = path
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(path, flags, 0o600)
        self._writing = Lock()  # a refused group commit refuses several receipts at once, each in its thread
        self._lines = _read(self._descriptor)
        self._store()

    @property
    def lines(self) -> tuple[Spooled, ...]:
        """What is in it."""
        return tuple(self._lines)

    def add(self, line: Spooled) -> None:
        """Keep a request_id. Raises OSError if even this cannot be written."""
        with self._writing:
            self._lines.append(line)
            self._store()

    def keep(self, lines: tuple[Spooled, ...]) -> None:
        """Drop all but `lines`: the others are in the database by now."""
        with self._writing:
            self._lines = list(lines)
            self._store()

    def close(self) -> None:
        """Let go of the file, which is deleted where nothing is in it."""
        os.close(self._descriptor)
        if not self._lines:
            self.path.unlink(missing_ok=True)

    def _store(self) -> None:
        text = "".join(json.dumps(asdict(line)) + "\n" for line in self._lines).encode()
        # Always as long as before, so that the room is taken once and never has to be found again.
        length = max(_ROOM_BYTES, len(text), os.fstat(self._descriptor).st_size)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        rest = memoryview(text.ljust(length, b"\0"))
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        os.fsync(self._descriptor)


@contextmanager
def open_spool(database: Path) -> Iterator[Spool]:
    """The spool of a database.

    Raises:
        CannotWrite: there is no room for it; nothing may be submitted then.
    """
    path = database.with_name(f"{database.name}.spool")
    try:
        spool = Spool(path)
    except OSError as error:
        raise CannotWrite(
            f"{path} cannot be written: {error.strerror or error}.",
            hint="Make room there: without it nothing is sent, because a receipt could be lost.",
        ) from error
    try:
        yield spool
    finally:
        spool.close()


def _read(descriptor: int) -> list[Spooled]:
    os.lseek(descriptor, 0, os.SEEK_SET)
    held = b""
    while block := os.read(descriptor, 1 << 20):
        held += block
    lines = []
    for text in held.replace(b"\0", b"").splitlines():
        try:
            lines.append(Spooled(**json.loads(text)))
        except (ValueError, TypeError):
            continue  # torn by a crash in mid-write; what was whole is in a line of its own
    return lines
