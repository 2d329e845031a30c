"""What a picture is like, from its bytes: all of them, or the first ones where it lies elsewhere.

Foreign bytes: parsers are given a size that is bounded, and their exceptions become sentences.
"""

import io
import warnings
from functools import cache
from types import ModuleType

from jobs.catalog.image_rules import SUFFIXES, Shape

MOST_PIXELS = 64_000_000
"""A picture with more is not decoded: 400 million were seen to fit into a file of 49 KB."""

_KNOWN = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_ORIENTATION = 0x0112


def measure(data: bytes, size: int | None = None, *, whole: bool = True) -> Shape | str:
    """The shape of the picture that begins with `data`, or why it is none, as the end of a sentence.

    `size` is that of the file, in bytes, where it is known. `whole` data is decoded to the end.
    """
    image_module = pillow()
    try:
        with image_module.open(io.BytesIO(data), formats=_KNOWN) as image:
            # MPO is what Pillow calls a JPEG with more of them behind it.
            kind = "JPEG" if image.format == "MPO" else str(image.format)
            width, height = image.size
            colours = str(image.mode)
            if whole and kind in SUFFIXES and width * height <= MOST_PIXELS:
                image.draft(None, (width // 8 or 1, height // 8 or 1))  # a JPEG is read whole, drawn small
                image.load()
            # Not the picture's own getexif(): a PNG's decodes, however large it is and whether it is whole.
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
    except Exception as error:  # a parser of foreign bytes: anything may come out of it
        return f"it cannot be decoded ({str(error) or type(error).__name__})"[:200]


@cache
def pillow() -> ModuleType:
    """Pillow, loaded late, and strict about bombs."""
    from PIL import Image

    # For good and all: to change filters around each call is not safe where threads decode side by side.
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    return Image
