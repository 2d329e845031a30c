"""The shape of an image, from all of its bytes or, for a remote one, from the first bytes.

The bytes are untrusted: the pixels to decode are limited, and the parser's exceptions become sentences.
"""

import io
import warnings
from functools import cache
from types import ModuleType

from jobs.catalog.image_rules import SUFFIXES, Shape

MOST_PIXELS = 64_000_000
"""An image with more is not decoded: a file of 49 KB was seen to hold 400 million."""

_KNOWN = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_ORIENTATION = 0x0112


def measure(data: bytes, size: int | None = None, *, whole: bool = True) -> Shape | str:
    """The shape of the image that starts with `data`, or the reason why it has none, as a clause.

    `size` is the size of the file in bytes, if known. `whole`: the data is complete, and decoded to its end.
    """
    image_module = pillow()
    try:
        with image_module.open(io.BytesIO(data), formats=_KNOWN) as image:
            # MPO is Pillow's name for a JPEG that is followed by further ones.
            kind = "JPEG" if image.format == "MPO" else str(image.format)
            width, height = image.size
            colours = str(image.mode)
            if whole and kind in SUFFIXES and width * height <= MOST_PIXELS:
                # A JPEG is read whole, but decoded at an eighth of its size.
                image.draft(None, (width // 8 or 1, height // 8 or 1))
                image.load()
            # Not the image's own getexif(): that of a PNG decodes it, even if it is incomplete or too large.
            notes = image_module.Image.getexif(image)
            return Shape(
                kind,
                width,
                height,
                bytes=size,
                colours=colours,
                turned=notes.get(_ORIENTATION, 1) != 1,
                animated=kind == "PNG" and getattr(image, "is_animated", False),
            )
    except image_module.UnidentifiedImageError:
        return "it is no picture that is known here"
    except (image_module.DecompressionBombWarning, image_module.DecompressionBombError):
        return "it would unpack to more pixels than any model takes"
    except Exception as error:  # a parser of untrusted bytes may raise anything
        return f"it cannot be decoded ({str(error) or type(error).__name__})"[:200]


@cache
def pillow() -> ModuleType:
    """Pillow, loaded late, with decompression bombs as errors."""
    from PIL import Image

    # For the whole process: changing filters around each call is not safe while other threads decode.
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    return Image
