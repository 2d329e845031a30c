"""Thumbnails: small, upright, in sRGB; foreign bytes in, our own out, or none."""

import io
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageStat

from runner.downloads.thumbnail import make_thumbnail, shrunk

RED, BLUE = (220, 30, 30), (30, 30, 220)


def encoded(image: Image.Image, kind: str = "PNG", **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def small(data: bytes, side: int = 64) -> Image.Image:
    """The thumbnail, decoded."""
    made = make_thumbnail(data, side)
    assert made is not None
    image = Image.open(io.BytesIO(made))
    assert image.format == "WEBP"
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize(("size", "made"), [((400, 200), (64, 32)), ((20, 30), (20, 30))])
def test_it_fits_and_never_grows(kind: str, size: tuple[int, int], made: tuple[int, int]) -> None:
    """Of every format that the API sends."""
    assert small(encoded(Image.new("RGB", size, RED), kind)).size == made


def test_it_is_upright() -> None:
    """A camera's note of how it was held is applied, and gone."""
    image = Image.new("RGB", (200, 100), RED)
    image.paste(BLUE, (0, 0, 100, 100))
    exif = image.getexif()
    exif[0x0112] = 6
    made = small(encoded(image, "JPEG", exif=exif))
    assert made.size == (32, 64)
    assert not made.getexif()
    top = made.convert("RGB").getpixel((16, 5))
    assert isinstance(top, tuple)
    assert top[2] > top[0]


def test_no_note_is_taken_along() -> None:
    """A prompt in it would travel with every copy."""
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>a secret prompt</x:xmpmeta>"
    data = encoded(Image.new("RGB", (90, 90), RED), "WEBP", xmp=xmp, exif=Image.Exif())
    made = make_thumbnail(data, 64)
    assert made is not None
    assert b"secret" in data
    assert b"secret" not in made


def test_the_image_stays_as_it_is() -> None:
    """It may have further frames, and is decoded on."""
    image = Image.open(io.BytesIO(encoded(Image.new("RGBA", (90, 80), RED), dpi=(72, 72))))
    before = (image.size, image.mode, dict(image.info))
    shrunk(image, 64)
    assert (image.size, image.mode, image.info) == before


def test_what_is_transparent_stays_so() -> None:
    """A black ground would be another picture."""
    assert small(encoded(Image.new("RGBA", (90, 90), (*RED, 0)))).mode == "RGBA"
    palette = Image.new("P", (90, 90))
    assert small(encoded(palette, transparency=0)).mode == "RGBA"


def test_the_first_frame_is_shown() -> None:
    """Of a film, too."""
    frames = [Image.new("RGB", (90, 90), colour) for colour in (RED, BLUE)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    made = small(data)
    assert getattr(made, "n_frames", 1) == 1
    found = made.convert("RGB").getpixel((30, 30))
    assert isinstance(found, tuple)
    assert found[0] > found[2]


@pytest.mark.parametrize("profile", ["good", "broken"])
def test_a_profile_is_applied_where_it_can_be(profile: str) -> None:
    """A broken one costs colours, not the picture."""
    good = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(Image.new("RGB", (90, 90), RED), icc_profile=good if profile == "good" else b"broken")
    made = small(data)
    assert "icc_profile" not in made.info
    assert made.size == (64, 64)


@pytest.mark.parametrize(
    "data",
    [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html>", encoded(Image.new("RGB", (90, 90)))[:60]],
)
def test_what_is_no_picture_has_none(data: bytes) -> None:
    """No exception of a parser comes through."""
    assert make_thumbnail(data, 64) is None


def test_too_many_pixels_are_not_drawn() -> None:
    """A small file can hold very many."""
    assert make_thumbnail(encoded(Image.new("1", (300, 300))), 64, max_pixels=300 * 299) is None


def test_fine_lines_stay_lines() -> None:
    """Beside the slow way they differ little, though most of the pixels are only counted together."""
    drawing = Image.new("RGB", (2560, 1440), "white")
    pen = ImageDraw.Draw(drawing)
    for x in range(0, 2560, 37):
        pen.line((x, 0, 2560 - x, 1440), fill=(200, 30, 30), width=3)
    slow = drawing.resize((384, 216), Image.Resampling.LANCZOS)
    made = small(encoded(drawing), 384).convert("RGB")
    _, green, blue = ImageStat.Stat(ImageChops.difference(made, slow)).rms
    assert max(green, blue) < 12
