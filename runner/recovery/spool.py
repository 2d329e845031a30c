"""The last resort for a request_id that the database could not store: a file beside it, allocated at the
start, so that a full disk cannot refuse a line. Replayed when the next run begins."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock

from jobs.errors import CannotWrite

_ROOM_BYTES = 64 * 1024
"""Some 300 lines; one crash leaves at most the gate's four."""
_LINE = re.compile(rb"[^\0\r\n]+\n?")


@dataclass(frozen=True, slots=True)
class Spooled:
    """A request_id of a job that could not be committed."""

    batch_id: int
    job_id: int
    key: str
    request_id: str
    at: str
    """ISO 8601."""
    uid: str = ""
    """The attempt's; empty in a line of an older version."""

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.at)


class Spool:
    """An open spool. Every write blocks for the length of an fsync.

    A line never moves: a write that is cut off anywhere leaves every whole line as it was.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(path, flags, 0o600)
        self._writing = Lock()  # a refused group commit refuses several receipts at once, each in its thread
        try:
            self._held = bytearray(_read(self._descriptor))
            self._lines = _lines(self._held)
            self._store()
        except OSError:
            os.close(self._descriptor)
            raise

    @property
    def lines(self) -> tuple[Spooled, ...]:
        """Its lines, oldest first."""
        return tuple(line for line, _place in self._lines)

    def add(self, line: Spooled) -> None:
        """Store a request_id. Raises OSError if even this cannot be written."""
        with self._writing:
            first = len(self._held.rstrip(b"\0"))
            torn = first > 0 and self._held[first - 1 : first] != b"\n"
            text = (b"\n" if torn else b"") + json.dumps(asdict(line)).encode() + b"\n"
            place = slice(first, first + len(text))
            self._held[place] = text
            self._lines.append((line, place))
            self._store()

    def keep(self, lines: tuple[Spooled, ...]) -> None:
        """Drop all but `lines`: the others are in the database by now.

        Raises:
            CannotWrite: they cannot be dropped. That is harmless, but a receipt could not be added either.
        """
        with self._writing:
            for line, place in self._lines:
                if line not in lines:
                    self._held[place] = bytes(place.stop - place.start)
            self._lines = [(line, place) for line, place in self._lines if line in lines]
            try:
                self._store()
            except OSError as error:
                raise _refused(self.path, error) from error

    def close(self) -> None:
        """Close the file, and delete it if it is empty."""
        os.close(self._descriptor)
        if not self._lines:
            self.path.unlink(missing_ok=True)

    def _store(self) -> None:
        # Always as long as before, so that its space is allocated once.
        length = max(_ROOM_BYTES, len(self._held))
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        rest = memoryview(bytes(self._held).ljust(length, b"\0"))
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
        raise _refused(path, error) from error
    try:
        yield spool
    finally:
        spool.close()


def _refused(path: Path, error: OSError) -> CannotWrite:
    return CannotWrite(
        f"{path} cannot be written: {error.strerror or error}.",
        hint="Make room there: without it nothing is sent, because a receipt could be lost.",
    )


def _read(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    held = b""
    while block := os.read(descriptor, 1 << 20):
        held += block
    return held


def _lines(held: bytearray) -> list[tuple[Spooled, slice]]:
    """Every whole line, and its position, line break included."""
    lines = []
    for found in _LINE.finditer(held):
        try:
            line = Spooled(**json.loads(found[0]))
        except (ValueError, TypeError):
            continue  # torn by a crash during a write; whole lines are separate
        lines.append((line, slice(*found.span())))
    return lines
