"""A data set as a folder of images with `metadata.jsonl` beside them: Hugging Face's imagefolder."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jobs.datasets.columns import as_json
from jobs.datasets.pictures import ProvenImage
from jobs.datasets.xmp import SUFFIX

METADATA = "metadata.jsonl"
FILE_NAME = "file_name"
"""The column that names the image; it comes first."""


class ImageFolder:
    """A folder of a split. Everything here blocks."""

    def __init__(self, folder: Path, *, link: bool) -> None:
        self._folder = folder
        self._link = link

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
        if self._link:
            target.symlink_to(os.path.relpath(image.path, self._folder))
        else:
            _write_new(target, image.data)
        if sidecar is not None:
            _write_new(target.with_name(name + SUFFIX), sidecar)
        self._metadata.write(as_json({FILE_NAME: name, **values}) + b"\n")


def _write_new(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
