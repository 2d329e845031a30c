"""Small PNGs of every kind, taken apart and put together again chunk by chunk."""

import io
import struct
import zlib
from collections.abc import Iterable

from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIZE = (9, 7)

Chunk = tuple[bytes, bytes]
"""Its name and its data."""

_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Where each pass of an interlaced picture begins and how it steps, across and down."""


def of_chunks(chunks: Iterable[Chunk]) -> bytes:
    """A file of these chunks, each with its right checksum."""
    return SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def chunks_of(png: bytes) -> list[Chunk]:
    """The chunks of a file."""
    chunks, at = [], len(SIGNATURE)
    while at < len(png):
        length, name = struct.unpack_from(">I4s", png, at)
        chunks.append((name, png[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def encoded(image: Image.Image, **options: object) -> bytes:
    """A picture as Pillow writes it."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def drawn(mode: str, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture that does not pack to nothing."""
    noise = Image.frombytes("RGBA", size, bytes(n * 7919 % 251 for n in range(size[0] * size[1] * 4)))
    if mode == "P":
        return noise.convert("RGB").quantize(30)
    if mode == "I;16":
        return Image.frombytes("I;16", size, bytes(n * 7919 % 251 for n in range(size[0] * size[1] * 2)))
    return noise.convert(mode)


def interlaced(image: Image.Image) -> bytes:
    """A picture of whole bytes a pixel (L, LA, RGB, RGBA), interlaced, which Pillow cannot write."""
    width, height = image.size
    deep, pixels = len(image.getbands()), image.tobytes()
    rows = b""
    for left, top, across, down in _PASSES:
        for y in range(top, height, down):
            starts = [(y * width + x) * deep for x in range(left, width, across)]
            if starts:
                rows += b"\0" + b"".join(pixels[start : start + deep] for start in starts)
    colours = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}[image.mode]
    header = struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 1)
    return of_chunks([(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")])


def one_of_each() -> dict[str, bytes]:
    """Every kind, by its name."""
    found = {mode: encoded(drawn(mode)) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")}
    found["P, transparent"] = encoded(drawn("P"), transparency=3)
    found["P, few colours"] = encoded(drawn("RGB").quantize(4), bits=2)
    for mode in ("L", "LA", "RGB", "RGBA"):
        found[f"{mode}, interlaced"] = interlaced(drawn(mode))
    first, *more = chunks_of(found["RGB"])
    found["RGB, with a note"] = of_chunks([first, (b"tEXt", b"Comment\0a note"), *more])
    pixels = next(data for name, data in more if name == b"IDAT")
    split = [(b"IDAT", pixels[:40]), (b"IDAT", b""), (b"IDAT", pixels[40:])]
    found["RGB, in three pieces"] = of_chunks([first, *split, (b"IEND", b"")])
    return found
