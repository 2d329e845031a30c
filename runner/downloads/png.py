"""A PNG is proven whole while it arrives, without decoding: each of its chunks has a checksum.

Checksums show that the bytes are those that were written. The order of the chunks and the header's bounds
show that a decoder finds in them what it needs. Neither shows that all pixels are inside: a writer that
stopped early and closed its file neatly goes unnoticed here, unless it stopped very early.
"""

import struct
import zlib

from runner.downloads.png_rules import PngRules
from runner.downloads.validate import Broken, ImageFacts, too_large

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_CHECKSUM_BYTES = 4
_HEAD = struct.Struct(">I4s")
"""Of a chunk: the length of its data, its name."""
_LONGEST = 2**31 - 1


class PngProof:
    """Takes the bytes of a file in their order, in pieces of any size, and keeps none of them.

    A wrong checksum or a missing end is damage, which another download may mend. A PNG whose checksums are
    right is as its writer made it; where it breaks a rule all the same, a decoder has the last word, because
    some of these open in every viewer.
    """

    def __init__(self) -> None:
        self._is_png = False
        self._is_over = False
        self._damage: str | None = "its end is missing"
        self._rules = PngRules()
        self._name = b""
        self._checksum = 0
        self._left = 0
        """Bytes of the chunk's data that are still to come."""
        self._between = bytearray()
        """What has come of the fields between two chunks' data: a checksum, and the next chunk's head."""
        self._between_bytes = len(SIGNATURE) + _HEAD.size

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        view = memoryview(piece)
        while view and not self._is_over:
            if self._left:
                data = view[: self._left]
                self._left -= len(data)
                self._checksum = zlib.crc32(data, self._checksum)
                self._rules.take(data)
            else:
                data = view[: self._between_bytes - len(self._between)]
                self._between += data
                if len(self._between) == self._between_bytes:
                    fields, self._between = bytes(self._between), bytearray()
                    self._is_over = not self._go_on(fields)
            view = view[len(data) :]

    def finding(self, max_pixels: int) -> ImageFacts | Broken | None:
        """What is proven once all bytes have come.

        None: a decoder has to say it. This is no PNG, or one that breaks a rule with right checksums.
        """
        if not self._is_png:
            return None
        if self._damage is not None:
            return Broken(self._damage)
        if not self._rules.kept:
            return None
        width, height = self._rules.size
        return too_large(width, height, 1, max_pixels) or ImageFacts(".png", "image/png", width, height)

    def _go_on(self, fields: bytes) -> bool:
        """From one chunk, or the signature, to the next one; whether there is one."""
        if not self._is_png:
            self._is_png = fields.startswith(SIGNATURE)
            if not self._is_png:
                return False
        elif int.from_bytes(fields[:_CHECKSUM_BYTES]) != self._checksum:
            self._damage = f"the checksum of its {self._name.decode()} is wrong"
            return False
        else:
            self._rules.end()
        if self._name == b"IEND":
            self._damage = None
            return False
        length, name = _HEAD.unpack(fields[-_HEAD.size :])
        if length > _LONGEST or not name.isalpha():
            self._damage = f"what follows its {self._name.decode() or 'signature'} is no chunk"
            return False
        self._rules.begin(name, length)
        self._name, self._left, self._checksum = name, length, zlib.crc32(name)
        self._between_bytes = _CHECKSUM_BYTES + (0 if name == b"IEND" else _HEAD.size)
        return True
