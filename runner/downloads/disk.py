"""The few disk operations whose failures matter, behind a port, so that a test can make the k-th one fail."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Protocol

from jobs.disk.atomic_file import unique_part
from jobs.disk.paths import not_utf8
from runner.downloads.unsynced import UnsyncedFolders

PART_SUFFIX = ".part"

_PART = re.compile(r".+\.(?:([0-9a-f]{8})-)?[0-9a-f]{8}\.part")
"""A name of ours, with the mark of the batch whose it is."""
_NOBODYS_AFTER = timedelta(days=1)
"""So old is an incomplete file without a mark, before it is deleted: a run may still write to it."""
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_WORDS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENAMETOOLONG: "the name is too long for this disk",
}


_IN_THE_WAY = frozenset({errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG})


@dataclass(frozen=True, slots=True)
class DiskTrouble:
    """The disk refused a write. Permanent until a person makes room or grants permission."""

    reason: str
    errno: int | None = None

    @property
    def in_the_way(self) -> bool:
        """Something else is at that path: no other file is affected."""
        return self.errno in _IN_THE_WAY


class Disk(Protocol):
    """How files are written. Every method may raise OSError."""

    def create(self, path: Path) -> int:
        """A descriptor for a new file that only this user can read. Follows no link, opens no old file."""
        ...

    def write(self, descriptor: int, data: bytes) -> None:
        """Write all of `data`."""
        ...

    def finish(self, descriptor: int) -> None:
        """Give the file the permissions of any new file, and wait until it is on disk (fsync)."""
        ...

    def close(self, descriptor: int) -> None:
        """Close the descriptor."""
        ...

    def replace(self, source: Path, target: Path) -> None:
        """Rename atomically, replacing `target`."""
        ...

    def sync_folder(self, folder: Path) -> None:
        """Wait until the folder's entries are on disk (fsync)."""
        ...


class LocalDisk:
    """The local file system. Reads the umask when it is created, so create it before any thread starts."""

    def __init__(self) -> None:
        mask = os.umask(0o077)
        os.umask(mask)
        self._mode = 0o666 & ~mask

    def create(self, path: Path) -> int:
        return os.open(path, _CREATE, 0o600)

    def write(self, descriptor: int, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    def finish(self, descriptor: int) -> None:
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, self._mode)
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        source.replace(target)

    def sync_folder(self, folder: Path) -> None:
        if os.name == "nt":  # a folder cannot be opened there
            return
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class PartFile:
    """An incomplete file under a name of its own, from its first byte until it is finished or discarded."""

    def __init__(self, disk: Disk, path: Path) -> None:
        """Create it. Raises OSError, here and below."""
        self.path = path
        self.is_moved = False
        """Whether it has another name by now."""
        self._disk = disk
        self._descriptor: int | None = disk.create(path)

    def write(self, data: bytes) -> None:
        """Append `data`."""
        if self._descriptor is None:
            raise ValueError(f"{self.path.name} is closed")
        self._disk.write(self._descriptor, data)

    def finish(self) -> None:
        """Wait until it is on disk, and close it. Once that is done, nothing more."""
        if self._descriptor is not None:
            self._disk.finish(self._descriptor)
            self.close()

    def close(self) -> None:
        """Close it, unless it is closed."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            self._disk.close(descriptor)

    def discard(self) -> None:
        """Close and delete it. Once it has been moved, nothing."""
        try:
            self.close()
        finally:
            if not self.is_moved:
                discard(self.path)


def describe_disk(error: OSError, where: Path) -> DiskTrouble:
    """An error of the disk as a sentence about `where`."""
    words = _WORDS.get(error.errno or 0) or error.strerror or type(error).__name__
    return DiskTrouble(f"{where} cannot be written: {words}", error.errno)


def part_path(folder: Path, name: str, mark: str = "") -> Path:
    """A fresh name for an incomplete file, in the folder of the final one; `mark` says whose it is."""
    return folder / f"{name}.{unique_part(mark)}"


def discard(path: Path) -> None:
    """Delete a file that may exist. One that cannot be deleted is removed at the next start, so no report."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def prepare_folder(
    disk: Disk, root: Path, below: PurePosixPath, unsynced: UnsyncedFolders | None = None
) -> Path:
    """Create `root` and the folders of `below` in it.

    `root` is the user's own choice and may be a link. Below it a link could lead files anywhere, so it is an
    OSError. What was made is on the disk, or is noted in `unsynced`; so is what others made in `root`.
    """
    _make(disk, root, unsynced)
    folder = root
    for name in below.parts:
        folder = folder / name
        if os.path.islink(folder):  # noqa: PTH114 - pathlib's way costs twice as much, here and below
            raise OSError(errno.ELOOP, "it is a symbolic link, which is not followed")
        _make(disk, folder, unsynced)
        if unsynced is not None:
            unsynced.seen(folder)
    if not _leads_into(os.path.realpath(root), os.path.realpath(folder)):
        raise OSError(errno.ELOOP, "it leads out of the output folder")
    return folder


def _leads_into(root: str, folder: str) -> bool:
    try:
        return os.path.commonpath((root, folder)) == root
    except ValueError:  # two drives of Windows, which a junction leads between, have nothing in common
        return False


def remove_stale_parts(folder: Path, mark: str, now: datetime) -> int:
    """Delete the incomplete files of an interrupted run in `folder` and below; returns how many.

    Those of the batch with this mark, which nobody else works on now, and old ones that nobody has marked.
    Those of other batches stay: a runner over another database may be writing them. A file that cannot be
    deleted stays, too: it is harmless.
    """
    removed = 0
    for path, whose in _parts(folder):
        with suppress(OSError):
            if whose == mark or (whose is None and _is_old(path, now)):
                path.unlink()
                removed += 1
    return removed


def _is_old(path: Path, now: datetime) -> bool:
    written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return now - written_at > _NOBODYS_AFTER


def probe_writable(folder: Path, disk: Disk | None = None) -> str | None:
    """Write, rename and delete a small file in `folder`, which is created if it is missing.

    None if that works, else the reason for the user. For the start, before anything is paid.
    """
    if (shown := not_utf8(folder)) is not None:
        return f"{shown} cannot be written: its name is not UTF-8"
    disk = disk or LocalDisk()
    source = part_path(folder, "probe")
    target = part_path(folder, "probe")
    try:
        prepare_folder(disk, folder, PurePosixPath())
        descriptor = disk.create(source)
        try:
            disk.write(descriptor, b"nightsheet")
            disk.finish(descriptor)
        finally:
            disk.close(descriptor)
        disk.replace(source, target)
        disk.sync_folder(folder)
    except OSError as error:
        return describe_disk(error, folder).reason
    finally:
        discard(source)
        discard(target)
    return None


def _make(disk: Disk, folder: Path, unsynced: UnsyncedFolders | None) -> None:
    if os.path.isdir(folder):  # noqa: PTH112
        return
    if not folder.parent.is_dir():
        _make(disk, folder.parent, unsynced)
    if unsynced is None:
        folder.mkdir(exist_ok=True)
        disk.sync_folder(folder.parent)
        return
    with unsynced.made(folder):
        folder.mkdir(exist_ok=True)


def _parts(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Incomplete files, each with the mark of its batch; None where it has none."""
    for root, _folders, files in os.walk(folder, followlinks=False):
        for name in files:
            if found := _PART.fullmatch(name):
                yield Path(root) / name, found.group(1)
