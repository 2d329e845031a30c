"""PNGs whose chunks are shuffled, their checksums right: what is proven decodes, what decodes is kept."""

import io
from itertools import takewhile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from runner.downloads.png import PngProof
from runner.downloads.validate import MOST_PIXELS, Broken, ImageFacts, inspect
from tests.property.searching import budget
from tests.support.png_files import Chunk, chunks_of, of_chunks, one_of_each

_PICTURES = {kind: chunks_of(data) for kind, data in one_of_each().items()}
_STRANGERS = [
    (b"tEXt", b"a\0b"),
    (b"eXIf", b"\0"),
    (b"prVt", b"x" * 40),
    (b"NEWS", b""),
    (b"IDAT", b""),
    (b"PLTE", bytes(range(12))),
    (b"PLTE", b"\0"),
    (b"IHDR", bytes(13)),
    (b"IEND", b""),
]


@st.composite
def _edited(draw: st.DrawFn) -> tuple[list[Chunk], bool]:
    """The chunks of a picture after a few edits, and whether its pixels are as they were."""
    whole = _PICTURES[draw(st.sampled_from(sorted(_PICTURES)))]
    chunks = list(whole)
    for _ in range(draw(st.integers(0, 3))):
        at, other = (draw(st.integers(0, len(chunks) - 1)) for _ in range(2))
        match draw(st.sampled_from(["drop", "repeat", "swap", "insert", "split"])):
            case "drop" if len(chunks) > 1:
                del chunks[at]
            case "repeat":
                chunks.insert(other, chunks[at])
            case "swap":
                chunks[at], chunks[other] = chunks[other], chunks[at]
            case "insert":
                chunks.insert(at, draw(st.sampled_from(_STRANGERS)))
            case "split":
                name, data = chunks[at]
                cut = draw(st.integers(0, len(data)))
                chunks[at : at + 1] = [(name, data[:cut]), (name, data[cut:])]
    return chunks, _pixels(chunks) == _pixels(whole)


def _pixels(chunks: list[Chunk]) -> bytes:
    until_the_end = takewhile(lambda chunk: chunk[0] != b"IEND", chunks)
    return b"".join(data for name, data in until_the_end if name == b"IDAT")


def _decoded(data: bytes) -> tuple[int, int] | None:
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            image.load()
            return image.size
    except Exception:  # whatever it says: it does not decode
        return None


def test_what_is_proven_decodes(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Pillow's full decode is the judge; and where a rule is broken, it has the last word.

    Whether pixels are missing where their chunks were lost whole is what checksums cannot show.
    """
    path = tmp_path / "a.part"

    @budget(pytestconfig, examples=1500, steps=1, times=20)
    @given(edited=_edited(), piece=st.integers(1, 200))
    def holds(edited: tuple[list[Chunk], bool], piece: int) -> None:
        chunks, has_its_pixels = edited
        data = of_chunks(chunks)
        proof = PngProof()
        for start in range(0, len(data), piece):
            proof.feed(data[start : start + piece])
        found = proof.finding(MOST_PIXELS)
        if isinstance(found, ImageFacts):
            assert _decoded(data) == (found.width, found.height) or not has_its_pixels
        elif isinstance(found, Broken):
            assert found == Broken("its end is missing")
            assert (b"IEND", b"") not in chunks
        else:
            path.write_bytes(data)
            assert isinstance(inspect(path, whole=True), ImageFacts) == (_decoded(data) is not None)

    holds()
