"""Images in place of a model's: fast, pretty, labelled with their recipe; equal recipes give equal bytes.

A scene is painted small and enlarged; only the caption is drawn at full size. Blocks, so it is for a thread.
"""

import io
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from runner.emulator.chance import seeded
from runner.emulator.pictures.looks import thumbnail
from runner.emulator.pictures.recipe import Recipe
from runner.emulator.pictures.scenes import paint

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

_PAINTED_SIDE = 1024
_LEAST_SIDE = 16
_KEPT = 16
_LINES = 5
_LETTERS = 1200
_SHADE = 0.7
_TINT = 0.5
_INK = (250, 250, 247)
_PALE = (205, 208, 214)


@lru_cache(maxsize=_KEPT)
def render(made: Recipe) -> bytes:
    """The encoded image, of exactly the recipe's size in pixels."""
    from PIL import Image

    width, height = made.pixels
    shrink = min(1.0, _PAINTED_SIDE / max(width, height))
    small = max(_LEAST_SIDE, round(width * shrink)), max(_LEAST_SIDE, round(height * shrink))
    dice = seeded(made.model, made.prompt, made.seed, made.index, made.references, *made.looks)
    picture = paint(small, dice)
    if made.looks:
        picture = _mixed(picture, made.looks)
    if small != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    _caption(picture, made)
    encoded = io.BytesIO()
    if made.format == "jpeg":
        picture.save(encoded, "JPEG", quality=made.quality)
    else:
        picture.save(encoded, "PNG", compress_level=1)
    return encoded.getvalue()


def _mixed(picture: "Image", looks: Sequence[str]) -> "Image":
    """The scene in the colours of its references, and each of them in a row along the upper edge."""
    from PIL import Image

    width, height = picture.size
    thumbnails = [thumbnail(look) for look in looks]
    mean = thumbnails[0]
    for place, small in enumerate(thumbnails[1:], 2):
        mean = Image.blend(mean, small, 1 / place)
    picture = Image.blend(picture, mean.resize(picture.size, Image.Resampling.BICUBIC), _TINT)
    side = max(1, min(width // max(6, len(looks)), height // 4))
    for place, small in enumerate(thumbnails):
        picture.paste(small.resize((side, side), Image.Resampling.BICUBIC), (place * side, 0))
    return picture


def _caption(picture: "Image", made: Recipe) -> None:
    """Write the recipe on a darkened card along the lower edge."""
    from PIL import Image, ImageDraw

    width, height = picture.size
    unit = max(8, round(min(width, height) / 36))
    edge = unit
    inner = max(1, width - 4 * edge)
    big, small = _font(round(unit * 1.35)), _font(unit)
    lines = [(text, big, _INK) for text in _wrapped(made.prompt, big, inner, _LINES)]
    if made.references:
        names = "from " + ", ".join(made.references)
        lines += [(text, small, _PALE) for text in _wrapped(names, small, inner, 2)]
    for fact in _facts(made):
        lines += [(text, small, _PALE) for text in _wrapped(fact, small, inner, 2)]
    tall = sum(round(font.size * 1.4) for _, font, _ in lines) + 2 * edge
    top = max(0, height - edge - tall)
    box = (min(edge, width - 1), top, max(width - edge, edge + 1), max(height - edge, top + 1))
    below = picture.crop(box)
    picture.paste(Image.blend(below, Image.new("RGB", below.size, (10, 12, 18)), _SHADE), box[:2])
    pen = ImageDraw.Draw(picture)
    y = top + edge
    for text, font, colour in lines:
        pen.text((2 * edge, y), text, font=font, fill=colour)
        y += round(font.size * 1.4)


def _facts(made: Recipe) -> tuple[str, str]:
    facts = [f"{made.index + 1} of {made.total}", f"{made.size[0]}x{made.size[1]}"]
    if made.seed is not None:
        facts.append(f"seed {made.seed}")
    return made.model, ", ".join(facts)


def _wrapped(text: str, font: "FreeTypeFont", width: int, most: int) -> list[str]:
    """`text` in lines no wider than `width` pixels; what does not fit into `most` lines ends in dots."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(text, font, width):
        longer = f"{line} {piece}" if line else piece
        if not line or font.getlength(longer) <= width:
            line = longer
            continue
        lines.append(line)
        line = piece
        if len(lines) == most:
            lines[-1] = lines[-1][:-1].rstrip() + "..."
            return lines
    return [*lines, line] if line else lines


def _pieces(text: str, font: "FreeTypeFont", width: int) -> Iterator[str]:
    """Words, and pieces of those that are wider than a line (scripts without spaces are)."""
    plain = unicodedata.normalize("NFKD", text[:_LETTERS])  # the font has no accents
    printable = "".join(
        letter if letter.isprintable() else " " for letter in plain if not unicodedata.combining(letter)
    )
    for word in printable.split():
        while font.getlength(word) > width and len(word) > 1:
            cut = max(1, int(len(word) * width / font.getlength(word)) - 1)
            yield word[:cut]
            word = word[cut:]
        yield word


@lru_cache(maxsize=64)
def _font(size: int) -> "FreeTypeFont":
    from PIL import ImageFont

    # With a size it is always a FreeType font; its stubs do not say so.
    return cast("FreeTypeFont", ImageFont.load_default(size=max(6, size)))
