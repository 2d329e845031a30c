"""A zip archive that an export writes: it takes its place whole, and only of one that an export wrote.

Its comment has a digest of what it holds: one into which somebody has put a file is known, and is not
replaced. The same files give the same bytes, whenever and wherever they are written.
"""

import hashlib
import shutil
import stat
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from jobs.disk.atomic_file import atomic_file, cannot_write
from jobs.errors import UsageProblem

_MARK = b"Nightsheet, an export: "
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
"""The system that an archive says it is from: else it would differ by the one that writes it."""
_FILE = (stat.S_IFREG | 0o644) << 16
_PACKED = (".png", ".jpg", ".webp", ".gif")
"""What is packed already: packing it again would take time, and no room from it."""


class OwnArchive:
    """An archive on its way. All that it holds is in one folder. Everything here blocks."""

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        self._archive = archive
        self._folder = folder

    def put(self, name: str, data: bytes) -> None:
        """Write a file."""
        self._archive.writestr(self._entry(name, len(data)), data)

    def put_file(self, name: str, file: BinaryIO) -> None:
        """Write what a file holds, from its start; its bytes are never in memory all at once."""
        size = file.seek(0, 2)
        file.seek(0)
        with self._archive.open(self._entry(name, size), "w") as entry:
            shutil.copyfileobj(file, entry)

    def _entry(self, name: str, size: int) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(f"{self._folder}/{name}", _NO_TIME)
        entry.file_size, entry.external_attr, entry.create_system = size, _FILE, _UNIX
        is_packed = PurePosixPath(name).suffix in _PACKED
        entry.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
        return entry


@contextmanager
def own_archive(target: Path, folder: str) -> Iterator[OwnArchive]:
    """A new archive of `folder`, which becomes `target` at the end of the block. Blocks.

    Raises:
        UsageProblem: something else is there, which is left as it was.
        CannotWrite: the disk refuses.
    """
    try:
        _check(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(target) as file:
            with zipfile.ZipFile(file.path, "w") as archive:
                yield OwnArchive(archive, folder)
                archive.comment = _comment(archive.infolist())
            _check(target)  # writing took its time
            file.commit()
    except OSError as error:
        raise cannot_write(target, error) from error


def _check(target: Path) -> None:
    if target.is_symlink():
        why = "is a link, which is not followed"
    elif target.exists() and not _is_ours(target):
        why = "is there already, and is not the archive of an export as it was written"
    else:
        return
    raise UsageProblem(
        f"{target} {why}. Nothing was written.", hint="Name a new file with --output, or move that one away."
    )


def _is_ours(file: Path) -> bool:
    if not file.is_file():
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.comment == _comment(archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):  # whatever it is, it is none of ours
        return False


def _comment(entries: Iterable[zipfile.ZipInfo]) -> bytes:
    digest = hashlib.sha256()
    for entry in entries:
        told = f"{entry.filename}\0{entry.file_size}\0{entry.CRC}\n"
        digest.update(told.encode("utf-8", "surrogatepass"))
    return _MARK + digest.hexdigest().encode()
