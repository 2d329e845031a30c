"""The images of an export, each proven to be what was recorded, and a count of those that are not.

Everything here blocks.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISREG

from jobs.datasets.credentials import has_credentials
from jobs.images.files import is_below, read_proven
from jobs.images.stored import Whereabouts
from jobs.views import ArtifactView


@dataclass(frozen=True, slots=True)
class ProvenImage:
    """An image's place, its bytes, which have the recorded hash, and the file that they were read from."""

    path: Path
    data: bytes
    file: os.stat_result


class ImageSource:
    """Finds images, and reads them below `root` and nowhere else."""

    def __init__(self, root: Path, places: Whereabouts) -> None:
        self._root = root
        self._places = places
        self.missing = 0
        """Images that are not there as they were recorded, or not below the output folder."""
        self.with_credentials = 0
        """Images that were read and carry Content Credentials."""

    def place(self, image: ArtifactView) -> Path | None:
        """Where an image lies, by its name and size; None is counted."""
        path = self._places.of(image)
        if path is not None and is_below(self._root, path) and _is_file(path, image.bytes):
            return path
        self.missing += 1
        return None

    def read(self, image: ArtifactView) -> ProvenImage | None:
        """An image; None where its file is not that any more, which is counted."""
        path = self._places.of(image)
        found = None if path is None else read_proven(self._root, replace(image, path=str(path)))
        if path is None or found is None:
            self.missing += 1
            return None
        data, file = found
        self.with_credentials += has_credentials(data, image.content_type)
        return ProvenImage(path, data, file)


def _is_file(path: Path, size: int) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return S_ISREG(found.st_mode) and found.st_size == size
