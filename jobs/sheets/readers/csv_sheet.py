"""CSV and TSV: read strictly, one record at a time."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from jobs.problems import Problem, at
from jobs.sheets.files.decode import BadText, read_lines
from jobs.sheets.opened import TableSheet
from jobs.sheets.readers.table import ALL_READABLE, Records, open_table
from jobs.sheets.row import is_blank
from jobs.sheets.rows.column_names import known_names, probable_name
from jobs.sheets.source import SheetSource

DELIMITERS: Mapping[str, str] = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
"""The delimiters that spreadsheets write, in words. Where two fit equally, the first is taken."""

LARGEST_CELL = 1_000_000
"""Characters. An unclosed quote stops here instead of swallowing the rest of the sheet."""

_TWICE = 'Inside a cell, write a quote twice: "".'


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the records are written: their delimiter, and the number of lines before the header."""

    delimiter: str
    skipped: int = 0


def open_csv(source: SheetSource) -> TableSheet:
    """A sheet whose header shows its delimiter."""
    return _open(source, _layout(source))


def open_tsv(source: SheetSource) -> TableSheet:
    """A sheet with tabs between its cells, even if its header looks otherwise."""
    return _open(source, _Layout("\t"))


def _open(source: SheetSource, layout: _Layout) -> TableSheet:
    too_wide = f"A cell with {DELIMITERS[layout.delimiter]} in it must stand in double quotes."
    return open_table(source.name, lambda: _records(source, layout), too_wide)


# Excel's own declaration, on a line before the header. Other programs take it for a cell.
_DECLARED = re.compile(r'"?sep=([,;\t|])"?\s*', re.IGNORECASE)


def _layout(source: SheetSource) -> _Layout:
    with closing(read_lines(source.path, source.encoding)) as lines:
        try:
            declared = _DECLARED.fullmatch(next(lines, ""))
        except BadText:
            return _Layout(",")  # reading the records reports it
    if declared:
        return _Layout(declared.group(1), 1)
    layouts = [_Layout(delimiter) for delimiter in DELIMITERS]
    return max(layouts, key=lambda layout: header_likeness(_first(source, layout)))


def header_likeness(header: Iterable[str]) -> tuple[int, int]:
    """How much a first record looks like a header: its known names, then its near misses."""
    names = [name.strip() for name in header]
    known = known_names()
    return sum(name in known for name in names), sum(probable_name(name) is not None for name in names)


def _first(source: SheetSource, layout: _Layout) -> Sequence[str]:
    with closing(_records(source, layout)) as records:
        first = next(records, None)
    return () if first is None or isinstance(first, Problem) else first[1]


def written_records(source: SheetSource, *, tabs: bool) -> Iterator[tuple[int, list[str], str]]:
    """Every record as it is written, blank ones too: its line, its cells, its text with its line break.

    Lines before the header have no cells. For a sheet without problems: none is reported here.
    """
    layout = _Layout("\t") if tabs else _layout(source)
    texts: list[str] = []
    with closing(read_lines(source.path, source.encoding)) as lines:
        for number in range(layout.skipped):
            yield number + 1, [], next(lines)
        reader = csv.reader(_collecting(lines, texts), strict=True, delimiter=layout.delimiter)
        while True:
            start = reader.line_num + 1 + layout.skipped
            texts.clear()
            try:
                record = next(reader)
            except StopIteration:
                return
            yield start, record, "".join(texts)


def _collecting(lines: Iterator[str], texts: list[str]) -> Iterator[str]:
    for line in lines:
        texts.append(line)
        yield line


def delimiter_of(source: SheetSource, *, tabs: bool) -> str:
    """The delimiter of the cells."""
    return "\t" if tabs else _layout(source).delimiter


def _records(source: SheetSource, layout: _Layout) -> Records:
    """Every record that is not blank, with the line it starts on."""
    # The limit belongs to the csv module as a whole; nothing else in this process reads CSV.
    csv.field_size_limit(LARGEST_CELL)
    with closing(read_lines(source.path, source.encoding)) as lines:
        for _ in range(layout.skipped):
            next(lines, None)
        reader = csv.reader(lines, strict=True, delimiter=layout.delimiter)
        while True:
            start = reader.line_num + 1 + layout.skipped
            try:
                record = next(reader)
            except StopIteration:
                return
            except BadText as bad:
                yield at(source.name, bad.line).problem(bad.message, bad.hint)
                return
            except csv.Error as error:
                problem, goes_on = _broken(source.name, start, error, layout.delimiter)
                yield problem
                if goes_on:
                    continue
                return
            if not all(map(is_blank, record)):
                yield start, record, ALL_READABLE


def _broken(file: str, line: int, error: csv.Error, delimiter: str) -> tuple[Problem, bool]:
    """The problem of a record, and whether the next line certainly begins a new one."""
    text, place = str(error), at(file, line)
    if "expected after" in text:
        message = f"After a closing quote there must be {DELIMITERS[delimiter]} or the end of the line."
        return place.problem(message, _TWICE), True
    if "field limit" in text:
        message = f"A cell has more than {LARGEST_CELL:,} characters."
        return place.problem(message, "Is a double quote left open?"), False
    return place.problem("A double quote is opened here and never closed.", _TWICE), False
