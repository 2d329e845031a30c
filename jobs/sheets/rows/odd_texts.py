"""Texts that are probably not what their author meant: leftovers of other programs, and cells that were cut.

A prompt is paid as it stands, so what cannot be meant is a problem, and what may be is a warning.
"""

import re
import unicodedata
from collections.abc import Iterator

from jobs.sheets.row import Cell
from jobs.sheets.rows.foreign_prompts import foreign_in, is_settings

Oddity = tuple[str, str]
"""A sentence and a hint."""

# English, German, French, Spanish, Italian, Portuguese and more: `#REF!`, `#NOM?`, `#DIV/0!`.
_ERROR_VALUE = re.compile(
    r"#[\u00a1\u00bf]?[^\W\d_a-z][^\W_a-z]*(?:/[^\W_a-z]+)?[!?]|#N/A|#N/D|#NV|#NV!|#N\.V\.|#####*"
)
_NOT_YET = frozenset({"#GETTING_DATA", "Loading..."})
_WORDS_FOR_NOTHING = r"""
nan -nan +nan none null nil n/a n.a. n.a na <na> nat undefined \n
(null) (none) (blank) (empty) [null] <null> <none> #na
-1.#ind 1.#ind -1.#qnan 1.#qnan k.a. k.A.
"""
_NOTHING = frozenset((*_WORDS_FOR_NOTHING.split(), "[object object]", "#n/a n/a", "k. a."))
_FORMULA = re.compile(
    r"=\s*(?:[+\-(\"{@]|\$?[A-Za-z]{1,3}\$?[0-9]+(?![\w ])|\$?[A-Za-z]{1,3}\$?[0-9]+\s*[-+*/&:<>=^]"
    r"|[A-Za-z_.][\w.]*\(|[0-9]|'[^']+'!|\w+!\$?[A-Z]|\[)"
)
_REFERENCE = re.compile(r"[-+@](?:\$?[A-Z]{1,3}\$?[0-9]+(?![\w ])|[A-Z][A-Z.]+\()")
"""A formula as some spreadsheets let it begin: `+A1`, `@B2`."""
_QUOTES = {
    "\u201c": "\u201d",
    "\u201e": "\u201c\u201d",
    "\u201f": "\u201d",
    "\u00ab": "\u00bb",
    "\u2039": "\u203a",
    "\u2018": "\u2019",
    "\u201a": "\u2018\u2019",
    "\u300c": "\u300d",
    "\u300e": "\u300f",
    "'": "'",
    '"': '"',
    "`": "`'",
}
"""Opening quotes, each with those that may close it."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffd]")
_BLANK_LETTERS = frozenset("\u2800\u3164\u115f\u1160\uffa0\u034f")
_ENTITY = re.compile(r"&(?:amp|quot|apos|lt|gt|nbsp|#[0-9]{1,6}|#x[0-9a-fA-F]{1,6});")
_COMMENT = re.compile(r"\s*(?:#(?![0-9])|//|<!--|/\*|;|--\s|%\s)")
_PLACEHOLDERS = frozenset(
    (
        *("prompt", "prompts", "caption", "text", "tbd", "todo", "fixme", "lorem ipsum", "test", "example"),
        *("total", "totals", "subtotal", "grand total", "sum", "summe", "gesamt", "as above", "see above"),
        *("same", "ditto", "same as above", "xxx", "end", "empty", "blank", "s.o.", "siehe oben"),
    )
)
_OTHER_CELL = re.compile(
    r"[-+]?[0-9][0-9.,:/%-]*|true|false|yes|no|https?://\S+|[^\s?*]+\.(?:png|jpe?g|webp|gif|tiff?)"
    r"|[-+]?[$\u20ac\u00a3\u00a5]\s?[0-9][0-9.,]*|[0-9][0-9.,]*\s?[\u20ac$%]"
    r"|[0-9]{1,2}[-/. ](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?:[-/. ][0-9]{2,4})?"
    r"|[0-9]{1,6}\s?[x\u00d7*:]\s?[0-9]{1,6}|[248]k",
    re.IGNORECASE,
)
"""What a whole cell holds whose column is not that of prompts."""

_WRITE = "Write the prompt, or leave the row out."
_NO_SETTINGS = "Leave the row out: only prompts are sent, and columns such as size and seed."


def is_error_value(text: str) -> bool:
    """Whether a whole cell is what a spreadsheet shows in place of a value."""
    stripped = text.strip()
    return stripped in _NOT_YET or (stripped[:1] == "#" and _ERROR_VALUE.fullmatch(stripped) is not None)


def is_nothing(text: str) -> bool:
    """Whether a whole cell is a program's word for an empty one."""
    return len(text) <= 20 and text.strip().lower() in _NOTHING


def is_formula(text: str) -> bool:
    """Whether a cell is a spreadsheet's formula instead of its value."""
    return text[:1] == "=" and _FORMULA.match(text) is not None


def why_not_a_value(cell: Cell) -> Oddity | None:
    """Why a cell cannot be meant, whatever its column: for ids, and for what `{name}` puts into a prompt."""
    if not isinstance(cell, str):
        return None
    if is_error_value(cell):
        return "The cell shows a spreadsheet's error.", "Fix its formula and save the sheet again."
    if is_formula(cell):
        return "This is a formula, not its value.", "Save the values: only the spreadsheet can calculate it."
    return None


