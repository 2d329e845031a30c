"""A small copy of an image, as WebP: what a page shows of it. Foreign bytes go in, our own come out."""

import io
from typing import Any

from jobs.images.shape import MOST_PIXELS, Undecodable, decode
from runner.downloads.validate import PARSERS, too_large

KEPT_SIDE = 384
"""Of a tile: that one is kept. Larger ones are made when they are looked at."""

_QUALITY = 78
_GAP = 1.5
"""Times the wanted size: an image is reduced to about that first, by whole numbers. Less breaks fine lines;
more takes a third longer, and is not seen."""


def make_thumbnail(data: bytes, side: int, max_pixels: int = MOST_PIXELS) -> bytes | None:
    """The first frame, upright and in sRGB, at most `side` wide and high; None if it does not decode.

    Blocks.
    """

    def small(image: Any) -> bytes | None:
        if too_large(image.width, image.height, 1, max_pixels) is not None:
            return None
        image.draft("RGB", (side, side))  # heeded by JPEGs alone: their decoder makes it small
        return shrunk(image, side)

    made = decode(io.BytesIO(data), PARSERS, small)
    return None if isinstance(made, Undecodable) else made


def shrunk(image: Any, side: int) -> bytes:
    """The thumbnail of a Pillow image, which stays as it is. Raises whatever a decoder raises."""
    from PIL import Image, ImageOps

    has_alpha = "A" in image.getbands() or "transparency" in image.info
    mode = "RGBA" if has_alpha else "RGB"
    plain = image if image.mode == mode and "transparency" not in image.info else image.convert(mode)
    scale = min(1.0, side / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # Made small first: all that follows is of few pixels then, and no second copy of many is made.
    small = plain.resize(size, Image.Resampling.BICUBIC, reducing_gap=_GAP)
    small.info = image.info
    upright = ImageOps.exif_transpose(small)
    upright.info.clear()  # foreign notes, which a writer may take along
    out = io.BytesIO()
    _in_srgb(upright, image.info.get("icc_profile")).save(out, "WEBP", quality=_QUALITY, method=0)
    return out.getvalue()


def _in_srgb(image: Any, profile: bytes | None) -> Any:
    from PIL import ImageCms

    if not profile:
        return image
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB")) or image
    except (ImageCms.PyCMSError, OSError):  # a broken profile, or one of other colours: as it is
        return image
