"""Whole pictures pass, everything else does not."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFile

from runner.downloads.validate import MOST_FRAMES, MOST_PIXELS, Broken, ImageFacts, inspect


def noise(size: tuple[int, int] = (64, 48), mode: str = "RGB") -> Image.Image:
    """A picture that does not compress to nothing."""
    data = bytes(n * 7919 % 251 for n in range(size[0] * size[1] * len(mode)))
    return Image.frombytes(mode, size, data)


def encoded(format_: str, **options: Any) -> bytes:
    """A small picture in a format."""
    buffer = io.BytesIO()
    noise().save(buffer, format_, **options)
    return buffer.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes whose header promises a great many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., ImageFacts | Broken]:
    """Writes bytes to a file and inspects it."""

    def inspected(data: bytes, *, whole: bool = True, max_pixels: int = MOST_PIXELS) -> ImageFacts | Broken:
        path = tmp_path / "file.part"
        path.write_bytes(data)
        return inspect(path, whole=whole, max_pixels=max_pixels)

    return inspected


Look = Callable[..., ImageFacts | Broken]
FORMATS = {
    "PNG": (".png", "image/png"),
    "JPEG": (".jpg", "image/jpeg"),
    "WEBP": (".webp", "image/webp"),
    "GIF": (".gif", "image/gif"),
}


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("format_", FORMATS)
def test_a_whole_picture_passes(format_: str, whole: bool, look: Look) -> None:
    """Its ending and type come from what it decodes to."""
    assert look(encoded(format_), whole=whole) == ImageFacts(*FORMATS[format_], 64, 48)


def test_a_jpeg_of_several_pictures_is_a_jpeg(look: Look) -> None:
    """Cameras write them, and viewers open them as one."""
    data = encoded("MPO", save_all=True, append_images=[noise()])
    assert look(data) == ImageFacts(".jpg", "image/jpeg", 64, 48)


def test_an_animation_passes(look: Look) -> None:
    """Every frame is decoded."""
    data = encoded("GIF", save_all=True, append_images=[noise().rotate(90), noise().rotate(180)])
    assert isinstance(look(data), ImageFacts)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_picture_cut_in_half_is_broken(format_: str, look: Look) -> None:
    """`verify()` would let two of them pass."""
    data = encoded(format_)
    assert isinstance(look(data[: len(data) // 2]), Broken)


@pytest.mark.parametrize("size", [(17, 12), (7, 5), (1, 1)])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 2}]
)
def test_a_jpeg_is_read_to_its_end_though_drawn_at_an_eighth(
    size: tuple[int, int], options: dict[str, Any], look: Look
) -> None:
    """It says its full size, and wherever it is cut off, that shows as it does in a full decode."""
    buffer = io.BytesIO()
    noise(size).save(buffer, "JPEG", quality=60, **options)
    data = buffer.getvalue()
    assert look(data, whole=False) == ImageFacts(".jpg", "image/jpeg", *size)
    for length in range(len(data)):
        assert isinstance(look(data[:length], whole=False), Broken), f"{length} of {len(data)} bytes"
        try:
            Image.open(io.BytesIO(data[:length]), formats=["JPEG"]).load()
        except Exception:  # whatever the full decode says
            assert isinstance(look(data[:length]), Broken), f"{length} of {len(data)} bytes"


def test_a_jpeg_of_one_colour_of_paint_is_drawn_at_an_eighth(
    look: Look, decoded: list[tuple[int, int]]
) -> None:
    """Four of them, or one: each is read at an eighth."""
    for mode in ("CMYK", "L"):
        buffer = io.BytesIO()
        noise((320, 160), mode).save(buffer, "JPEG")
        decoded.clear()
        assert look(buffer.getvalue()) == ImageFacts(".jpg", "image/jpeg", 320, 160)
        assert decoded == [(40, 20)]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_picture_without_its_last_bytes_is_broken(format_: str, missing: int, look: Look) -> None:
    """Where nobody told the length, only the format's own end shows that bytes are missing."""
    assert isinstance(look(encoded(format_)[:-missing], whole=False), Broken)


@pytest.mark.parametrize(
    ("format_", "whole"),
    [*((name, True) for name in FORMATS), ("PNG", False), ("JPEG", False), ("WEBP", False)],
)
def test_something_may_follow_a_picture(format_: str, whole: bool, look: Look) -> None:
    """Tools append notes; decoders do not mind."""
    assert isinstance(look(encoded(format_) + b"a note" * 20, whole=whole), ImageFacts)


def test_much_may_follow_where_the_length_is_known(look: Look) -> None:
    """A paid picture is not thrown away for a long appendix."""
    assert isinstance(look(encoded("PNG") + b"x" * 100_000), ImageFacts)


