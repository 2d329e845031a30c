"""Folders with entries that may not be on the disk yet: synced once for all who need them there.

An image whose folder was made just now needs a sync of the folder above it as well. Where that comes after
the image's own sync, a file system with a log has written the entry with it, and has little left to do; and
images that come together share it.

Whoever made a folder may have been killed before that, or be another run that has not come to it yet. So a
folder that was there already is one whose entry may not be on the disk, when this run sees it first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Protocol

MOST_SEEN = 100_000
"""So many folders are remembered. Beyond that one may be synced above again, which costs a little."""


class SyncsFolders(Protocol):
    """The part of a disk that this needs."""

    def sync_folder(self, folder: Path) -> None:
        """Wait until the folder's entries are on disk. Raises OSError."""
        ...


class UnsyncedFolders:
    """The folders of a run that have a new entry. Threads may use it at the same time."""

    def __init__(self) -> None:
        self._noted: dict[Path, int] = {}
        """By folder, a number that no earlier note has."""
        self._notes = 0
        self._seen: set[Path] = set()
        self._lock = Lock()

    @contextmanager
    def made(self, folder: Path) -> Iterator[None]:
        """Make a folder in this block: whoever sees it finds its entry noted."""
        with self._lock:
            yield
            self._note(folder)

    def seen(self, folder: Path) -> None:
        """Note a folder that is there already: its entry may not be on the disk when a run sees it first."""
        if folder not in self._seen:
            with self._lock:
                if folder not in self._seen:
                    self._note(folder)

    def _note(self, folder: Path) -> None:
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        self._seen.add(folder)
        self._notes += 1
        self._noted[folder.parent] = self._notes

    def sync_above(self, disk: SyncsFolders, folder: Path) -> None:
        """Wait until all that leads to `folder` is on the disk, whoever made it. Blocks; raises OSError."""
        with self._lock:  # an entry may be made this very moment, and may be on the way to `folder`
            needed = [(above, self._noted[above]) for above in folder.parents if above in self._noted]
        for above, noted in needed:
            disk.sync_folder(above)
            with self._lock:
                if self._noted.get(above) == noted:  # else an entry came meanwhile, perhaps too late for it
                    del self._noted[above]
