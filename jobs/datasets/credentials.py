"""Whether an image carries Content Credentials (C2PA): a signed record of its making, in a JUMBF box.

It is only looked for, never read or checked. A program that writes into such a file breaks its signature.
"""

import struct

_PNG = b"\x89PNG\r\n\x1a\n"
_APP11 = 0xEB
_START_OF_SCAN = 0xDA


def has_credentials(data: bytes, content_type: str) -> bool:
    """Whether a JUMBF box is where the format keeps it. Bytes that are no such image have none."""
    match content_type:
        case "image/png":
            return data.startswith(_PNG) and _has_chunk(data, len(_PNG), b"caBX", ">I4s", 4)
        case "image/webp":
            return data[:4] == b"RIFF" and _has_chunk(data, 12, b"C2PA", "<4sI", 0)
        case "image/jpeg":
            return data.startswith(b"\xff\xd8") and _has_segment(data)
        case _:
            return False


def _has_chunk(data: bytes, at: int, wanted: bytes, head: str, checksum: int) -> bool:
    while at + 8 <= len(data):
        one, other = struct.unpack_from(head, data, at)
        name, size = (one, other) if isinstance(one, bytes) else (other, one)
        if name == wanted:
            return True
        at += 8 + size + (checksum or size % 2)  # chunks of a WebP are padded to whole words
    return False


def _has_segment(data: bytes) -> bool:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        (size,) = struct.unpack_from(">H", data, at + 2)
        if marker == _APP11 and b"jumb" in data[at + 4 : at + 32] and data[at + 4 : at + 6] == b"JP":
            return True
        if marker == _START_OF_SCAN:
            return False
        at += 2 + size
    return False
