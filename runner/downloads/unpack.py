"""A body without its Content-Encoding, in small pieces, however much a few of its bytes unpack to.

None is asked for. But some hosts and proxies encode all the same, and the image is paid for.
"""

import zlib
from collections.abc import Iterator

IDENTITY = frozenset({"", "identity"})
READ = frozenset({"gzip", "x-gzip", "deflate"})
_PIECE_BYTES = 256 * 1024


class Unpacker:
    """Unpacks one body. `encoding` is its Content-Encoding, one of `IDENTITY` or `READ`."""

    def __init__(self, encoding: str) -> None:
        self._unpacker = None if encoding in IDENTITY else zlib.decompressobj(wbits=47)  # gzip or zlib

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """What the next bytes of the body unpack to. Raises `zlib.error` for what is not so encoded."""
        if self._unpacker is None:
            yield chunk
            return
        while chunk and not self._unpacker.eof:
            yield self._unpacker.decompress(chunk, _PIECE_BYTES)
            chunk = self._unpacker.unconsumed_tail

    @property
    def is_complete(self) -> bool:
        """Whether the end of the encoding has come."""
        return self._unpacker is None or self._unpacker.eof
