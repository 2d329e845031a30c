"""Checks the shape of a reference image against the rules on the models' pages; nothing else does.

A page's rule is a comparison for machines and a sentence for people, and they do not always agree (see
SHAPE_RULES). An image that both reject is rejected here, before anything is paid; one that only one of them
rejects may be accepted by the API, so it is a warning.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import gt, lt

from jobs.catalog.image_urls import SHAPE_RULES

MEBIBYTE = 1 << 20

SUFFIXES = {"JPEG": "jpg", "PNG": "png"}
"""The formats that the pages accept ("must be jpeg or png"), with the ending of their files."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of an image by its own bytes: `format` as Pillow calls it, sides in pixels as stored.

    `bytes` is None where the size is unknown. `colours` is Pillow's mode; `turned`: its EXIF orientation is
    not upright.
    """

    format: str
    width: int
    height: int
    bytes: int | None = None
    colours: str = "RGB"
    turned: bool = False
    animated: bool = False


@dataclass(frozen=True, slots=True)
class Flaw:
    """A flaw of an image: a reason to reject it, or only a warning."""

    message: str
    hint: str
    refused: bool


_SMALLER = "Save it smaller, or as a JPEG."
_CROP = "Crop it, or take another."
_COMPARE: dict[str, Callable[[float, float], bool]] = {"<": lt, ">": gt}
_BY_ITS_SENTENCE: dict[str, Callable[[Shape], bool]] = {
    "file_size_mb<": lambda shape: (shape.bytes or 0) < 10 * MEBIBYTE,  # the page does not define its MB
    "width/height>": lambda shape: 16 * shape.width >= shape.height,
    "width/height<": lambda shape: shape.width <= 16 * shape.height,
    "width_pixels<": lambda shape: shape.width <= 6000,
    "height_pixels<": lambda shape: shape.height <= 6000,
}
"""Rules whose sentence, read by itself, accepts more than the rule."""


@lru_cache(maxsize=4096)
def flaws_of(shape: Shape) -> tuple[Flaw, ...]:
    """All flaws of such an image by the pages, and ways a model may see it differently from people."""
    return tuple(_flaws(shape))


def _flaws(shape: Shape) -> Iterator[Flaw]:
    if shape.format not in SUFFIXES:
        yield Flaw(
            f"It is a {shape.format} picture, whatever its name says: the model takes jpeg and png.",
            "Save it as one of them.",
            refused=True,
        )
    for rule in SHAPE_RULES:
        yield from _against(shape, str(rule["validation_rule"]), rule)
    if shape.colours == "CMYK":
        yield _only("Its colours are meant for print (CMYK): the model may see others.", "Save it as RGB.")
    if shape.turned:
        yield _only(
            "It is stored turned, with a note which side is up (EXIF): the model may see it turned.",
            "Save it upright.",
        )
    if shape.animated:
        yield _only(
            "It is animated: the model sees at most one frame of it.", "Save the frame that you want."
        )


def _only(message: str, hint: str) -> Flaw:
    return Flaw(message, hint, refused=False)


def _against(shape: Shape, name: str, rule: Mapping[str, object]) -> Iterator[Flaw]:
    measured, told, hint = _measured(shape, name[:-1])
    limit, sentence = rule["validation_value"], rule["validation_error"]
    assert isinstance(limit, int | float)
    if measured is None or _COMPARE[name[-1]](measured, limit):
        return
    if name in _BY_ITS_SENTENCE and _BY_ITS_SENTENCE[name](shape):
        message = (
            f"It has {told}. The page's rule ({name} {limit:g}) rejects that, but its sentence does not: "
        )
        yield Flaw(f"{message}{sentence}", hint, refused=False)
    else:
        yield Flaw(f"It has {told}. {sentence}", hint, refused=True)


def _measured(shape: Shape, dimension: str) -> tuple[float | None, str, str]:
    """The value that a rule compares, the same in words, and a hint for a value out of range."""
    match dimension:
        case "file_size_mb":
            size = shape.bytes
            return (None, "", "") if size is None else (size / 1e6, f"{size / 1e6:.2f} MB", _SMALLER)
        case "width/height":
            ratio = shape.width / max(1, shape.height)
            return ratio, f"a ratio of {ratio:.4g} ({shape.width}x{shape.height})", _CROP
        case "width_pixels":
            return shape.width, f"a width of {shape.width} pixels", "Make it larger or smaller."
        case "height_pixels":
            return shape.height, f"a height of {shape.height} pixels", "Make it larger or smaller."
        case _:
            raise ValueError(f"a rule about {dimension!r}, which cannot be measured here")
