"""A data set as a folder of images with their metadata beside them: Hugging Face's imagefolder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jobs.datasets.columns import DataColumn
from jobs.datasets.metadata import FolderMetadata
from jobs.datasets.pictures import ProvenImage
from jobs.datasets.ways import PicturesWay
from jobs.datasets.xmp import SUFFIX

_NO_FOLLOW = os.link in os.supports_follow_symlinks
_SAME_FILE = ("st_dev", "st_ino")


@dataclass(slots=True)
class FolderNotes:
    """What is to be said of a folder."""

    hard_linked: int = 0
    copied: int = 0
    """Images that could not have a hard link."""
    why_copied: str = ""
    """Of the last one."""
    types_are_guessed: bool = False
    """By who reads the metadata."""


class ImageFolder:
    """A folder of a split. Everything here blocks."""

    def __init__(self, folder: Path, columns: tuple[DataColumn, ...], way: PicturesWay) -> None:
        self._folder = folder
        self._metadata = FolderMetadata(folder, columns)
        self._way = way
        self.notes = FolderNotes()

    def __enter__(self) -> Self:
        self._folder.mkdir()
        self._metadata.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._metadata.__exit__(kind, error, trace)
        self.notes.types_are_guessed = self._metadata.types_are_guessed

    def add(self, name: str, image: ProvenImage, values: Mapping[str, Any], sidecar: bytes | None) -> None:
        """One image, with its line of metadata and, if given, its sidecar."""
        target = self._folder / name
        match self._way:
            case PicturesWay.COPY:
                _write_new(target, image.data)
            case PicturesWay.LINK:  # `..` leads up from where a linked folder really is
                place = image.path.parent.resolve() / image.path.name
                target.symlink_to(os.path.relpath(place, self._folder.resolve()))
            case PicturesWay.HARDLINK:
                self._hard_link(target, image)
        if sidecar is not None:
            _write_new(target.with_name(name + SUFFIX), sidecar)
        self._metadata.add(name, values)

    def _hard_link(self, target: Path, image: ProvenImage) -> None:
        why = _why_no_hard_link(target, image)
        if why is None:
            self.notes.hard_linked += 1
        else:
            _write_new(target, image.data)
            self.notes.copied += 1
            self.notes.why_copied = why


def _why_no_hard_link(target: Path, image: ProvenImage) -> str | None:
    """Why the proven file cannot have this name as well; None where it has it now."""
    try:
        os.link(image.path, target, follow_symlinks=not _NO_FOLLOW)
    except (
        OSError
    ) as error:  # another device, no such thing there, no right to: a full disk refuses a copy too
        return error.strerror or str(error)
    made = target.lstat()
    if all(getattr(made, name) == getattr(image.file, name) for name in _SAME_FILE):
        return None
    target.unlink()
    return "it was replaced meanwhile"


def _write_new(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
