"""A PNG is proven by its checksums and rules; a decoder is the independent judge of what is proven."""

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from runner.downloads.png import PngProof
from runner.downloads.validate import MOST_PIXELS, Broken, ImageFacts, inspect
from tests.support.png_files import SIZE, Chunk, chunks_of, drawn, encoded, of_chunks, one_of_each

PICTURES = one_of_each()
PROVEN = ImageFacts(".png", "image/png", *SIZE)
INDEXED = PICTURES["P"]
COLOURS = PICTURES["RGB"]
PLAIN = chunks_of(COLOURS)


def finding(data: bytes, piece: int = 1 << 20, max_pixels: int = MOST_PIXELS) -> ImageFacts | Broken | None:
    """What the bytes prove, fed in pieces."""
    proof = PngProof()
    for start in range(0, len(data), piece):
        proof.feed(data[start : start + piece])
    return proof.finding(max_pixels)


def decodes(data: bytes) -> bool:
    """Whether Pillow decodes all of it, and finds the size that it should have."""
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            image.load()
            return image.size == SIZE
    except Exception:  # whatever it says: it does not
        return False


@pytest.fixture
def verdict(tmp_path: Path) -> Callable[[bytes], ImageFacts | Broken]:
    """What a download makes of the bytes: the proof's word, else the decoder's."""

    def told(data: bytes) -> ImageFacts | Broken:
        found = finding(data)
        if found is None:
            path = tmp_path / "a.part"
            path.write_bytes(data)
            found = inspect(path, whole=True)
        return found

    return told


Verdict = Callable[[bytes], ImageFacts | Broken]


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("piece", [1, 3, 17, 1000])
def test_a_whole_picture_is_proven(kind: str, piece: int) -> None:
    """Of any kind, in pieces of any size; and the judge agrees."""
    assert decodes(PICTURES[kind])
    assert finding(PICTURES[kind], piece) == PROVEN


@pytest.mark.parametrize("kind", PICTURES)
def test_any_byte_that_is_changed_is_noticed(kind: str, verdict: Verdict) -> None:
    """Also where a decoder would not notice: in a note, in a checksum, behind the last pixel."""
    data = PICTURES[kind]
    for at in range(len(data)):
        for change in (0x01, 0x20, 0x80, 0xFF):
            changed = bytearray(data)
            changed[at] ^= change
            assert isinstance(verdict(bytes(changed)), Broken), f"byte {at} of {len(data)}, {change:#x}"


@pytest.mark.parametrize("kind", PICTURES)
def test_any_end_that_is_missing_is_noticed(kind: str, verdict: Verdict) -> None:
    """Down to the last byte, though its length was told."""
    data = PICTURES[kind]
    for length in range(len(data)):
        assert isinstance(verdict(data[:length]), Broken), f"{length} of {len(data)} bytes"


@pytest.mark.parametrize("piece", [1, 1000])
def test_something_may_follow(piece: int) -> None:
    """Tools append notes; decoders do not mind."""
    assert finding(COLOURS + b"a note" * 1000, piece) == PROVEN


def header(*, size: tuple[int, int] = SIZE, of: bytes = COLOURS, **other: int) -> Chunk:
    """A header with some of its fields changed."""
    _width, _height, *fields = struct.unpack(">IIBBBBB", chunks_of(of)[0][1])
    told = dict(zip(("depth", "colours", "packing", "filters", "lacing"), fields, strict=True)) | other
    return b"IHDR", struct.pack(">IIBBBBB", *size, *told.values())


