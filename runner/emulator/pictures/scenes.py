"""Five kinds of image, painted small: each a few gradients and silhouettes in one of eight palettes."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

Colour = tuple[int, int, int]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours from the top of the sky to what stands nearest."""

    zenith: Colour
    middle: Colour
    horizon: Colour
    light: Colour
    far: Colour
    near: Colour

    @property
    def dark(self) -> bool:
        return sum(self.zenith) < 220


_PALETTES = (
    Palette((38, 70, 120), (238, 150, 120), (255, 214, 150), (255, 244, 214), (196, 128, 130), (36, 30, 58)),
    Palette((98, 168, 214), (176, 216, 232), (240, 244, 232), (255, 255, 244), (142, 178, 190), (28, 62, 66)),
    Palette((12, 16, 44), (38, 40, 96), (110, 78, 140), (250, 244, 220), (70, 62, 120), (8, 10, 26)),
    Palette((232, 118, 92), (246, 176, 110), (252, 226, 164), (255, 250, 226), (208, 112, 86), (74, 26, 44)),
    Palette((70, 140, 134), (156, 204, 176), (238, 236, 196), (255, 252, 230), (110, 160, 136), (18, 52, 48)),
    Palette((86, 74, 134), (190, 132, 172), (250, 196, 190), (255, 240, 232), (142, 104, 156), (38, 24, 62)),
    Palette((22, 44, 62), (36, 92, 104), (168, 190, 160), (244, 236, 190), (52, 92, 98), (8, 20, 28)),
    Palette((210, 186, 150), (232, 214, 180), (250, 240, 218), (206, 92, 64), (186, 156, 124), (72, 54, 50)),
)


def paint(size: Size, dice: Random) -> "Image":
    """A scene of `size` pixels, RGB; everything about it comes from `dice`."""
    palette = dice.choice(_PALETTES)
    scene: Callable[[Size, Palette, Random], Image] = dice.choice((_ridges, _sea, _dunes, _city, _orbs))
    return scene(size, palette, dice)


def _ridges(size: Size, palette: Palette, dice: Random) -> "Image":
    """Mountain ranges behind each other."""
    picture = _sky(size, palette, dice)
    _sun(picture, palette, dice, height=dice.uniform(0.18, 0.42))
    layers = dice.randint(4, 7)
    for layer in range(layers):
        depth = layer / (layers - 1)
        _silhouette(
            picture,
            _mixed(palette.far, palette.near, depth**1.2),
            base=0.46 + 0.4 * depth,
            swing=0.17 - 0.09 * depth,
            sharp=dice.uniform(0.35, 0.8),
            dice=dice,
        )
    return picture


def _sea(size: Size, palette: Palette, dice: Random) -> "Image":
    """A low sun, and its path on the water."""
    from PIL import ImageDraw

    width, height = size
    picture = _sky(size, palette, dice)
    level = dice.uniform(0.5, 0.6)
    across = _sun(picture, palette, dice, height=level - dice.uniform(0.03, 0.12))
    if dice.random() < 0.6:
        _silhouette(picture, palette.far, base=level, swing=0.07, sharp=0.5, dice=dice)
    top = round(level * height)
    water = _gradient((width, height - top), palette.horizon, palette.far, palette.near)
    picture.paste(water, (0, top))
    pen = ImageDraw.Draw(picture, "RGBA")
    for _ in range(150):
        down = dice.random() ** 1.4
        y = top + down * (height - top)
        reach = (0.015 + 0.16 * down) * width
        x = dice.gauss(across * width, reach * 0.8)
        half = dice.uniform(0.2, 1.0) * reach * 0.5
        thick = max(1.0, height * (0.0012 + 0.006 * down))
        pen.rounded_rectangle(
            (x - half, y, x + half, y + thick), thick / 2, fill=(*palette.light, dice.randint(30, 120))
        )
    return picture


def _dunes(size: Size, palette: Palette, dice: Random) -> "Image":
    """Long soft waves from edge to edge."""
    picture = _sky(size, palette, dice)
    if dice.random() < 0.7:
        _sun(picture, palette, dice, height=dice.uniform(0.12, 0.28))
    layers = dice.randint(7, 10)
    for layer in range(layers):
        depth = layer / (layers - 1)
        colour = _mixed(_mixed(palette.horizon, palette.middle, 0.5), palette.near, depth)
        _silhouette(picture, colour, base=0.3 + 0.62 * depth, swing=0.09, sharp=0.0, dice=dice)
    return picture


def _city(size: Size, palette: Palette, dice: Random) -> "Image":
    """Rows of houses with some windows lit."""
    from PIL import ImageDraw

    width, height = size
    picture = _sky(size, palette, dice)
    _sun(picture, palette, dice, height=dice.uniform(0.15, 0.4))
    _silhouette(picture, palette.far, base=0.55, swing=0.1, sharp=0.4, dice=dice)
    pen = ImageDraw.Draw(picture, "RGBA")
    for row in range(3):
        colour = _mixed(palette.far, palette.near, 0.35 + 0.325 * row)
        x = -dice.uniform(0, 0.05) * width
        while x < width:
            wide = dice.uniform(0.035, 0.09) * width
            roof = (0.62 + 0.1 * row - abs(dice.gauss(0, 0.12))) * height
            pen.rectangle((x, roof, x + wide, height), fill=colour)
            if dice.random() < 0.25:
                pen.line((x + wide / 2, roof, x + wide / 2, roof - 0.04 * height), fill=colour, width=2)
            _windows((x, roof, wide, height), palette, row, dice, pen.rectangle)
            x += wide * dice.uniform(0.95, 1.2)
    return picture


