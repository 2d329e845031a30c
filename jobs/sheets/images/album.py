"""The pictures of this computer that a sheet names: opened and judged once, however many rows name them."""

import hashlib
import os
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from jobs.catalog.image_rules import SUFFIXES, Flaw, Shape, flaws_of
from jobs.catalog.image_urls import MOST_REFERENCES, name_by_content
from jobs.files import open_regular
from jobs.image_shape import measure
from jobs.paths import not_utf8
from jobs.sheets.images.find import Folders, NotFound, find_files

MOST_BYTES = 32 * 1024 * 1024
"""What is read of a file: one that is larger is refused by its size alone."""

_KEPT = 10_000
"""Names, and files, that are remembered: what is forgotten is opened again."""


class Way(StrEnum):
    """How pictures of this computer get to the API."""

    REFUSE = "refuse"
    """Not at all: nobody has said how."""
    INSIDE = "data-uri"
    """Inside the request."""
    STORE = "store"
    """Through a store that the API fetches them from."""


@dataclass(frozen=True, slots=True)
class LocalImage:
    """A picture of this computer, as it was when the sheet was read. `shown` is its name from the sheet's
    folder, `flaws` what is said against it; `media_type` is of its content."""

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
        """How inputs name it, by its content."""
        return name_by_content(self.sha256, SUFFIXES[self.format])

    @property
    def refused(self) -> tuple[Flaw, ...]:
        return tuple(flaw for flaw in self.flaws if flaw.refused)


Reference = str | LocalImage
"""What an input for pictures comes to: an address, or a picture of this computer."""


class Album:
    """What one sheet may name. Without `folders` nothing is looked for on this computer."""

    def __init__(self, folders: Folders | None = None, way: Way = Way.REFUSE) -> None:
        self.folders = folders
        self.way = way
        self._finds = lru_cache(_KEPT)(self._find)
        self._opens = lru_cache(_KEPT)(self._open)

    def find(self, text: str) -> tuple[LocalImage | NotFound, ...]:
        """The pictures that `text` names, in their order, or why not: for each file, or for all of it."""
        return self._finds(text)

    def _find(self, text: str) -> tuple[LocalImage | NotFound, ...]:
        if self.folders is None:
            return (NotFound("Files of this computer cannot be named here."),)
        files = find_files(text, self.folders)
        if isinstance(files, NotFound):
            return (files,)
        if len(files) > MOST_REFERENCES:  # told before any of them is opened
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
"""Names no file."""


def _read(path: Path) -> tuple[bytes, int]:
    """A regular file's bytes and its size; none of them where they are too many. Raises OSError."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MOST_BYTES:
            return b"", size
        data = file.read(MOST_BYTES + 1)
        return data, len(data)
