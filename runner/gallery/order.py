"""What is wanted of a gallery."""

from dataclasses import dataclass
from enum import StrEnum


class ShownAs(StrEnum):
    """What a gallery shows of one image alone."""

    PREVIEW = "preview"
    COPY = "copy"
    NONE = "none"


PREVIEW_SIDE = 1600
SMALLEST_PREVIEW, LARGEST_PREVIEW = 384, 8192


@dataclass(frozen=True, slots=True)
class GalleryOrder:
    """What is wanted of a gallery."""

    title: str
    shown: ShownAs = ShownAs.PREVIEW
    prompts: bool = False
    side: int = PREVIEW_SIDE
    """The longer side of a preview, in pixels."""
    zipped: bool = False
    """Into a zip archive, instead of a folder."""
