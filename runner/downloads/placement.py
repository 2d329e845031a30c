"""Gives a finished file its final name, without overwriting a file of somebody else."""

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from runner.downloads.disk import Disk

_MOST_NAMES = 99

_one_at_a_time = threading.Lock()
"""Between "this name is free" and the rename, no other thread may take the name."""


def place(
    disk: Disk, part: Path, wanted: Path, suffix: str, sha256: str | None, replaces: str | None = None
) -> Path:
    """Rename `part` to `wanted` plus `suffix`; returns the path that holds the content from now on.

    An existing file stays untouched unless its content is known: with the hash `sha256` it is reused, with
    the hash `replaces` it is replaced. Otherwise `-2`, `-3`, ... follow the name. Links are never followed.
    Blocks; raises OSError.
    """
    with _one_at_a_time:
        path = _taken(disk, part, _names(wanted, suffix), sha256, replaces)
    disk.sync_folder(path.parent)
    return path


def _taken(disk: Disk, part: Path, names: Iterator[Path], sha256: str | None, replaces: str | None) -> Path:
    for path in names:
        free = not os.path.lexists(path)
        standing = None if free else sha256_of(path)
        if standing is not None and standing == sha256:
            part.unlink()
        elif free or (standing is not None and standing == replaces):
            disk.replace(part, path)
        else:
            continue
        return path
    raise OSError(errno.EEXIST, f"{_MOST_NAMES} files of that name are there already")


def _names(wanted: Path, suffix: str) -> Iterator[Path]:
    yield wanted.with_name(wanted.name + suffix)
    for number in range(2, _MOST_NAMES + 1):
        yield wanted.with_name(f"{wanted.name}-{number}{suffix}")


def stamp_of(path: Path) -> tuple[int, ...] | None:
    """Which file it is, and when it changed last: any write makes another one. None where there is no file.

    By the time that the system sets itself (on Windows that of its making): programs set the other one back.
    """
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def sha256_of(path: Path) -> str | None:
    """SHA-256 of a regular file, in hex; None for anything else, and for one that cannot be read."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
