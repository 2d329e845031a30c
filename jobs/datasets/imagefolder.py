"""A data set as a folder of images with `metadata.jsonl` beside them: Hugging Face's imagefolder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jobs.datasets.columns import as_json
from jobs.datasets.pictures import ProvenImage
from jobs.datasets.ways import PicturesWay
from jobs.datasets.xmp import SUFFIX

METADATA = "metadata.jsonl"
FILE_NAME = "file_name"
"""The column that names the image; it comes first."""


_NO_FOLLOW = os.link in os.supports_follow_symlinks
_SAME_FILE = ("st_dev", "st_ino")


@dataclass(slots=True)
class HardLinkCounts:
    """Images that got a hard link, and those that were copied because they could not have one."""

    linked: int = 0
    copied: int = 0
    why: str = ""
    """Of the last one that was copied."""


class ImageFolder:
    """A folder of a split. Everything here blocks."""

    def __init__(self, folder: Path, way: PicturesWay) -> None:
        self._folder = folder
        self._way = way
        self.hard_links = HardLinkCounts()

    def __enter__(self) -> Self:
        self._folder.mkdir()
        self._metadata = (self._folder / METADATA).open("xb")
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._metadata.close()

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
        self._metadata.write(as_json({FILE_NAME: name, **values}) + b"\n")

    def _hard_link(self, target: Path, image: ProvenImage) -> None:
        why = _why_no_hard_link(target, image)
        if why is None:
            self.hard_links.linked += 1
        else:
            _write_new(target, image.data)
            self.hard_links.copied += 1
            self.hard_links.why = why


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