def _windows(
    house: tuple[float, float, float, float],
    palette: Palette,
    row: int,
    dice: Random,
    rectangle: Callable[..., None],
) -> None:
    x, roof, wide, height = house
    side = wide / 9
    for column in range(1, 8, 2):
        y = roof + 2 * side
        while y < height * 0.9 and side >= 1.5:
            if dice.random() < 0.28:
                corner = x + column * side
                rectangle((corner, y, corner + side, y + 1.4 * side), fill=(*palette.light, 90 + 50 * row))
            y += 3 * side


def _orbs(size: Size, palette: Palette, dice: Random) -> "Image":
    """Translucent globes floating over each other."""
    from PIL import Image, ImageOps

    width, height = size
    picture = _sky(size, palette, dice)
    round_mask = ImageOps.invert(Image.radial_gradient("L")).point(
        [min(255, max(0, (v - 74) * 9)) for v in range(256)]
    )
    shade = Image.linear_gradient("L")
    colours = (palette.light, palette.far, palette.middle, palette.near, palette.zenith)
    for turn in range(dice.randint(9, 14)):
        side = max(2, round(min(size) * dice.uniform(0.08, 0.5) * (0.6 if turn % 3 else 1)))
        opacity = dice.uniform(0.35, 0.85)
        mask = Image.blend(shade, Image.new("L", shade.size, 255), 0.45)
        mask = Image.composite(mask, Image.new("L", mask.size, 0), round_mask)
        mask = mask.rotate(dice.uniform(0, 360)).resize((side, side), Image.Resampling.BILINEAR)
        mask = mask.point([round(v * opacity) for v in range(256)])
        corner = round(dice.random() * width - side / 2), round(dice.random() * 0.85 * height - side / 2)
        picture.paste(dice.choice(colours), (*corner, corner[0] + side, corner[1] + side), mask)
    return picture


def _sky(size: Size, palette: Palette, dice: Random) -> "Image":
    from PIL import ImageDraw

    picture = _gradient(size, palette.zenith, palette.middle, palette.horizon)
    if palette.dark:
        pen = ImageDraw.Draw(picture, "RGBA")
        dot = max(1.0, min(size) / 700)
        for _ in range(90):
            x, y = dice.random() * size[0], dice.random() ** 1.5 * size[1] * 0.6
            r = dot * dice.uniform(0.5, 1.6)
            pen.ellipse((x - r, y - r, x + r, y + r), fill=(*palette.light, dice.randint(60, 220)))
    return picture


def _sun(picture: "Image", palette: Palette, dice: Random, height: float) -> float:
    """Put a disc with its glow at `height` (a share of the picture's); returns where it stands across."""
    from PIL import Image, ImageOps

    across = dice.uniform(0.2, 0.8)
    radius = min(picture.size) * dice.uniform(0.05, 0.1)
    centre = across * picture.size[0], height * picture.size[1]
    falloff = ImageOps.invert(Image.radial_gradient("L"))
    glow = falloff.point([round((max(0, v - 74) / 181) ** 2 * 170) for v in range(256)])
    disc = falloff.point([min(255, max(0, (v - 76) * 16)) for v in range(256)])
    for mask, reach in ((glow, radius * 6), (disc, radius)):
        side = max(2, round(2 * reach))
        left, top = round(centre[0] - reach), round(centre[1] - reach)
        scaled = mask.resize((side, side), Image.Resampling.BILINEAR)
        picture.paste(palette.light, (left, top, left + side, top + side), scaled)
    return across


def _silhouette(
    picture: "Image", colour: Colour, *, base: float, swing: float, sharp: float, dice: Random
) -> None:
    """Fill everything below a skyline around `base`, `swing` high (shares of the height).

    `sharp` between 0 (waves) and 1 (peaks).
    """
    from PIL import ImageDraw

    width, height = picture.size
    waves = [
        (dice.uniform(0.6, 1.4) * 2**octave, dice.uniform(0, 2 * math.pi), 0.5**octave)
        for octave in range(5 if sharp else 2)
    ]
    points: list[tuple[float, float]] = []
    steps = 160
    for step in range(steps + 1):
        x = step / steps
        lift = 0.0
        for frequency, phase, weight in waves:
            angle = 2 * math.pi * frequency * x + phase
            lift += weight * ((1 - sharp) * math.sin(angle) + sharp * (1 - 2 * abs(math.sin(angle / 2))))
        points.append((x * width, (base - swing * lift) * height))
    ImageDraw.Draw(picture).polygon([(0, height), *points, (width, height)], fill=colour)


def _gradient(size: Size, top: Colour, middle: Colour, bottom: Colour) -> "Image":
    from PIL import Image, ImageOps

    column = Image.linear_gradient("L").resize((1, max(1, size[1])), Image.Resampling.BILINEAR)
    return ImageOps.colorize(column, top, bottom, middle).resize(size, Image.Resampling.NEAREST)


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
