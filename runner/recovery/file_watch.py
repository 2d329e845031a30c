"""Notices that the database's files were replaced, removed or written over while a run has them open.

A run that went on would write into files that nobody finds again, and a second runner would not see its lock.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from jobs.errors import CannotWrite, LockLost

_SUFFIXES = ("", "-wal", ".lock")


class TableGuard(Protocol):
    """What a run looks at before each submit: whether its job table is still its own."""

    lost: LockLost | None
    """Why it is not, once another runner has taken over."""
    is_shared: bool
    """Whether other runners may take over jobs from this one."""

    def look(self) -> None:
        """Check that it is, as far as is known here.

        Raises:
            CannotWrite: it is not.
        """

    async def ready(self) -> None:
        """Wait until it is, where that may come back.

        Raises:
            CannotWrite: it does not.
        """

    def lose(self, why: LockLost) -> None:
        """The table has said that another runner has taken over."""

    def is_late(self, begun: float) -> bool:
        """Whether a submit may not leave any more whose intent was begun at that time of the clock."""
        ...

    def seen(self) -> None:
        """Note that this process does something."""


class FileWatch:
    """The files of a database as they were when the run began. A look takes microseconds."""

    lost: LockLost | None = None
    is_shared = False

    def __init__(self, database: Path, identity: Callable[[Path], object] | None = None) -> None:
        self._identity = identity or _identity
        self._paths = [database.with_name(f"{database.name}{suffix}") for suffix in _SUFFIXES]
        self._begun = [self._identity(path) for path in self._paths]
        self._largest = 0
        """The most bytes that the database has had: SQLite makes it no smaller."""

    async def ready(self) -> None:
        """A file's lock is not lost while its process lives."""

    def lose(self, why: LockLost) -> None:
        """Nobody takes over a file from a process that lives."""
        raise why

    def is_late(self, begun: float) -> bool:
        """Never: nobody else works on the file, however long this process stood still."""
        return False

    def seen(self) -> None:
        """Its lock says that it lives, whatever it does."""

    def look(self) -> None:
        """Check that the files are still the same.

        Raises:
            CannotWrite: one of them is not.
        """
        for path, begun in zip(self._paths, self._begun, strict=True):
            now = self._identity(path)
            if now != begun:
                raise _changed(path, "was removed" if now is None else "was replaced")
        now_bytes = os.stat(self._paths[0]).st_size  # noqa: PTH116 - before each submit: pathlib's is slower
        if now_bytes < self._largest:  # `cp` keeps the file, and writes another one's content into it
            raise _changed(self._paths[0], "was written over")
        self._largest = now_bytes


def _changed(path: Path, happened: str) -> CannotWrite:
    return CannotWrite(
        f"{path} {happened} while this run had it open: nothing more is sent. "
        "The journal has what was sent; the next run takes it up from there.",
        hint="Find out what changes the files, then run the sheet again.",
    )


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file it is; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_dev, found.st_ino
