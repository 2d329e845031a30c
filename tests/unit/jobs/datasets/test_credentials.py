"""Content Credentials are found where each format keeps them, and nowhere else."""

import io
import struct

import pytest
from PIL import Image

from jobs.datasets.credentials import has_credentials

BOX = struct.pack(">I4s", 24, b"jumb") + b"\0" * 16


def image(form: str) -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (9, 90, 200)).save(out, form)
    return out.getvalue()


def png_with(name: bytes) -> bytes:
    """A PNG with one more chunk behind its header."""
    data = image("PNG")
    return data[:33] + struct.pack(">I4s", len(BOX), name) + BOX + b"crc!" + data[33:]


def jpeg_with(marker: int, told: bytes) -> bytes:
    """A JPEG with one more segment behind its first one."""
    data = image("JPEG")
    (length,) = struct.unpack_from(">H", data, 4)
    body = told + b"\0\1" + b"\0\0\0\1" + BOX
    return data[: 4 + length] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + data[4 + length :]


def webp_with(name: bytes) -> bytes:
    """A WebP with one more chunk at its end, behind one of an odd length."""
    return (
        image("WEBP") + b"XMP " + struct.pack("<I", 3) + b"xyz\0" + name + struct.pack("<I", len(BOX)) + BOX
    )


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (png_with(b"caBX"), "image/png"),
        (jpeg_with(0xEB, b"JP"), "image/jpeg"),
        (webp_with(b"C2PA"), "image/webp"),
    ],
)
def test_they_are_found(data: bytes, kind: str) -> None:
    """In a chunk, or in a segment."""
    assert has_credentials(data, kind)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (image("PNG"), "image/png"),
        (png_with(b"teXt"), "image/png"),
        (image("JPEG"), "image/jpeg"),
        (jpeg_with(0xEB, b"XX"), "image/jpeg"),
        (jpeg_with(0xEC, b"JP"), "image/jpeg"),
        (image("WEBP"), "image/webp"),
        (webp_with(b"EXIF"), "image/webp"),
        (image("GIF"), "image/gif"),
        (png_with(b"caBX"), "image/gif"),
        (b"", "image/png"),
        (b"", "image/jpeg"),
        (b"\xff\xd8\xff\xeb\x00", "image/jpeg"),
        (b"\xff\xd8\xff\xe0\x00\x02\x00\x00\x00\x00", "image/jpeg"),
        (b"RIFF", "image/webp"),
        (png_with(b"caBX")[:35], "image/png"),
    ],
)
def test_nothing_else_is(data: bytes, kind: str) -> None:
    """Other notes, other formats, cut bytes."""
    assert not has_credentials(data, kind)
