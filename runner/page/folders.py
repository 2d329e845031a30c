"""Whether the images that were shown last still lie where they lay: somebody may delete or move them.

The table does not change then, so the folders are looked at: a folder that lost or got a file has another
time, and one that was moved is another one.
"""

import threading
from pathlib import Path

MOST_FOLDERS = 200
"""More than a screen shows; the oldest are no longer looked at."""

_Look = tuple[int, int, int] | None


class ShownFolders:
    """The folders of the images that were shown last. Its methods block; any thread may call them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looks: dict[Path, _Look] = {}
        """What each was when it was looked at last; the newest are the last."""

    def show(self, folder: Path) -> None:
        """An image of it is about to be shown."""
        with self._lock:
            self._looks[folder] = self._looks.pop(folder) if folder in self._looks else _look(folder)
            if len(self._looks) > MOST_FOLDERS:
                del self._looks[next(iter(self._looks))]

    def have_changed(self) -> bool:
        """Whether one of them is another one than at the last look."""
        with self._lock:
            now = {folder: _look(folder) for folder in self._looks}
            before, self._looks = self._looks, now
            return now != before


def _look(folder: Path) -> _Look:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns
