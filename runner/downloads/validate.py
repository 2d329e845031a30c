"""Whether a file is a whole image of a tolerable size, found out by decoding all of it.

A JPEG is decoded at an eighth of its size: that reads all of its bytes, and draws few pixels. Pillow's
`verify()` accepts a JPEG that is cut in half, and `load()` a PNG that lacks its last bytes, so the end of the
file is checked as well. The header is trusted for one thing only: to reject a size before decoding.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from jobs.images import shape as image_shape
from jobs.images.shape import DecodeFailure, Undecodable, decode

MOST_PIXELS = image_shape.MOST_PIXELS
"""In all frames together."""
MOST_FRAMES = 1000
"""However small they are: each takes its time."""

_TAIL_BYTES = 4096
EIGHTH = 8
"""Of its width and height, a JPEG is decoded at so much less."""


@dataclass(frozen=True, slots=True)
class Broken:
    """What arrived is no whole image. Another download may help."""

    reason: str


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """A decoded image: its suffix with the dot, its content type, its size in pixels."""

    suffix: str
    content_type: str
    width: int
    height: int


_FORMATS = {
    "PNG": (".png", "image/png"),
    "JPEG": (".jpg", "image/jpeg"),
    "MPO": (".jpg", "image/jpeg"),  # what Pillow calls a JPEG with more of them behind it
    "WEBP": (".webp", "image/webp"),
    "GIF": (".gif", "image/gif"),
}
PARSERS = ("PNG", "JPEG", "WEBP", "GIF")


def inspect(
    path: Path,
    *,
    whole: bool,
    max_pixels: int = MOST_PIXELS,
    look: Callable[[Any], None] = lambda _image: None,
) -> ImageFacts | Broken:
    """Decode the file completely. Blocks, so call it in a worker thread.

    `whole` means that the length is known to be right: then the format's own end is not checked. `look` is
    shown the first frame; what it raises would count as the image's fault. Raises OSError if the file cannot
    be read: that is the disk, not the image.
    """
    with path.open("rb") as file:
        facts = decode(file, PARSERS, lambda image: _decoded(image, max_pixels, look))
        if isinstance(facts, Undecodable):
            return _broken(facts)
        if isinstance(facts, ImageFacts) and not whole and not _ends(file, facts.suffix):
            return Broken("its end is missing")
        return facts


def too_large(width: int, height: int, frames: int, max_pixels: int) -> Broken | None:
    """Why an image is not taken by what its header says; None if it is."""
    if frames > MOST_FRAMES:
        return Broken(f"it holds too many frames ({frames})")
    if width * height * frames > max_pixels:
        return Broken(f"it holds too many pixels ({width} x {height}, {frames} of them)")
    return None


def _broken(found: Undecodable) -> Broken:
    match found.failure:
        case DecodeFailure.UNKNOWN_FORMAT:
            return Broken("it is not a picture (PNG, JPEG, WebP or GIF)")
        case DecodeFailure.TOO_MANY_PIXELS:
            return Broken("it holds too many pixels")
        case DecodeFailure.DAMAGED:
            if isinstance(found.cause, OSError) and found.cause.errno is not None:
                raise found.cause
            return Broken(f"it does not decode ({found.detail})"[:300])


def _decoded(image: Any, max_pixels: int, look: Callable[[Any], None]) -> ImageFacts | Broken:
    width, height = image.size
    # Of a JPEG with more of them behind it the first is the picture: each has a size of its own.
    frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    if (large := too_large(width, height, frames, max_pixels)) is not None:
        return large
    pixels = 0
    for frame in range(frames):
        image.seek(frame)
        pixels += image.width * image.height  # a GIF grows with a frame that is larger
        if pixels > max_pixels:
            return Broken(f"it holds too many pixels ({frame + 1} frames have {pixels})")
        image.draft(None, (max(1, width // EIGHTH), max(1, height // EIGHTH)))  # heeded by JPEGs alone
        image.load()
        if frame == 0:
            look(image)
    suffix, content_type = _FORMATS[image.format]
    return ImageFacts(suffix, content_type, width, height)


def _ends(file: BinaryIO, suffix: str) -> bool:
    """Whether the format's own end marker is there. Other bytes may follow it, because tools append; not in a
    GIF, whose marker is a single byte that means little elsewhere."""
    size = file.seek(0, 2)
    if suffix == ".webp":
        file.seek(4)
        (told,) = struct.unpack("<I", file.read(4))
        return size >= int(told) + 8
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read()
    if suffix == ".gif":
        return tail.endswith(b";")
    return (b"IEND\xaeB`\x82" if suffix == ".png" else b"\xff\xd9") in tail
