"""The bytes of a recorded image, as far as the file is still what was recorded.

A path in a table may lead anywhere by now. So it is taken only below the output folder, step by step without
following a link, and its content is compared with the hash that was recorded.
"""

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.views import ArtifactView

SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif"}
"""The types that are handed on as an image, never one that can hold a script; with the ending of each."""

_FOLLOW_NOT = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER = getattr(os, "O_DIRECTORY", 0)


def read_image(root: Path, image: "ArtifactView") -> bytes | None:
    """The image, proven by its hash; None if its file is not that any more. Blocks."""
    found = read_proven(root, image)
    return None if found is None else found[0]


def read_proven(root: Path, image: "ArtifactView") -> tuple[bytes, os.stat_result] | None:
    """The image as `read_image` gives it, and which file it was read from. Blocks."""
    path = Path(image.path)
    if image.content_type not in SUFFIXES or not is_below(root, path):
        return None
    try:
        descriptor = open_below(root, path)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size != image.bytes:
            return None
        with suppress(OSError), os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(image.bytes + 1)
            return (data, found) if hashlib.sha256(data).hexdigest() == image.sha256 else None
        return None
    finally:
        os.close(descriptor)


def is_below(root: Path, path: Path) -> bool:
    """Whether a path leads below `root`, by its name alone."""
    return path.is_absolute() and path.is_relative_to(root) and ".." not in path.parts and path != root


def open_below(root: Path, path: Path) -> int:
    """Open a file below `root`, which may be a link itself; nothing below it may be.

    Raises:
        OSError: it cannot be opened, or a link is on the way.
    """
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
