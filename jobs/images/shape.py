"""The shape of an image by its bytes: all of them, or the first ones of a file that is elsewhere.

The bytes are foreign: parsers get a bounded size, and their exceptions become values.
"""

import io
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from types import ModuleType
from typing import Any, BinaryIO, TypeVar

from jobs.catalog.image_rules import SUFFIXES, Shape
from jobs.images.notes import without_notes

MOST_PIXELS = 64_000_000
"""An image with more is not decoded: a file of 49 KB can hold 400 million."""

_MOST_NOTE_BYTES = 16 * 1024 * 1024
"""A PNG's text or profile, unpacked. Pillow takes 1 MiB; the graph that made a picture may be larger."""
_KNOWN = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_ORIENTATION = 0x0112

T = TypeVar("T")


class DecodeFailure(Enum):
    """The ways in which bytes fail to be an image."""

    UNKNOWN_FORMAT = auto()
    TOO_MANY_PIXELS = auto()
    DAMAGED = auto()


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Bytes that are no image, and the exception that shows it."""

    failure: DecodeFailure
    cause: Exception

    @property
    def detail(self) -> str:
        """The parser's own words."""
        return str(self.cause) or type(self.cause).__name__


def decode(file: BinaryIO, formats: Sequence[str], read: Callable[[Any], T]) -> T | Undecodable:
    """What `read` returns for the Pillow image in a file; or why it is none, whatever a parser raises.

    Pillow gives up on an image for a note that every viewer skips: then it gets the image without its notes.
    """
    found = _decoded(file, formats, read)
    if not isinstance(found, Undecodable) or found.failure is DecodeFailure.TOO_MANY_PIXELS:
        return found
    try:
        bare = without_notes(file)
    except OSError as error:
        return Undecodable(DecodeFailure.DAMAGED, error)
    if bare is None:
        return found
    again = _decoded(io.BytesIO(bare), formats, read)
    is_damaged = isinstance(again, Undecodable) and again.failure is not DecodeFailure.TOO_MANY_PIXELS
    return found if is_damaged else again


def _decoded(file: BinaryIO, formats: Sequence[str], read: Callable[[Any], T]) -> T | Undecodable:
    image_module = _pillow()
    try:
        with image_module.open(file, formats=formats) as image:
            return read(image)
    except image_module.UnidentifiedImageError as error:
        return Undecodable(DecodeFailure.UNKNOWN_FORMAT, error)
    except (image_module.DecompressionBombWarning, image_module.DecompressionBombError) as error:
        return Undecodable(DecodeFailure.TOO_MANY_PIXELS, error)
    except Exception as error:  # a parser of foreign bytes may raise anything
        return Undecodable(DecodeFailure.DAMAGED, error)


def measure(data: bytes, size: int | None = None, *, whole: bool = True) -> Shape | str:
    """The shape of the image that begins with `data`, or why it is none, as the end of a sentence.

    `size` is the size of the file in bytes, if known. `whole`: the data is complete, and decoded to its end.
    """
    shape = decode(io.BytesIO(data), _KNOWN, lambda image: _shape(image, size, whole))
    if isinstance(shape, Shape):
        return shape
    match shape.failure:
        case DecodeFailure.UNKNOWN_FORMAT:
            return "it is no picture that is known here"
        case DecodeFailure.TOO_MANY_PIXELS:
            return "it would unpack to more pixels than any model takes"
        case DecodeFailure.DAMAGED:
            return f"it cannot be decoded ({shape.detail})"[:200]


def _shape(image: Any, size: int | None, whole: bool) -> Shape:
    # MPO is what Pillow calls a JPEG with further images behind it.
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    width, height = image.size
    colours = str(image.mode)
    if whole and kind in SUFFIXES and width * height <= MOST_PIXELS:
        image.draft(None, (width // 8 or 1, height // 8 or 1))  # a JPEG is read whole, drawn small
        image.load()
    return Shape(
        kind,
        width,
        height,
        bytes=size,
        colours=colours,
        turned=_is_turned(image),
        animated=kind == "PNG" and getattr(image, "is_animated", False),
    )


def _is_turned(image: Any) -> bool:
    try:
        # Not the image's own getexif(): a PNG's decodes all of it, and fails where it is cut off.
        return bool(_pillow().Image.getexif(image).get(_ORIENTATION, 1) != 1)
    except Exception:  # a note that cannot be read says nothing, and viewers skip it
        return False


@cache
def _pillow() -> ModuleType:
    """Pillow, loaded late, with its warnings of decompression bombs as errors."""
    from PIL import Image, PngImagePlugin

    PngImagePlugin.MAX_TEXT_CHUNK = _MOST_NOTE_BYTES
    # Set once and never reset: changing filters around each call is not safe while threads decode.
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    return Image