HEAD, PIXELS, END = PLAIN
INDEXED_HEAD, PALETTE, INDEXED_PIXELS, _ = chunks_of(INDEXED)
HALF = len(PIXELS[1]) // 2
AGAINST_THE_RULES: dict[str, list[Chunk]] = {
    "nothing but a header": [HEAD],
    "no pixels": [HEAD, END],
    "no bytes of pixels": [HEAD, (b"IDAT", b""), END],
    "no header": [PIXELS, END],
    "the header second": [(b"tEXt", b"a\0b"), HEAD, PIXELS, END],
    "the header after the pixels": [PIXELS, HEAD, END],
    "the header twice": [HEAD, HEAD, PIXELS, END],
    "another header": [HEAD, header(size=(3, 3)), PIXELS, END],
    "a short header": [(b"IHDR", HEAD[1][:12]), PIXELS, END],
    "a long header": [(b"IHDR", HEAD[1] + b"\0"), PIXELS, END],
    "no width": [header(size=(0, 7)), PIXELS, END],
    "no height": [header(size=(9, 0)), PIXELS, END],
    "a negative width": [header(size=(2**31, 1)), PIXELS, END],
    "a negative height": [header(size=(1, 2**31)), PIXELS, END],
    "no such colours": [header(colours=5), PIXELS, END],
    "no such depth": [header(depth=7), PIXELS, END],
    "a depth that these colours do not have": [header(depth=4), PIXELS, END],
    "no such packing": [header(packing=1), PIXELS, END],
    "no such filters": [header(filters=1), PIXELS, END],
    "no such interlacing": [header(lacing=2), PIXELS, END],
    "pixels in two places": [
        HEAD,
        (b"IDAT", PIXELS[1][:HALF]),
        (b"tEXt", b"a\0b"),
        (b"IDAT", PIXELS[1][HALF:]),
        END,
    ],
    "no palette": [INDEXED_HEAD, INDEXED_PIXELS, END],
    "an empty palette": [INDEXED_HEAD, (b"PLTE", b""), INDEXED_PIXELS, END],
    "a palette of odd length": [INDEXED_HEAD, (b"PLTE", PALETTE[1][:-1]), INDEXED_PIXELS, END],
    "a palette too long": [INDEXED_HEAD, (b"PLTE", bytes(3 * 257)), INDEXED_PIXELS, END],
    "the palette twice": [INDEXED_HEAD, PALETTE, PALETTE, INDEXED_PIXELS, END],
    "the palette after the pixels": [INDEXED_HEAD, INDEXED_PIXELS, PALETTE, END],
    "a palette of no use": [header(of=PICTURES["L"]), PALETTE, chunks_of(PICTURES["L"])[1], END],
    "a chunk that must be understood": [HEAD, (b"NEWS", b"x"), PIXELS, END],
    "an end with something in it": [HEAD, PIXELS, (b"IEND", b"x")],
    "pixels that are not packed": [HEAD, (b"IDAT", bytes(500)), END],
    "pixels that break off before the first": [HEAD, (b"IDAT", PIXELS[1][:2]), END],
    "pixels that no filter has": [HEAD, (b"IDAT", zlib.compress(b"\5" * 7 * 28)), END],
    "pixels that are far too few": [header(size=(7000, 7000)), PIXELS, END],
    "an animation": chunks_of(
        encoded(
            drawn("RGB"), save_all=True, append_images=[drawn("RGB").rotate(90), drawn("RGB").rotate(180)]
        )
    ),
}


@pytest.mark.parametrize("chunks", AGAINST_THE_RULES.values(), ids=AGAINST_THE_RULES)
@pytest.mark.parametrize("piece", [1, 1000])
def test_what_breaks_a_rule_is_left_to_the_decoder(chunks: list[Chunk], piece: int, verdict: Verdict) -> None:
    """Its checksums are right, so another download would bring the same: the decoder has the last word."""
    data = of_chunks(chunks)
    if chunks[-1][0] != b"IEND":
        assert finding(data, piece) == Broken("its end is missing")
        return
    assert finding(data, piece) is None
    assert isinstance(verdict(data), ImageFacts) or not decodes(data)


