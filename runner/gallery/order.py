"""What is wanted of a gallery."""

from dataclasses import dataclass
from enum import StrEnum


class ShownAs(StrEnum):
    """What a gallery shows of one image alone."""

    PREVIEW = "preview"
    COPY = "copy"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class GalleryOrder:
    """What is wanted of a gallery."""

    title: str
    shown: ShownAs = ShownAs.PREVIEW
    prompts: bool = False
