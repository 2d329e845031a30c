"""A note that a parser stumbles over makes no picture a broken one: every viewer opens it."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from jobs.catalog.image_rules import Shape
from jobs.images.notes import without_notes
from jobs.images.shape import Undecodable, decode, measure
from runner.downloads.validate import Broken, ImageFacts, inspect
from tests.support.png_files import SIGNATURE, Chunk, chunks_of, of_chunks
from tests.support.small_pictures import picture

HEAD, PIXELS, END = chunks_of(picture("PNG"))
TRUNCATED_EXIF = b"II*\0\x08\0\0\0\xff\xff\x12\x01"

PNG_NOTES: dict[str, list[Chunk]] = {
    "text of 20 MB": [(b"zTXt", b"workflow\0\0" + zlib.compress(bytes(20 << 20)))],
    "international text of 20 MB": [(b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(bytes(20 << 20)))],
    "a profile of 20 MB": [(b"iCCP", b"p\0\0" + zlib.compress(bytes(20 << 20)))],
    "80 MB in five texts": [(b"zTXt", b"w%d\0\0" % n + zlib.compress(bytes(16 << 20))) for n in range(5)],
    "an unknown compression": [(b"zTXt", b"w\0\1abc")],
    "a profile that no one packed so": [(b"iCCP", b"p\0\1abc")],
    "EXIF that is none": [(b"eXIf", b"garbage!")],
    "EXIF of two bytes": [(b"eXIf", b"MM")],
    "EXIF that breaks off": [(b"eXIf", TRUNCATED_EXIF)],
    "no gamma": [(b"gAMA", b"\0")],
    "no density": [(b"pHYs", b"\0")],
    "no colours": [(b"cHRM", b"\0")],
    "no intent": [(b"sRGB", b"")],
    "no transparency": [(b"tRNS", b"")],
    "a frame of no animation": [(b"fcTL", b"xx")],
}
JPEG_NOTES = {
    "a profile in half a piece": (0xE2, b"ICC_PROFILE\0\x01"),
    "colours without a word on them": (0xEE, b"Adobe"),
    "further pictures that are none": (0xE2, b"MPF\0garbage"),
    "EXIF that is none": (0xE1, b"Exif\0\0garbage!"),
    "EXIF that breaks off": (0xE1, b"Exif\0\0" + TRUNCATED_EXIF),
    "no density": (0xE0, b"JFIF"),
    "a comment": (0xFE, b"\xff\xd9"),
}


def jpeg(kind: int, note: bytes) -> bytes:
    """A JPEG with a note at its beginning."""
    plain = picture("JPEG")
    return plain[:2] + struct.pack(">BBH", 0xFF, kind, len(note) + 2) + note + plain[2:]


def judged(data: bytes, folder: Path) -> ImageFacts | Broken:
    """What is found of a file that came home."""
    path = folder / "image"
    path.write_bytes(data)
    return inspect(path, whole=False)


@pytest.mark.parametrize("notes", PNG_NOTES.values(), ids=PNG_NOTES)
@pytest.mark.parametrize("behind", [False, True])
def test_a_png_is_taken_whatever_its_notes_are(notes: list[Chunk], behind: bool, tmp_path: Path) -> None:
    """As a reference, as a picture that came home, and by its first bytes."""
    data = of_chunks([HEAD, PIXELS, *notes, END] if behind else [HEAD, *notes, PIXELS, END])
    assert measure(data) == Shape("PNG", 64, 48)
    assert measure(data[:60], whole=False) == Shape("PNG", 64, 48)
    assert judged(data, tmp_path) == ImageFacts(".png", "image/png", 64, 48)


@pytest.mark.parametrize(("kind", "note"), JPEG_NOTES.values(), ids=JPEG_NOTES)
def test_a_jpeg_is_taken_whatever_its_notes_are(kind: int, note: bytes, tmp_path: Path) -> None:
    """As a reference, and as a picture that came home."""
    data = jpeg(kind, note)
    assert measure(data) == Shape("JPEG", 64, 48)
    assert judged(data, tmp_path) == ImageFacts(".jpg", "image/jpeg", 64, 48)


@pytest.mark.parametrize("note", [b"garbage", b"Exif\0\0garbage"])
def test_a_webp_is_taken_whatever_its_notes_are(note: bytes, tmp_path: Path) -> None:
    """Pillow finds them only when it is asked which side is up."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48)).save(buffer, "WEBP", exif=note)
    assert measure(buffer.getvalue()) == Shape("WEBP", 64, 48)
    assert isinstance(judged(buffer.getvalue(), tmp_path), ImageFacts)


@pytest.mark.parametrize(
    "data",
    [
        of_chunks([HEAD, (b"gAMA", b"\0"), (b"IDAT", PIXELS[1][:9]), END]),
        jpeg(0xEE, b"Adobe")[:200],
        jpeg(0xEE, b"Adobe")[:4],
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
    ],
)
def test_what_lacks_pixels_is_no_picture_without_notes_either(data: bytes, tmp_path: Path) -> None:
    """It is told in the words of the first look."""
    assert isinstance(measure(data), str)
    assert isinstance(judged(data, tmp_path), Broken)


def test_a_bomb_behind_a_broken_note_is_a_bomb(tmp_path: Path) -> None:
    """The second look has the limits of the first."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = of_chunks([(b"IHDR", header), (b"gAMA", b"\0"), PIXELS, END])
    assert judged(data, tmp_path) == Broken("it holds too many pixels")


def test_only_notes_are_left_out() -> None:
    """In their order; of other formats nothing is known."""
    plain, note = of_chunks([HEAD, PIXELS, END]), (b"tEXt", b"a\0b")
    assert without_notes(io.BytesIO(of_chunks([HEAD, note, PIXELS, note, END]))) == plain
    bare = without_notes(io.BytesIO(jpeg(0xFE, b"a comment")))
    assert bare == without_notes(io.BytesIO(picture("JPEG")))
    assert bare is not None
    assert b"JFIF" not in bare
    assert without_notes(io.BytesIO(picture("GIF"))) is None


def test_a_file_in_a_great_many_pieces_gets_no_second_look() -> None:
    """It would take long, and nobody writes one."""
    assert without_notes(io.BytesIO(of_chunks([HEAD, *[(b"tEXt", b"")] * 10_000, PIXELS, END]))) is None


def test_a_disk_that_fails_at_the_second_look() -> None:
    """It is the disk, not the picture."""

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if size == len(SIGNATURE):  # Pillow reads more, or less, at a time
                raise OSError(5, "Input/output error")
            return super().read(size)

    found = decode(Failing(b"no picture at all"), ("PNG",), lambda image: image)
    assert isinstance(found, Undecodable)
    assert isinstance(found.cause, OSError)
    assert found.cause.errno == 5


def test_pixels_that_a_note_cuts_apart_stay_so() -> None:
    """No viewer shows them: taken without the note they would be another picture."""
    cut = of_chunks([HEAD, (b"IDAT", b"x"), (b"tEXt", b"a\0b"), (b"IDAT", b"y"), (b"tEXt", b"c\0d"), END])
    assert without_notes(io.BytesIO(cut)) == of_chunks(
        [HEAD, (b"IDAT", b"x"), (b"tEXt", b"a\0b"), (b"IDAT", b"y"), END]
    )
