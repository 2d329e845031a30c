"""What a worksheet shows of its cells: hidden rows and columns, and cells that are merged.

openpyxl reads none of it where it reads row by row, so the worksheet's own text is searched for it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from openpyxl.utils.cell import range_boundaries

MOST_MERGED = 100_000
"""Ranges: more of them are a damaged or a forged workbook."""

_TAG = re.compile(rb"<(?:[A-Za-z0-9]+:)?(row|col|mergeCell)(\s[^<>]*)>")
_ATTRIBUTE = re.compile(rb"\s([A-Za-z]+)\s*=\s*[\"']([^\"']*)")
_TRUE = (b"1", b"true")


@dataclass(frozen=True, slots=True)
class Merged:
    """A range of cells that are shown as one. Rows and columns count from 1."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int


@dataclass(frozen=True, slots=True)
class Layout:
    """`merged` is in the order of first rows. Rows and columns count from 1."""

    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    merged: tuple[Merged, ...] = ()


def read_layout(part: IO[bytes]) -> Layout:
    """The layout that a worksheet's XML describes."""
    rows: set[int] = set()
    columns: set[int] = set()
    merged: list[Merged] = []
    number = 0
    for tag, written in _tags(part):
        given = dict(_ATTRIBUTE.findall(written))
        if tag == b"row":
            number = _number(given.get(b"r"), number + 1)
            if given.get(b"hidden") in _TRUE or _number(given.get(b"ht"), 1) == 0:
                rows.add(number)
        elif tag == b"col" and given.get(b"hidden") in _TRUE:
            first = _number(given.get(b"min"), 1)
            columns.update(range(first, min(_number(given.get(b"max"), first), 16_384) + 1))
        elif tag == b"mergeCell" and len(merged) < MOST_MERGED and (found := _range(given.get(b"ref"))):
            merged.append(found)
    merged.sort(key=lambda one: one.first_row)
    return Layout(frozenset(rows), frozenset(columns), tuple(merged))


def _tags(part: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    rest = b""
    while piece := part.read(1 << 20):
        text = rest + piece
        end = text.rfind(b"<")
        for tag in _TAG.finditer(text, 0, max(end, 0)):
            yield tag[1], tag[2]
        rest = text[end:] if end >= 0 else b""
        if len(rest) > 1 << 16:
            rest = b""  # no tag is so long
    for tag in _TAG.finditer(rest):
        yield tag[1], tag[2]


def _number(text: bytes | None, otherwise: int) -> int:
    try:
        return otherwise if text is None else int(float(text))
    except (ValueError, OverflowError):
        return otherwise


def _range(reference: bytes | None) -> Merged | None:
    try:
        left, top, right, bottom = range_boundaries((reference or b"").decode())
    except (ValueError, TypeError, AttributeError):
        return None
    if left is None or top is None or right is None or bottom is None:
        return None
    return Merged(top, bottom, left, right)


class MergedValues:
    """Gives the value of a merged cell to all its rows, while they stream by in order."""

    def __init__(self, merged: Sequence[Merged]) -> None:
        self._coming = list(reversed(merged))
        self._open: list[tuple[Merged, str]] = []

    def fill(self, row: int, texts: list[str]) -> tuple[str, ...]:
        """Put the values into the cells of this row that they hold for. Gives what is odd about them."""
        self._open = [(one, text) for one, text in self._open if one.last_row >= row]
        odd: list[str] = []
        for one, text in self._open:
            _put(texts, one.first_column - 1, text)
        while self._coming and self._coming[-1].first_row <= row:
            one = self._coming.pop()
            if one.first_row < row:
                continue  # its first row is blank, so it has no value
            index = one.first_column - 1
            text = texts[index] if index < len(texts) else ""
            if text and one.last_row > row:
                self._open.append((one, text))
            if text and one.last_column > one.first_column:
                odd.append(
                    "A cell of this row is merged over several columns, and holds for the first one only."
                )
        return tuple(odd[:1])


def _put(texts: list[str], index: int, text: str) -> None:
    texts.extend([""] * (index + 1 - len(texts)))
    texts[index] = texts[index] or text
