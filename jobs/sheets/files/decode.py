"""Bytes to text: UTF-8 with or without a byte order mark, UTF-16 with one, another encoding if declared.

Nothing is guessed: bytes that are not UTF-8 could be any of a dozen encodings, each with other letters.
"""

import codecs
import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

_WORD = 40
"""Bytes of a word that are shown."""
LONGEST_LINE = 16_000_000
"""Characters. A line is held in memory, so a file without line breaks is not read to its end."""

_END_MARK = "\x1a"
"""DOS programs end a text with it (^Z)."""
_SAVE_AS = 'Save the sheet as UTF-8 (in Excel: "CSV UTF-8").'
_PROBABLE = ("cp1252", "mac-roman", "cp1251", "shift_jis")
"""Encodings that a person chooses from, by how a word would read."""


class BadText(Exception):
    """The file is not readable text from here on. `line` is None where no line can be named."""

    def __init__(self, line: int | None, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.hint = hint


def read_lines(path: Path, declared: str | None = None) -> Generator[str, None, None]:
    """The physical lines of a file, each with its own line ending. Holds one line at a time.

    `declared` is the encoding that the user named; a byte order mark in the file wins over it.

    Raises:
        BadText: the file cannot be read, or not as text.
    """
    number = 0
    with _decoding(path, declared) as encoding, path.open(encoding=encoding, newline="") as file:
        while line := file.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise BadText(number, f"The line is longer than {LONGEST_LINE:,} characters.")
            if "\0" in line:
                _refuse_nul(line, number)
            if line.endswith(_END_MARK) and not (line := line.rstrip(_END_MARK)):
                return
            yield line


def read_whole(path: Path, most_bytes: int, declared: str | None = None) -> str:
    """A whole file as text; `declared` as above.

    Raises:
        BadText: the file cannot be read, has more than `most_bytes` bytes, or is not text.
    """
    with _decoding(path, declared) as encoding, path.open("rb") as file:
        data = file.read(most_bytes + 1)
        if len(data) > most_bytes:
            raise BadText(None, f"The file is larger than {most_bytes // 1_000_000} MB.", "Write it as CSV.")
        text = data.decode(encoding)
    _refuse_nul(text, 1)
    return text


@contextmanager
def _decoding(path: Path, declared: str | None) -> Generator[str, None, None]:
    """The file's encoding. Whatever the block meets that cannot be read or decoded becomes BadText."""
    encoding = ""
    try:
        encoding = _encoding(path, declared)
        yield encoding
    except OSError as error:
        raise BadText(None, f"The file cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise _undecodable(path, encoding) from error


def _encoding(path: Path, declared: str | None) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise BadText(None, "The file is written in UTF-32.", _SAVE_AS)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if declared is not None and not declared.startswith("utf") and _is_utf8_already(path):
        message = f"The file is UTF-8 already: read as {declared}, it would have other letters."
        raise BadText(None, message, "Leave --encoding out.")
    return declared or "utf-8"


def _is_utf8_already(path: Path) -> bool:
    """Whether a file has letters beyond ASCII, and all of it is UTF-8: in no other encoding by chance."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    beyond = False
    with path.open("rb") as file:
        try:
            while piece := file.read(1 << 20):
                beyond = beyond or not piece.isascii()
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return beyond


def _refuse_nul(text: str, line: int) -> None:
    at = text.find("\0")
    if at >= 0:
        raise BadText(line + text.count("\n", 0, at), "A NUL character: this is not a text file.", _SAVE_AS)


def _undecodable(path: Path, encoding: str) -> BadText:
    """Find the line: the decoder reads ahead, so the position it reports is not that of the bad byte."""
    if encoding == "utf-16":
        return BadText(None, "The file begins like UTF-16 and goes on otherwise.", _SAVE_AS)
    name = "UTF-8" if encoding.startswith("utf-8") else encoding
    number = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                if encoding.startswith("utf-16"):  # a line break is two bytes there
                    break
                byte = line[error.start]
                sentence = f"The line is not {name}: byte 0x{byte:02X} at {error.start + 1}."
                return BadText(number, sentence, _or_say(line, error.start) if name == "UTF-8" else _SAVE_AS)
    return BadText(None if encoding.startswith("utf-16") else number, f"The file is not {name}.", _SAVE_AS)


def _or_say(line: bytes, at: int) -> str:
    """What to do about a word that is not UTF-8: with each encoding, how it would be read, and be sent."""
    start = max(line.rfind(mark, 0, at) for mark in (b" ", b",", b";", b"\t", b'"', b"|")) + 1
    word = re.split(rb"[\s,;\"|]", line[start : start + _WORD], maxsplit=1)[0]
    read: dict[str, str] = {}
    for name in _PROBABLE:
        with suppress(UnicodeDecodeError):
            text = word.decode(name)
            if text.isprintable() and text not in read.values():
                read[name] = text
    ways = "; ".join(f"--encoding {name} reads {text}" for name, text in read.items())
    return f"{_SAVE_AS[:-1]}, or say what it is: {ways or '--encoding NAME'}."