def test_a_flipped_bit_in_a_png_is_broken(look: Look) -> None:
    """Its checksums tell."""
    data = bytearray(encoded("PNG"))
    data[len(data) // 2] ^= 1
    assert isinstance(look(bytes(data)), Broken)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"<html><body>Access denied</body></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"PK\x03\x04" + b"\0" * 100,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"%PDF-1.7",
        b'{"error": "expired"}',
        encoded("BMP"),
        encoded("TIFF"),
        encoded("ICO"),
        encoded("PPM"),
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"RIFF\0\0\0\0WEBP",
    ],
    ids=lambda data: repr(data[:12]),
)
def test_anything_but_the_four_formats_is_broken(data: bytes, look: Look) -> None:
    """Pages, archives, and formats whose parsers nobody needs here."""
    assert isinstance(look(data), Broken)


@pytest.mark.parametrize(
    ("width", "height"), [(8001, 8000), (10_000, 10_000), (20_000, 20_000), (2**31 - 1, 2**31 - 1)]
)
def test_a_bomb_is_refused_by_its_header(width: int, height: int, look: Look) -> None:
    """Above our limit, above the one that Pillow warns at, above the one it stops at."""
    told = look(png_that_claims(width, height))
    assert isinstance(told, Broken)
    assert "too many pixels" in told.reason


def test_the_limit_counts_all_frames(look: Look) -> None:
    """A thousand small frames are one large picture."""
    data = encoded("GIF", save_all=True, append_images=[noise().rotate(90), noise().rotate(180)])
    assert isinstance(look(data, max_pixels=64 * 48 * 3), ImageFacts)
    assert isinstance(look(data, max_pixels=64 * 48 * 3 - 1), Broken)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The size of each frame whose pixels are asked for."""
    sizes: list[tuple[int, int]] = []
    load = ImageFile.ImageFile.load

    def noted(image: ImageFile.ImageFile) -> Any:
        sizes.append(image.size)
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", noted)
    return sizes


def test_of_a_jpeg_of_several_pictures_the_first_one_is_decoded(
    look: Look, decoded: list[tuple[int, int]]
) -> None:
    """Another one may be larger than the limit, and be named a thousand times."""
    buffer = io.BytesIO()
    noise((16, 16)).save(buffer, "MPO", save_all=True, append_images=[noise((300, 300))])
    decoded.clear()  # Pillow asks for the pixels that it saves as well
    assert look(buffer.getvalue(), max_pixels=256) == ImageFacts(".jpg", "image/jpeg", 16, 16)
    assert set(decoded) == {(2, 2)}  # at an eighth


def test_a_frame_that_is_larger_than_the_first_counts_as_it_is(
    look: Look, decoded: list[tuple[int, int]]
) -> None:
    """A GIF grows where a frame does not fit."""
    small, large = io.BytesIO(), io.BytesIO()
    noise((16, 16), "L").save(small, "GIF")
    noise((300, 300), "L").save(large, "GIF")
    data, more = small.getvalue(), large.getvalue()
    first_frame = 13 + 3 * (2 << (more[10] & 7))  # behind the header and its colours
    grown = data[:-1] + more[first_frame:]
    decoded.clear()
    assert isinstance(look(grown, max_pixels=256 + 90_000), ImageFacts)
    assert (300, 300) in decoded
    decoded.clear()
    told = look(grown, max_pixels=256 + 90_000 - 1)
    assert isinstance(told, Broken)
    assert "too many pixels" in told.reason
    assert (300, 300) not in decoded


def test_frames_are_counted_however_small_they_are(look: Look, decoded: list[tuple[int, int]]) -> None:
    """Millions of them fit into a file that may be downloaded."""
    pixel = Image.new("L", (1, 1))
    buffer = io.BytesIO()
    pixel.save(buffer, "GIF")
    data = buffer.getvalue()
    frame = data[13 + 3 * (2 << (data[10] & 7)) : -1]
    decoded.clear()
    told = look(data[:-1] + frame * MOST_FRAMES + b";")
    assert told == Broken(f"it holds too many frames ({MOST_FRAMES + 1})")
    assert decoded == []


def test_a_file_that_cannot_be_read_is_not_a_broken_picture(tmp_path: Path) -> None:
    """That is the disk's trouble, and another download would not help."""
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "missing", whole=True)


def test_a_disk_that_fails_while_decoding_is_not_a_broken_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An errno tells the system's errors from the decoder's."""

    def fail(*_args: object) -> None:
        raise OSError(5, "Input/output error")

    path = tmp_path / "a.png"
    path.write_bytes(encoded("PNG"))
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", fail)
    with pytest.raises(OSError, match="Input/output"):
        inspect(path, whole=True)
