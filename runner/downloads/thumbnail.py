"""A small copy of an image, as WebP: what a page shows of it. Foreign bytes go in, our own come out."""

import io
from typing import Any

from jobs.image_shape import MOST_PIXELS, Undecodable, decode
from runner.downloads.validate import PARSERS, too_large

_QUALITY = 78


def make_thumbnail(data: bytes, side: int, max_pixels: int = MOST_PIXELS) -> bytes | None:
    """The first frame, upright and in sRGB, at most `side` wide and high; None if it does not decode.

    Blocks.
    """
    made = decode(io.BytesIO(data), PARSERS, lambda image: _small(image, side, max_pixels))
    return None if isinstance(made, Undecodable) else made


def _small(image: Any, side: int, max_pixels: int) -> bytes | None:
    from PIL import Image, ImageOps

    if too_large(image.width, image.height, 1, max_pixels) is not None:
        return None
    image.draft("RGB", (side, side))  # heeded by JPEGs alone: their decoder makes it small
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    has_alpha = "A" in upright.getbands() or "transparency" in upright.info
    plain = upright.convert("RGBA" if has_alpha else "RGB")
    plain.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    out = io.BytesIO()
    _in_srgb(plain, profile).save(out, "WEBP", quality=_QUALITY, method=0)
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
