"""Pictures of real sizes, as an API gives them: soft shapes with grain, which pack like photographs."""

from pathlib import Path
from typing import Literal

from PIL import Image

Picture = Literal["small", "png", "jpeg"]
SMALL_SIDE = 320
LARGE_SIDE = 2048


def write(folder: Path, which: Picture) -> Path:
    """A PNG of 300 KB, one of 2048x2048 and about 6 MB, or a JPEG of that size and about 1.3 MB."""
    if which == "small":
        path = folder / "small.png"
        Image.merge("RGB", [Image.effect_noise((SMALL_SIDE, SMALL_SIDE), 90) for _ in range(3)]).save(path)
        return path
    large = _photograph()
    if which == "png":
        large.save(folder / "large.png", compress_level=6)
        return folder / "large.png"
    large.save(folder / "large.jpg", quality=92)
    return folder / "large.jpg"


def _photograph() -> Image.Image:
    """Soft shapes with a little grain."""
    size = (LARGE_SIDE, LARGE_SIDE)
    shapes = [Image.effect_noise((32, 32), 120).resize(size, Image.Resampling.BICUBIC) for _ in range(3)]
    grain = Image.effect_noise(size, 12)
    return Image.merge("RGB", [Image.blend(shape, grain, 0.3) for shape in shapes])
