"""From bytes to text."""

import codecs
from pathlib import Path

import pytest

from jobs.sheets.files import decode
from jobs.sheets.files.decode import BadText, read_lines, read_whole

SHEET = "id,prompt\n\u00fc,\u6d77\n"


def written(folder: Path, data: bytes) -> Path:
    """A file of these bytes."""
    path = folder / "sheet.csv"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        SHEET.encode(),
        SHEET.encode("utf-8-sig"),
        SHEET.encode("utf-16"),
        codecs.BOM_UTF16_LE + SHEET.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + SHEET.encode("utf-16-be"),
    ],
)
def test_encodings_that_can_be_told_apart_are_read(tmp_path: Path, data: bytes) -> None:
    """UTF-8 with and without its mark, UTF-16 with it; the mark is no part of the text."""
    path = written(tmp_path, data)
    assert "".join(read_lines(path)) == SHEET
    assert read_whole(path, 1000) == SHEET


def test_lines_keep_their_endings(tmp_path: Path) -> None:
    """Line breaks inside a quoted cell are sent as they are written."""
    path = written(tmp_path, b"a\r\nb\nc\rd")
    assert list(read_lines(path)) == ["a\r\n", "b\n", "c\r", "d"]


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"id\nok\nM\xfcller\n", 3, "The line is not UTF-8: byte 0xFC at 2."),
        (b"id\n" + b"x\n" * 20_000 + b"\x96", 20_002, "The line is not UTF-8: byte 0x96 at 1."),
        (b"id\nok\na\0b\n", 3, "A NUL character: this is not a text file."),
        (codecs.BOM_UTF16_LE + b"a\0b", None, "The file begins like UTF-16 and goes on otherwise."),
        (codecs.BOM_UTF16_LE + b"a\0\0\0", 1, "A NUL character: this is not a text file."),
        ("id".encode("utf-32"), None, "The file is written in UTF-32."),
    ],
)
def test_other_bytes_are_told_with_their_line(
    tmp_path: Path, data: bytes, line: int | None, message: str
) -> None:
    """Nothing is guessed, and the hint says how to save the file."""
    path = written(tmp_path, data)
    for read in (lambda: list(read_lines(path)), lambda: read_whole(path, 1_000_000)):
        with pytest.raises(BadText) as caught:
            read()
        assert (caught.value.line, caught.value.message) == (line, message)
        assert "UTF-8" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "word", "reads"),
    [
        (
            "mac-roman",
            "Caf\u00e9",
            ["--encoding cp1252 reads Caf\u017d", "--encoding mac-roman reads Caf\u00e9"],
        ),
        (
            "cp1252",
            "Stra\u00dfe",
            ["--encoding cp1252 reads Stra\u00dfe", "--encoding cp1251 reads Stra\u042fe"],
        ),
        ("cp1251", "\u043b\u0438\u0441\u0430", ["--encoding cp1251 reads \u043b\u0438\u0441\u0430"]),
    ],
)
def test_how_a_word_would_read_in_each_encoding_is_told(
    tmp_path: Path, name: str, word: str, reads: list[str]
) -> None:
    """A person sees which it is; the wrong one would be sent with other letters."""
    path = written(tmp_path, f"id,prompt\na,A {word} at dusk;x\n".encode(name))
    with pytest.raises(BadText) as caught:
        list(read_lines(path))
    assert all(one in caught.value.hint for one in reads), caught.value.hint
    assert "at dusk" not in caught.value.hint


def test_a_file_mended_meanwhile_names_no_wrong_line(tmp_path: Path) -> None:
    """If every line is readable the second time, the whole file is named."""
    path = written(tmp_path, b"a\nb\n")
    assert decode._undecodable(path, "utf-8-sig").message == "The file is not UTF-8."


def test_a_line_without_an_end_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line longer than the limit ends the reading, what came before it is there."""
    monkeypatch.setattr(decode, "LONGEST_LINE", 10)
    lines = read_lines(written(tmp_path, b"short\n0123456789\n" + b"x" * 30))
    assert next(lines) == "short\n"
    with pytest.raises(BadText, match="longer than 10") as caught:
        next(lines)
    assert caught.value.line == 2


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """The limit itself passes, one byte more does not."""
    path = written(tmp_path, b"x" * 2_000_000)
    assert len(read_whole(path, 2_000_000)) == 2_000_000
    with pytest.raises(BadText, match="larger than 1 MB"):
        read_whole(path, 1_999_999)


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    """A sheet can disappear between being opened and being read."""
    path = tmp_path / "gone.csv"
    with pytest.raises(BadText, match="No such file"):
        list(read_lines(path))
    with pytest.raises(BadText, match="No such file"):
        read_whole(path, 10)


@pytest.mark.parametrize("declared", ["cp1252", "iso8859-1", "shift_jis"])
def test_an_encoding_that_the_bytes_contradict_is_told(tmp_path: Path, declared: str) -> None:
    """UTF-8 read as another encoding is paid for with other letters."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"prompt\n" + b"x" * (1 << 20) + "\nCaf\u00e9 \u2013 Stra\u00dfe\n".encode())
    with pytest.raises(BadText, match="UTF-8 already") as caught:
        list(read_lines(path, declared))
    assert caught.value.hint == "Leave --encoding out."


@pytest.mark.parametrize("text", ["plain", "Caf\u00e9", "M\u00fchle \u2013 x", "\u00c3\u00a9t\u00e9"])
def test_an_encoding_that_the_bytes_allow_is_taken(tmp_path: Path, text: str) -> None:
    """ASCII is the same in all of them."""
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode("cp1252"))
    assert "".join(read_lines(path, "cp1252")) == text
    path.write_bytes(text.encode())
    assert "".join(read_lines(path, "utf-8")) == text