WITHIN_THE_RULES: dict[str, list[Chunk]] = {
    "a palette that only suggests": [HEAD, PALETTE, PIXELS, END],
    "notes everywhere": [HEAD, (b"tEXt", b"a\0b"), (b"prVt", b""), PIXELS, (b"tIME", bytes(7)), END],
    "a byte of pixels a chunk": [HEAD, *((b"IDAT", bytes([one])) for one in PIXELS[1]), END],
    "pixels and bytes behind them": [HEAD, (b"IDAT", PIXELS[1] + b"more"), END],
}


@pytest.mark.parametrize("chunks", WITHIN_THE_RULES.values(), ids=WITHIN_THE_RULES)
def test_what_keeps_the_rules_is_proven(chunks: list[Chunk]) -> None:
    """And the judge agrees."""
    assert decodes(of_chunks(chunks))
    assert finding(of_chunks(chunks)) == PROVEN


@pytest.mark.parametrize(
    "note",
    [
        (b"tEXt", b"workflow\0" + b"x" * 3_000_000),
        (b"zTXt", b"workflow\0\0" + zlib.compress(b"x" * 20_000_000)),
        (b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(b"x" * 20_000_000)),
        (b"iCCP", b"profile\0\0" + zlib.compress(bytes(20_000_000))),
        (b"iCCP", b"not a profile at all"),
        (b"tRNS", b"far too much" * 100),
    ],
    ids=lambda note: f"{note[0].decode()} of {len(note[1])} bytes",
)
@pytest.mark.parametrize("first", [True, False])
def test_nothing_that_a_viewer_skips_makes_a_picture_broken(note: Chunk, first: bool) -> None:
    """The graph that made a picture may be larger than the picture. Pillow refuses some of these."""
    chunks = [HEAD, note, PIXELS, END] if first else [HEAD, PIXELS, note, END]
    assert finding(of_chunks(chunks)) == PROVEN


def test_a_bomb_is_refused_by_its_header() -> None:
    """As many pixels as may be pass, one more does not."""
    assert finding(COLOURS, max_pixels=63) == PROVEN
    assert finding(COLOURS, max_pixels=62) == Broken("it holds too many pixels (9 x 7, 1 of them)")


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(100), b"x" * 15, b"x" * 16])
def test_what_is_no_png_is_left_to_the_decoder(data: bytes) -> None:
    """It knows the other formats."""
    assert finding(data) is None
    assert finding(data, 1) is None


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (COLOURS.replace(b"IDAT", b"IDAU"), "the checksum of its IDAU is wrong"),
        (COLOURS.replace(b"IDAT", b"ID\xc1T"), "what follows its IHDR is no chunk"),
        (COLOURS.replace(b"IHDR", b"\0HDR"), "what follows its signature is no chunk"),
        (COLOURS[:33] + b"\x80" + COLOURS[34:], "what follows its IHDR is no chunk"),
        (COLOURS[:-1] + b"x", "the checksum of its IEND is wrong"),
    ],
)
def test_damage_is_described(damage: bytes, reason: str) -> None:
    """By its place."""
    assert finding(damage) == Broken(reason)


def test_pixels_that_are_too_few_are_not_noticed_here(verdict: Verdict) -> None:
    """Checksums cannot show that a writer stopped early and closed its file neatly. A decoder sees it."""
    short = of_chunks([HEAD, (b"IDAT", PIXELS[1][:HALF]), END])
    assert not decodes(short)
    assert verdict(short) == PROVEN


@pytest.mark.parametrize("large", [b"IHDR", b"IDAT", b"tEXt", b"PLTE"])
def test_no_picture_is_held_in_memory(large: bytes) -> None:
    """However long a chunk says that it is."""
    piece = bytes(64 * 1024)
    proof = PngProof()
    proof.feed(of_chunks([] if large == b"IHDR" else [HEAD])[: 8 if large == b"IHDR" else None])
    tracemalloc.start()
    try:
        proof.feed(struct.pack(">I4s", 20_000_000, large))
        for _ in range(20_000_000 // len(piece)):
            proof.feed(piece)
        _held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 500_000
    assert proof.finding(MOST_PIXELS) == Broken("its end is missing")
