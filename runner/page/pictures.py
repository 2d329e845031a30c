"""The bytes of a recorded image, as far as the file is still what was recorded.

A path in a table may lead anywhere by now. So it is taken only below the output folder, step by step without
following a link, and its content is compared with the hash that the page asked for.
"""

import hashlib
import os
import stat
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from jobs.views import ArtifactView, BatchView

TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
"""What is handed to a browser as a picture. Never one that can hold a script."""

_FOLLOW_NOT = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER = getattr(os, "O_DIRECTORY", 0)


class FileState(StrEnum):
    """What became of an image's file, by one look at its name and size."""

    HERE = "here"
    GONE = "gone"
    CHANGED = "changed"
    ELSEWHERE = "elsewhere"
    """Not below the output folder that this page may read."""


def moved_along(root: Path, batch: BatchView, image: ArtifactView) -> ArtifactView:
    """The image at its place below `root`, where that is not the output folder that the batch remembers."""
    if batch.output_root is None or not Path(image.path).is_relative_to(batch.output_root):
        return image
    return replace(image, path=str(root / Path(image.path).relative_to(batch.output_root)))


def file_state(root: Path, image: ArtifactView) -> FileState:
    """How an image's file stands. Blocks."""
    if not _is_below(root, Path(image.path)):
        return FileState.ELSEWHERE
    try:
        found = Path(image.path).lstat()
    except OSError:
        return FileState.GONE
    is_same = stat.S_ISREG(found.st_mode) and found.st_size == image.bytes
    return FileState.HERE if is_same else FileState.CHANGED


def read_image(root: Path, image: ArtifactView) -> bytes | None:
    """The image, proven by its hash; None if its file is not that any more. Blocks."""
    path = Path(image.path)
    if image.content_type not in TYPES or not _is_below(root, path):
        return None
    try:
        descriptor = _open_below(root, path)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size != image.bytes:
            return None
        with suppress(OSError), os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(image.bytes + 1)
            return data if hashlib.sha256(data).hexdigest() == image.sha256 else None
        return None
    finally:
        os.close(descriptor)


def _is_below(root: Path, path: Path) -> bool:
    return path.is_absolute() and path.is_relative_to(root) and ".." not in path.parts and path != root


def _open_below(root: Path, path: Path) -> int:
    """Open a file below `root`, which may be a link itself; nothing below it may be."""
    if os.open not in os.supports_dir_fd:  # Windows: the folders are looked at before, not while
        if path.resolve(strict=True) != root.resolve(strict=True) / path.relative_to(root):
            raise OSError("a link is not followed")
        return os.open(path, os.O_RDONLY | _FOLLOW_NOT | getattr(os, "O_BINARY", 0))
    *folders, name = path.relative_to(root).parts
    descriptor = os.open(root, os.O_RDONLY | _FOLDER)
    try:
        for folder in folders:
            inner = os.open(folder, os.O_RDONLY | _FOLDER | _FOLLOW_NOT, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        return os.open(name, os.O_RDONLY | _FOLLOW_NOT, dir_fd=descriptor)
    finally:
        os.close(descriptor)
