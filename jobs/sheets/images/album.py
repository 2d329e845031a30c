"""The images of this computer that a sheet names: each opened and checked once, for any number of rows."""

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jobs.catalog.image_rules import SUFFIXES, Flaw, Shape, flaws_of
from jobs.catalog.image_urls import MOST_REFERENCES, name_by_content
from jobs.disk.named_file import open_regular
from jobs.disk.paths import not_utf8
from jobs.images.shape import measure
from jobs.sheets.images.find import Folders, NotFound, find_files
from jobs.sheets.images.way import Way

MOST_BYTES = 32 * 1024 * 1024
"""The most that is read of a file: a larger one is rejected by its size alone."""

_KEPT = 10_000
"""The size of the caches of names and of files: what has left them is opened again."""


@dataclass(frozen=True, slots=True)
class LocalImage:
    """An image of this computer, as it was when the sheet was read.

    `shown` is its path from the sheet's folder, `flaws` are those of its content, and so is `media_type`.
    """

    path: Path
    shown: str
    sha256: str
    bytes: int
    format: str
    flaws: tuple[Flaw, ...]

    @property
    def media_type(self) -> str:
        return f"image/{self.format.lower()}"

    @property
    def name(self) -> str:
        """Its name in a job's inputs, by its content."""
        return name_by_content(self.sha256, SUFFIXES[self.format])

    @property
    def refused(self) -> tuple[Flaw, ...]:
        return tuple(flaw for flaw in self.flaws if flaw.refused)


Reference = str | LocalImage
"""A value of an input for images: a URL, or an image of this computer."""


class Album:
    """The images that one sheet may name. Without `folders` it finds none on this computer."""

    def __init__(self, folders: Folders | None = None, way: Way = Way.REFUSE) -> None:
        self.folders = folders
        self.way = way
        self._finds = lru_cache(_KEPT)(self._find)
        self._opens = lru_cache(_KEPT)(self._open)

    def find(self, text: str) -> tuple[LocalImage | NotFound, ...]:
        """The images that `text` names, in order; in place of each file, or of all, why it cannot be used."""
        return self._finds(text)

    def _find(self, text: str) -> tuple[LocalImage | NotFound, ...]:
        if self.folders is None:
            return (NotFound("Files of this computer cannot be named here."),)
        files = find_files(text, self.folders)
        if isinstance(files, NotFound):
            return (files,)
        if len(files) > MOST_REFERENCES:  # before any of them is opened
            message = f"This names {len(files)} pictures, a model takes at most {MOST_REFERENCES}."
            return (NotFound(message, "Name fewer of them."),)
        return tuple(map(self._opens, files))

    def _open(self, path: Path) -> LocalImage | NotFound:
        assert self.folders is not None
        own = self.folders.own
        shown = path.relative_to(own).as_posix() if path.is_relative_to(own) else str(path)
        if (name := not_utf8(path)) is not None:
            return NotFound(f"Its name is not UTF-8: {name}", "Rename it.")
        try:
            data, size = _read(path)
        except OSError as error:
            return NotFound(f"{shown} cannot be read: {error.strerror or 'it is no file'}.")
        if len(data) < size:
            flaw = Flaw(f"It has {size / 1e6:,.0f} MB, and is not opened.", "Save it smaller.", refused=True)
            return LocalImage(path, shown, "", size, "", (flaw,))
        shape = measure(data, size)
        if not isinstance(shape, Shape):
            return NotFound(f"{shown} cannot be sent: {shape}.", "Save it once more, as jpeg or png.")
        digest = hashlib.sha256(data).hexdigest()
        return LocalImage(path, shown, digest, size, shape.format, flaws_of(shape))


NOWHERE = Album()
"""An album without files."""


def _read(path: Path) -> tuple[bytes, int]:
    """A regular file's bytes and its size; no bytes where the file is too large. Raises OSError."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MOST_BYTES:
            return b"", size
        data = file.read(MOST_BYTES + 1)
        return data, len(data)