def may_be_no_value(text: str) -> bool:
    """Whether `why_not_a_value` may find something in a text without blanks around it: told at a glance."""
    return text[:1] in ("#", "=") or text in _NOT_YET


def is_ordinary(text: str) -> bool:
    """Whether a prompt is a sentence of letters, digits and plain marks: nothing below finds that odd.

    Most prompts are, and this is told at a glance.
    """
    return (
        " " in text
        and _SENTENCE.fullmatch(text) is not None
        and not ("--" in text or "nan" in text or "NaN" in text)
        and not ("None" in text or "null" in text or "undefined" in text)
    )


_SENTENCE = re.compile(r"[A-Za-z][A-Za-z0-9 ,.;!?'/-]{19,}[A-Za-z0-9,.;!?]")


def why_not_a_prompt(text: str) -> Oddity | None:
    """Why nobody means this as a prompt; None where somebody may."""
    if is_settings(text):
        return "These are another program's settings or negative prompt, not a prompt.", _NO_SETTINGS
    if len(text) > 20 and text[0].isalnum() and text[0].isascii():
        return None
    if odd := why_not_a_value(text):
        return odd
    if is_nothing(text):
        return "This is a program's word for an empty cell, not a prompt.", _WRITE
    if not any(map(_is_visible, text)):
        return "The prompt is empty: it has only characters that cannot be seen.", _WRITE
    if not any(map(_says_something, text)):
        return "The prompt has neither a letter nor a digit: it is a separator or a leftover.", _WRITE
    return None


def odd_in_a_prompt(text: str) -> Iterator[str]:
    """What a warning or a problem says of a prompt before anybody pays for it."""
    is_plain = text.isascii() and text.isprintable()
    if not is_plain:
        yield from _odd_letters(text)
    stripped = text.strip()
    is_sentence = is_plain and len(stripped) > 20 and " " in stripped and stripped[0].isalpha()
    if not is_sentence:
        yield from _odd_beginning(stripped)
    if '""' in text:
        yield 'Two double quotes in a row ("") are sent as two.'
    if "&" in text and (entity := _ENTITY.search(text)):
        yield f"{entity.group()} is HTML for another character, and is sent as it stands."
    yield from foreign_in(stripped)
    if is_sentence:
        return
    if len(stripped) <= 20 and stripped.lower() in _PLACEHOLDERS:
        yield f"The prompt is the word {stripped}: a heading, or a gap that was never filled?"
    elif _OTHER_CELL.fullmatch(stripped):
        yield "The prompt is a number, yes or no, an address or a file: does it belong in another column?"


def _odd_letters(text: str) -> Iterator[str]:
    if control := _CONTROL.search(text):
        code = f"U+{ord(control.group()):04X}"
        if control.group() == "\ufffd":
            yield f"The prompt has a replacement character ({code}): a letter was lost before it came here."
        else:
            yield f"The prompt has a control character in it ({code}), which is sent."
    if not text.isascii() and (better := _read_rightly(text)):
        yield f"Letters look like UTF-8 that was read in another encoding: did you mean {better}?"


def _read_rightly(text: str) -> str | None:
    """An excerpt of the text in its right encoding, where it was read in a wrong one."""
    if not any("\xc2" <= letter <= "\xf4" for letter in text):
        return None
    try:
        better = "".join(map(_as_cp1252, text)).encode("latin-1").decode()
    except UnicodeError:
        return None
    at = next(index for index, letter in enumerate(text) if not letter.isascii())
    return " ".join(better[max(0, at - 20) : at + 20].split())


def _as_cp1252(letter: str) -> str:
    """The letter of Latin-1 with the byte that cp1252 has for this one."""
    return letter if letter <= "\xff" else letter.encode("cp1252").decode("latin-1")


def _odd_beginning(text: str) -> Iterator[str]:
    closing = _QUOTES.get(text[:1])
    if closing is not None and len(text) > 1:
        ends = [index for index, letter in enumerate(text) if index and letter in closing]
        if not ends:
            yield f"The prompt begins with {text[0]} and does not close it: was it cut at a comma?"
        elif ends == [len(text) - 1]:
            yield f"The prompt stands in quotes ({text[0]} {text[-1]}), which are sent with it."
    elif text[:1] == "=" or _REFERENCE.match(text):
        yield "The prompt begins like a formula, and is sent as it stands."
    elif _COMMENT.match(text):
        yield "The prompt begins like a comment, but is sent."


def _is_visible(letter: str) -> bool:
    return unicodedata.category(letter)[0] not in "CZM" and letter not in _BLANK_LETTERS


def _says_something(letter: str) -> bool:
    return letter not in _BLANK_LETTERS and (
        unicodedata.category(letter)[0] in "LN" or unicodedata.category(letter) == "So"
    )


def cut_at(cells: list[str]) -> int | None:
    """The cell of a record that opens a quote which a later cell closes; None where there is none.

    Only straight double quotes keep a cell together: with others it was cut at the delimiter.
    """
    for index, cell in enumerate(cells):
        text = cell.strip()
        closing = _QUOTES.get(text[:1])
        if closing is None or text[:1] == '"' or any(letter in closing for letter in text[1:]):
            continue
        for later in cells[index + 1 :]:
            end = later.rstrip()
            if end and end[-1] in closing:
                return index
    return None
