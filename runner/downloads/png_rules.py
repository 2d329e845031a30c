"""What a PNG has to keep beside its checksums, so that any decoder can read it.

Of the chunks that a decoder may skip (texts, profiles, times) none is looked at, however large it is.
"""

import struct
import zlib

_IHDR = struct.Struct(">IIBBBBB")
_LONGEST_SIDE = 2**31 - 1
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Numbers a pixel, by the type of colours."""
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""Bits a number, by the type of colours."""
_INDEXED = 3
_MAY_HAVE_PALETTE = (2, _INDEXED, 6)
_MOST_PALETTE_BYTES = 3 * 256
_LAST_FILTER = 4
_MOST_EXPANSION = 1032
"""Deflate makes at most so many bytes of one."""


class PngRules:
    """Takes the chunks in their order: `begin`, then `take` with the data in pieces, then `end`."""

    def __init__(self) -> None:
        self.kept = True
        """Whether every rule is kept; all of them once IEND has begun."""
        self.size = (0, 0)
        self._name = b""
        self._header = bytearray()
        self._colours = -1
        self._pixel_bits = 0
        self._has_palette = False
        self._pixel_data_bytes = 0
        self._pixel_data_is_over = False
        self._first_pixels: zlib._Decompress | None = zlib.decompressobj()
        """None once the first byte is unpacked."""

    def begin(self, name: bytes, length: int) -> None:
        """A chunk begins."""
        self.kept = self.kept and self._may_follow(name, length)
        self._name = name
        if name == b"IDAT":
            self._pixel_data_bytes += length

    def take(self, data: memoryview) -> None:
        """More of the data of the chunk that has begun."""
        if not self.kept:
            return
        if self._name == b"IHDR":
            self._header += data
        elif self._name == b"IDAT" and self._first_pixels is not None:
            self._unpack_first(data, self._first_pixels)

    def end(self) -> None:
        """The chunk ends, and its checksum is right."""
        if self._name == b"IHDR" and self.kept:
            self._read_header(*_IHDR.unpack(self._header))

    def _may_follow(self, name: bytes, length: int) -> bool:
        if not self._name:
            return name == b"IHDR" and length == _IHDR.size
        if self._name == b"IDAT" != name:
            self._pixel_data_is_over = True
        match name:
            case b"IHDR" | b"acTL":  # an animation's frames are for a decoder to count
                return False
            case b"PLTE":
                first, self._has_palette = not self._has_palette, True
                fits = 0 < length <= _MOST_PALETTE_BYTES and length % 3 == 0
                return first and fits and self._colours in _MAY_HAVE_PALETTE and not self._pixel_data_bytes
            case b"IDAT":
                return not self._pixel_data_is_over and (self._has_palette or self._colours != _INDEXED)
            case b"IEND":
                return length == 0 and self._may_hold_all_pixels()
            case _:
                return name[:1].islower()  # by a small letter a decoder knows what it may skip

    def _read_header(
        self, width: int, height: int, depth: int, colours: int, packing: int, filters: int, lacing: int
    ) -> None:
        self.size, self._colours = (width, height), colours
        self._pixel_bits = depth * _SAMPLES.get(colours, 0)
        is_known = depth in _DEPTHS.get(colours, ()) and packing == filters == 0 and lacing in (0, 1)
        self.kept = is_known and 0 < width <= _LONGEST_SIDE and 0 < height <= _LONGEST_SIDE

    def _unpack_first(self, data: memoryview, unpacker: "zlib._Decompress") -> None:
        """Unpack one byte, the first row's filter: that costs nothing, and shows what the data is."""
        try:
            first = unpacker.decompress(data, 1)
        except zlib.error:
            self.kept = False
            return
        if first:
            self.kept = first[0] <= _LAST_FILTER
            self._first_pixels = None

    def _may_hold_all_pixels(self) -> bool:
        """Whether they have begun, and enough has come to unpack to them."""
        width, height = self.size
        least = width * height * self._pixel_bits // 8
        return self._first_pixels is None and self._pixel_data_bytes * _MOST_EXPANSION >= least
