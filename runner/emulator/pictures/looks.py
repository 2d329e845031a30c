"""The look of a reference image: a thumbnail tiny enough for the journal. Blocks."""

import io
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_BYTES = 32 * 1024 * 1024
SIDE = 8
"""Width and height of a look, in pixels."""

_MOST_PIXELS = 64_000_000
_PARSERS = ("JPEG", "PNG", "WEBP", "GIF")


@dataclass(frozen=True, slots=True)
class ReferenceLooks:
    """The looks of a submit's reference images that were fetched, or a sentence why one cannot be used."""

    looks: tuple[str, ...] = ()
    why_not: str | None = None


NOTHING_SEEN = ReferenceLooks()


class Unseen(Exception):
    """A reference image that cannot be read; the text is the end of a sentence that says why."""


def look_of(data: bytes) -> str:
    """The look of an image, as text. Raises `Unseen`."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=_PARSERS) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise Unseen("it has too many pixels")
            tiny = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    except Unseen:
        raise
    except Exception as error:  # a parser of foreign bytes: anything may come out of it
        raise Unseen("it is no picture") from error
    return b64encode(tiny.tobytes()).decode("ascii")


def inside(address: str) -> bytes:
    """The bytes in a data URI. Raises `Unseen`."""
    head, comma, packed = address.partition(",")
    if not comma:
        raise Unseen("the data URI has no data")
    if len(packed) > MOST_BYTES * 4 // 3 + 4:
        raise Unseen("it is too large")
    try:
        return b64decode(packed, validate=True) if head.endswith(";base64") else unquote_to_bytes(packed)
    except (BadBase64, ValueError) as error:
        raise Unseen("the data URI cannot be decoded") from error


def thumbnail(look: str) -> "Image":
    """The look as an image."""
    from PIL import Image

    return Image.frombytes("RGB", (SIDE, SIDE), b64decode(look))
