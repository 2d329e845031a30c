"""How the files of a batch's images stand, as the page sees them."""

import stat
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from jobs.images.files import is_below
from jobs.views import ArtifactView, BatchView


class FileState(StrEnum):
    """What became of an image's file, by one look at its name and size."""

    HERE = "here"
    GONE = "gone"
    CHANGED = "changed"
    ELSEWHERE = "elsewhere"
    """Not below the output folder that this page may read."""


def moved_along(root: Path, batch: BatchView, image: ArtifactView) -> ArtifactView:
    """The image at its place below `root`, where that is not the output folder that the batch remembers."""
    if batch.output_root is None or not Path(image.path).is_relative_to(batch.output_root):
        return image
    return replace(image, path=str(root / Path(image.path).relative_to(batch.output_root)))


def file_state(root: Path, image: ArtifactView) -> FileState:
    """How an image's file stands. Blocks."""
    if not is_below(root, Path(image.path)):
        return FileState.ELSEWHERE
    try:
        found = Path(image.path).lstat()
    except OSError:
        return FileState.GONE
    is_same = stat.S_ISREG(found.st_mode) and found.st_size == image.bytes
    return FileState.HERE if is_same else FileState.CHANGED
