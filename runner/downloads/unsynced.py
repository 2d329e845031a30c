"""Folders with entries that may not be on the disk yet: synced once for all who need them there.

An image whose folder was made just now needs a sync of the folder above it as well. Where that comes after
the image's own sync, a file system with a log has written the entry with it, and has little left to do; and
images that come together share it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Protocol


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
        self._lock = Lock()

    @contextmanager
    def entry(self, folder: Path) -> Iterator[None]:
        """Make an entry in a folder in this block: whoever sees it finds it noted."""
        with self._lock:
            yield
            self._notes += 1
            self._noted[folder] = self._notes

    def sync_above(self, disk: SyncsFolders, folder: Path) -> None:
        """Wait until all that leads to `folder` is on the disk, whoever made it. Blocks; raises OSError."""
        with self._lock:  # an entry may be made this very moment, and may be on the way to `folder`
            needed = [(above, self._noted[above]) for above in folder.parents if above in self._noted]
        for above, noted in needed:
            disk.sync_folder(above)
            with self._lock:
                if self._noted.get(above) == noted:  # else an entry came meanwhile, perhaps too late for it
                    del self._noted[above]
