"""Where recorded images are: somebody may have deleted, moved or changed them.

An image's path is kept relative to its batch's output folder, and the folder relative to the database where
it lies beside or below it: then both can be moved together.
"""

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from jobs.disk.named_file import open_regular

if TYPE_CHECKING:
    from jobs.views import ArtifactView, JobView

_NOT_THESE = (".bad", ".part")
"""Suffixes of files that are no images: broken ones that were put aside, and incomplete ones."""
_CHUNK = 1 << 20


def is_on_disk(image: "ArtifactView") -> bool:
    """Whether the file has the recorded size. One `stat`; a change of the same length goes unnoticed."""
    return _has_size(Path(image.path), image.bytes)


def missing_files(job: "JobView") -> tuple[str, ...]:
    """The recorded paths of a job's images that are not on disk."""
    return tuple(image.path for image in job.images if not is_on_disk(image))


def kept_folder(root: Path, database: Path) -> str:
    """An output folder as the table keeps it: relative to the database's folder where it lies below."""
    place = root.parent.resolve() / root.name  # links on the way, not the folder's own
    home = database.parent.resolve()
    return place.relative_to(home).as_posix() if place.is_relative_to(home) else str(root)


def plainly_below(path: str, folder: Path) -> str | None:
    """The rest of a path that is written plainly and lies in the folder; None where that is not certain.

    What a library makes of paths costs more than all else that is recorded of an image.
    """
    below = _beginning(folder)
    if not below or not path.startswith(below) or "/." in path or "//" in path or path[-1] == "/":
        return None
    return path[len(below) :]


@lru_cache(maxsize=16)
def _beginning(folder: Path) -> str:
    """How the path of what lies in `folder` begins if it is written plainly; empty where nobody knows."""
    plain = os.sep == "/" and folder.is_absolute() and str(folder) == os.path.normpath(folder)
    return f"{str(folder).rstrip('/')}/" if plain else ""


def kept_path(path: Path, root: Path, database: Path) -> str:
    """An image's path as the table keeps it: relative to the output folder if both can be moved together."""
    if path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    home = database.parent
    if path.is_relative_to(home) and root.is_relative_to(home):
        return Path(os.path.relpath(path, root)).as_posix()
    return str(path)


class Whereabouts:
    """Finds images at their places, and below `root` if they are not there: by name, then by content.

    `before` is the output folder that their paths are told from. What lies below `root` is listed once, and a
    file is read only where its size is that of a missing image. Everything here blocks.
    """

    def __init__(self, root: Path, before: Path | None = None) -> None:
        self._root = root
        self._before = before or root
        self._by_size: dict[int, list[Path]] | None = None
        self._sha256: dict[Path, str | None] = {}
        self.missing = 0
        """How many images were nowhere."""
        self.nowhere: set[int] = set()
        """Which, by their ids in the table, as far as somebody looked for all of them."""

    def of(self, image: "ArtifactView") -> Path | None:
        """Where an image is; None where it is nowhere, which is counted."""
        path = Path(image.path)
        if self._root != self._before and path.is_relative_to(self._before):
            moved = self._root / path.relative_to(self._before)
            if _has_size(moved, image.bytes):
                return moved
        if _has_size(path, image.bytes):
            return path
        found = self._by_content(image)
        self.missing += found is None
        return found

    def _by_content(self, image: "ArtifactView") -> Path | None:
        if self._by_size is None:
            self._by_size = _files_below(self._root)
        alike = self._by_size.get(image.bytes, [])
        name = Path(image.path).name
        for path in sorted(alike, key=lambda path: (path.name != name, str(path))):
            if path not in self._sha256:
                self._sha256[path] = _sha256_of(path)
            if self._sha256[path] == image.sha256:
                return path
        return None


def _files_below(root: Path) -> dict[int, list[Path]]:
    """Regular files by size. Links are not followed, and folders that cannot be read are left out."""
    found: dict[int, list[Path]] = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            try:
                told = path.lstat()
            except OSError:
                continue  # it went away meanwhile
            if S_ISREG(told.st_mode) and path.suffix not in _NOT_THESE:
                found.setdefault(told.st_size, []).append(path)
    return found


def _sha256_of(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with open_regular(path) as file:
            while data := file.read(_CHUNK):
                digest.update(data)
    except OSError:
        return None  # what cannot be read is not the image that was meant
    return digest.hexdigest()


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
