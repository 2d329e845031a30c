"""What must outlive the process: one JSON line an event, appended before the client is answered.

Only what the emulator cannot derive is stored: accepted submits with what was drawn for them,
cancels, changes of the balance, and each opening. Everything else follows from them and the clock.
"""

import json
import os
import threading
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout

from jobs.errors import CannotWrite, LockHeld, UsageProblem

Event = dict[str, Any]
_VERSION = 1
_HEAD = b'{"emulator":'


class Journal(Protocol):
    """Events in order. `append` never blocks; an event is durable once `sync` has returned."""

    nonce: str
    """Differs between any two journals, so that no two emulators give the same request_id."""

    def replay(self) -> list[Event]:
        """The events of earlier lives, oldest first."""
        ...

    def append(self, event: Event) -> None:
        """Add an event; the next `sync` writes it."""
        ...

    @property
    def pending(self) -> bool:
        """Whether there are events to sync."""
        ...

    def sync(self) -> None:
        """Write all added events to the operating system. Blocks; may be called in any thread."""
        ...


class MemoryJournal:
    """A journal in memory; another one can replay its `events`."""

    def __init__(self, nonce: str, events: list[Event] | None = None) -> None:
        self.nonce = nonce
        self.events: list[Event] = list(events or [])

    def replay(self) -> list[Event]:
        return list(self.events)

    def append(self, event: Event) -> None:
        self.events.append(event)

    @property
    def pending(self) -> bool:
        return False

    def sync(self) -> None:
        """Nothing is pending."""


class FileJournal:
    """A journal in a file that one process holds; a line torn by a kill is cut off when it is opened.

    A line reaches the operating system before its client is answered, which is what `kill -9` asks for.
    It is not forced to the disk: after a power cut the emulator may have forgotten its last second.
    """

    def __init__(self, path: Path, nonce: str) -> None:
        """Open or create `path`; `nonce` is for a new file only. Blocks.

        Raises `LockHeld` when another process holds it, `CannotWrite` when it cannot be written, and
        `UsageProblem` when it is not an emulator's state.
        """
        self._events: list[Event] = []
        self._taken: list[bytes] = []
        self._size = 0
        self._writing = threading.Lock()
        self._lock = FileLock(f"{path}.lock", thread_local=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise LockHeld(
                f"Another emulator holds {path}.", hint="End it, or give this one a state of its own."
            ) from None
        except OSError as problem:
            raise _cannot_write(path, problem) from problem
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
            try:
                self.nonce = self._read(path, nonce)
            except BaseException:
                os.close(self._file)
                raise
        except OSError as problem:
            self._lock.release()
            raise _cannot_write(path, problem) from problem
        except BaseException:
            self._lock.release()
            raise

    def replay(self) -> list[Event]:
        """The events in the file; returned once, to free their memory."""
        events, self._events = self._events, []
        return events

    def append(self, event: Event) -> None:
        self._taken.append(_line(event))

    @property
    def pending(self) -> bool:
        return bool(self._taken)

    def sync(self) -> None:
        with self._writing:
            taken = self._taken[:]  # what is appended meanwhile stays pending
            try:
                self._write(b"".join(taken))
            except OSError:
                os.ftruncate(self._file, self._size)
                os.lseek(self._file, self._size, os.SEEK_SET)
                raise
            self._size = os.lseek(self._file, 0, os.SEEK_CUR)
            del self._taken[: len(taken)]

    def close(self) -> None:
        """Write what is pending and close the file. Blocks."""
        try:
            self.sync()
        finally:
            os.close(self._file)
            self._lock.release()

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._file, data) :]

    def _read(self, path: Path, nonce: str) -> str:
        text = path.read_bytes()
        whole = text.rfind(b"\n") + 1
        if not whole and not _HEAD.startswith(text[: len(_HEAD)]):
            raise _not_a_state(path, 1)
        events = [
            _event(path, number, line) for number, line in enumerate(text[:whole].splitlines(), start=1)
        ]
        if events and (events[0].get("emulator") != _VERSION or not isinstance(events[0].get("nonce"), str)):
            raise _not_a_state(path, 1)
        os.ftruncate(self._file, whole)
        if not events:
            events = [{"emulator": _VERSION, "nonce": nonce}]
            self._write(_line(events[0]))
        self._size = os.lseek(self._file, 0, os.SEEK_END)
        self._events = events[1:]
        return str(events[0]["nonce"])


async def keep(journal: Journal) -> None:
    """Make recorded events durable, without blocking the event loop."""
    if journal.pending:
        from anyio.to_thread import run_sync

        await run_sync(journal.sync)


def _line(event: Event) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


def _event(path: Path, number: int, line: bytes) -> Event:
    try:
        event = json.loads(line)
    except ValueError:
        raise _not_a_state(path, number) from None
    if not isinstance(event, dict):
        raise _not_a_state(path, number)
    return event


def _not_a_state(path: Path, line: int) -> UsageProblem:
    return UsageProblem(
        f"{path} is not the state of an emulator: line {line} cannot be read.",
        hint="Name another file, or delete this one to begin afresh; nothing in it was paid for.",
    )


def _cannot_write(path: Path, problem: OSError) -> CannotWrite:
    return CannotWrite(f"The emulator's state {path} cannot be written: {problem.strerror or problem}.")
