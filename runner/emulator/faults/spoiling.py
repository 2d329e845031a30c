"""How a fault changes the bytes of an answer before they are sent. Pure; slow for bombs."""

import gzip
import io
import struct
import zlib
from dataclasses import dataclass, replace

from runner.emulator.chance import seeded
from runner.emulator.faults.faults import Fault, FaultKind

_BOMB_SIDE = 60_000
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Content:
    """A body as it is sent, with the headers that describe it."""

    data: bytes
    content_type: str
    encoding: str | None = None


def spoil(content: Content, fault: Fault | None, *, picture: bool) -> Content:
    """`content` under `fault`; a kind that is not about bytes changes nothing."""
    if fault is None:
        return content
    if fault.kind is FaultKind.CUT:
        return replace(content, data=content.data[: kept(content.data, fault)])
    if not picture:
        return content
    match fault.kind:
        case FaultKind.WRONG_BYTES:
            return replace(content, data=seeded("noise", len(content.data)).randbytes(4096))
        case FaultKind.WRONG_TYPE:
            return replace(content, content_type="application/octet-stream")
        case FaultKind.GZIP:
            data = gzip.compress(content.data, 1, mtime=0) if fault.count is None else _zeros(fault.count)
            return replace(content, data=data, encoding="gzip")
        case FaultKind.BOMB:
            return Content(_pixel_bomb(), "image/png")
        case _:
            return content


def kept(data: bytes, fault: Fault) -> int:
    """How many bytes of `data` a truncating fault sends; never all of them."""
    return min(len(data) // 2 if fault.count is None else fault.count, max(0, len(data) - 1))


def _zeros(count: int) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream:
        for start in range(0, count, _CHUNK):
            stream.write(bytes(min(_CHUNK, count - start)))
    return packed.getvalue()


def _pixel_bomb() -> bytes:
    header = struct.pack(">IIBBBBB", _BOMB_SIDE, _BOMB_SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1024))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
