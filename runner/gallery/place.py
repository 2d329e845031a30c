"""Where a gallery's files go: a folder, or one zip archive. Everything here blocks."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from jobs.disk.own_archive import own_archive
from jobs.disk.own_folder import own_folder
from jobs.disk.paths import folder_name


class GalleryPlace(Protocol):
    """Where the files go."""

    def put(self, name: str, data: bytes) -> None:
        """Write a file."""

    def put_file(self, name: str, file: BinaryIO) -> None:
        """Write what a file holds, from its start."""


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, data: bytes) -> None:
        place = self._folder / name
        place.parent.mkdir(exist_ok=True)
        with place.open("xb") as file:
            file.write(data)

    def put_file(self, name: str, file: BinaryIO) -> None:
        file.seek(0)
        with (self._folder / name).open("xb") as place:
            shutil.copyfileobj(file, place)


@contextmanager
def gallery_place(target: Path, *, zipped: bool) -> Iterator[GalleryPlace]:
    """A place that becomes `target` at the end of the block.

    Raises:
        UsageProblem: what is there is not a gallery that an export wrote.
        CannotWrite: it cannot be written; what was there before is left as it was.
    """
    if zipped:
        with own_archive(target, inner_folder(target)) as archive:
            yield archive
    else:
        with own_folder(target, "gallery") as part:
            yield _Folder(part)


def inner_folder(archive: Path) -> str:
    """The folder in an archive, which unpacking it makes."""
    return folder_name(archive.stem)
