"""What a picture's bytes say of it."""

import io
import struct
import zlib

import pytest
from PIL import Image

from jobs.catalog.image_rules import Shape
from jobs.images.shape import measure
from tests.support.small_pictures import picture


def test_format_and_sides_are_those_of_the_content() -> None:
    """With the size that was told."""
    assert measure(picture("JPEG", (40, 30)), 7) == Shape("JPEG", 40, 30, 7)
    assert measure(picture("PNG", (30, 40))) == Shape("PNG", 30, 40)
    assert measure(picture("WEBP")) == Shape("WEBP", 64, 48)


def test_colours_for_print_and_a_note_of_turning() -> None:
    """Both are seen in the header."""
    made = measure(picture("JPEG", mode="CMYK", colour="#000"))
    assert isinstance(made, Shape)
    assert made.colours == "CMYK"
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30)).save(buffer, "JPEG", exif=exif)
    turned = measure(buffer.getvalue())
    assert turned == Shape("JPEG", 40, 30, turned=True)


def test_a_png_that_moves() -> None:
    """By its frames."""
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    assert measure(buffer.getvalue()) == Shape("PNG", 20, 20, animated=True)


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.4", b"<svg/>"])
def test_what_is_no_picture(data: bytes) -> None:
    """A sentence, not an exception."""
    assert measure(data) == "it is no picture that is known here"


def test_half_a_picture_is_told_where_all_of_it_should_be_there() -> None:
    """Its first bytes are enough where the rest lies elsewhere."""
    data = picture("JPEG", (600, 600), colour="#123456")
    half = measure(data[: len(data) // 2])
    assert isinstance(half, str)
    assert "cannot be decoded" in half
    assert measure(data[: len(data) // 2], len(data), whole=False) == Shape("JPEG", 600, 600, len(data))


def of_chunks(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG that is put together by hand."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes whose header promises a great many pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return of_chunks((b"IHDR", header), (b"IDAT", zlib.compress(bytes(64))), (b"IEND", b""))


def test_a_bomb_is_not_unpacked() -> None:
    """Its header says how large it would be."""
    assert measure(png_that_claims(60_000, 60_000)) == "it would unpack to more pixels than any model takes"


def test_what_is_too_large_to_be_decoded_is_measured_by_its_header() -> None:
    """Not for a note in it either: decoding it would tell that its pixels are missing."""
    assert measure(png_that_claims(8001, 8000)) == Shape("PNG", 8001, 8000)


@pytest.mark.parametrize("name", [b"zTXt", b"iCCP"])
@pytest.mark.parametrize("mebibytes", [2, 16, 17])
def test_a_png_may_hold_a_large_note(name: bytes, mebibytes: int) -> None:
    """Tools write the graph that made it: larger than Pillow takes by itself, or takes at all."""
    header = struct.pack(">IIBBBBB", 40, 30, 8, 2, 0, 0, 0)
    note = b"workflow\0\0" + zlib.compress(bytes(mebibytes * 1024 * 1024))
    pixels = zlib.compress(bytes(30 * (1 + 3 * 40)))
    found = measure(of_chunks((b"IHDR", header), (name, note), (b"IDAT", pixels), (b"IEND", b"")))
    assert found == Shape("PNG", 40, 30)


@pytest.mark.parametrize("before", [True, False])
def test_a_png_may_note_its_turning_before_or_behind_its_pixels(before: bool) -> None:
    """What is behind them is seen where all of it is here, and where it may be decoded."""
    exif = Image.Exif()
    exif[0x0112] = 6
    header = (b"IHDR", struct.pack(">IIBBBBB", 40, 30, 8, 2, 0, 0, 0))
    pixels = (b"IDAT", zlib.compress(bytes(30 * (1 + 3 * 40)), 0))  # as many bytes as pixels need
    note = (b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    order = (header, note, pixels) if before else (header, pixels, note)
    data = of_chunks(*order, (b"IEND", b""))
    assert measure(data) == Shape("PNG", 40, 30, turned=True)
    assert measure(data[: len(data) // 2], whole=False) == Shape("PNG", 40, 30, turned=before)
