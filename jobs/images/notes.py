"""An image without its notes: texts, profiles, times. A viewer skips the notes that it cannot read.

A parser stumbles over a note that is broken, or that unpacks to more than it takes. None of them is needed to
show the image.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

_MOST_PIECES = 10_000

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_HEAD = struct.Struct(">I4s")
_CHECKSUM_BYTES = 4
_PIXELS_BEGIN = bytes.fromhex("00000000 49444154 35af061e")
"""An empty chunk of pixels, for the first bytes of a file whose notes leave no room for one."""

_JPEG = b"\xff\xd8\xff"
_JPEG_HEAD = struct.Struct(">BBH")
_MARKER = 0xFF
_SCAN = 0xDA
_NOTES = frozenset({0xFE, *range(0xE0, 0xF0)})
"""A comment, and what applications add for themselves."""


def without_notes(file: BinaryIO) -> bytes | None:
    """The same image without notes, as far as the file goes. Raises OSError.

    None: it is neither PNG nor JPEG, or it is in too many pieces.
    """
    file.seek(0)
    start = file.read(len(_PNG))
    if start == _PNG:
        pieces = _png(start + file.read())
    elif start.startswith(_JPEG):
        pieces = _jpeg(start + file.read())
    else:
        return None
    kept = list(islice(pieces, _MOST_PIECES + 1))
    return b"".join(kept) if len(kept) <= _MOST_PIECES else None


def _png(data: bytes) -> Iterator[bytes]:
    """The signature, and the chunks whose names say that no decoder may skip them.

    A note between two chunks of pixels stays: no viewer takes pixels that are cut apart.
    """
    yield _PNG
    at, notes_are_last, between, before = len(_PNG), False, bytearray(), b""
    while at + _PNG_HEAD.size <= len(data):
        length, name = _PNG_HEAD.unpack_from(data, at)
        end = at + _PNG_HEAD.size + length + _CHECKSUM_BYTES
        notes_are_last = not name[:1].isupper()
        if notes_are_last:
            between += data[at:end]
            yield b""  # it counts as a piece
        else:
            yield (bytes(between) if name == before == b"IDAT" else b"") + data[at:end]
            before = name
            between.clear()
        at = end
    if notes_are_last:
        yield _PIXELS_BEGIN


def _jpeg(data: bytes) -> Iterator[bytes]:
    """What stands before the first scan and is no note; and all that follows."""
    at = 2
    yield data[:at]
    while at + _JPEG_HEAD.size <= len(data):
        mark, kind, length = _JPEG_HEAD.unpack_from(data, at)
        if mark != _MARKER or kind == _SCAN:
            break
        end = at + 2 + length
        yield b"" if kind in _NOTES else data[at:end]
        at = end
    yield data[at:]
