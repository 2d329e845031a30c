"""CSV: a header, then one job a record. Read strictly, one record at a time."""

import csv
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from jobs.problems import Problem
from jobs.sheets.names import known_names, meant_by
from jobs.sheets.rows import Opened, Row, is_blank, refused, shown
from jobs.sheets.text import BadText, read_lines

LARGEST_CELL = 1_000_000
"""Characters. An unclosed quote stops here and does not swallow the rest of the sheet."""

_BEGIN = "Begin with a header: id,prompt,model"

Record = tuple[int, list[str]]


def open_csv(path: Path, delimiter: str = ",") -> Opened:
    """Read the header; the rows are read later, and never all at once."""
    with closing(_records(path, delimiter)) as records:
        first = next(records, None)
    if first is None:
        return refused(Problem(str(path), 1, None, None, "The sheet is empty.", _BEGIN))
    if isinstance(first, Problem):
        return refused(first)
    line, cells = first
    header = [name.strip() for name in cells]
    if why := _no_header(header):
        return refused(Problem(str(path), line, None, shown(cells), *why))
    return Opened(
        str(path),
        rows=lambda: _rows(path, delimiter, header),
        columns=tuple(dict.fromkeys(filter(None, header))),
        header_line=line,
        problems=tuple(_twice(path, line, header)),
    )


def _no_header(header: Sequence[str]) -> tuple[str, str] | None:
    """Why a first record cannot be a header, and what to do; None where it can."""
    if any(name in known_names() or meant_by(name) for name in header):
        return None
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        return "The columns are not separated by commas.", "Save the sheet as CSV with commas."
    return "No column of the header is known.", _BEGIN


def _twice(path: Path, line: int, header: Sequence[str]) -> Iterator[Problem]:
    for name, times in Counter(filter(None, header)).items():
        if times > 1:
            yield Problem(
                str(path), line, shown(name), None, "Two columns have this name.", "Rename one of them."
            )


def _rows(path: Path, delimiter: str, header: Sequence[str]) -> Iterator[Row | Problem]:
    records = _records(path, delimiter)
    next(records, None)  # the header
    width = len(header)
    for record in records:
        if isinstance(record, Problem):
            yield record
            continue
        line, values = record
        cells = {
            name: value for name, value in zip(header, values, strict=False) if value and not value.isspace()
        }
        if "" in cells:
            yield _nameless(path, line, cells.pop(""))
        elif len(values) > width and not all(map(is_blank, values[width:])):
            yield _too_wide(path, line, values, width)
        else:
            yield Row(line, cells)


def _nameless(path: Path, line: int, value: str) -> Problem:
    return Problem(
        str(path),
        line,
        None,
        shown(value),
        "This cell stands in a column without a name.",
        "Name the column.",
    )


def _too_wide(path: Path, line: int, values: Sequence[str], width: int) -> Problem:
    return Problem(
        str(path),
        line,
        None,
        shown(values[width:]),
        f"The row has {len(values)} cells, the header names {width}.",
        "A cell with a comma in it must stand in double quotes.",
    )


def _records(path: Path, delimiter: str) -> Generator[Record | Problem, None, None]:
    """Every record that is not blank, with the line it starts on."""
    # A limit of the csv module as a whole; nothing else in this process reads CSV.
    csv.field_size_limit(LARGEST_CELL)
    with closing(read_lines(path)) as lines:
        reader = csv.reader(lines, strict=True, delimiter=delimiter)
        while True:
            start = reader.line_num + 1
            try:
                record = next(reader)
            except StopIteration:
                return
            except BadText as bad:
                yield Problem(str(path), bad.line, None, None, bad.message, bad.hint)
                return
            except csv.Error as error:
                problem, goes_on = _broken(path, start, error)
                yield problem
                if goes_on:
                    continue
                return
            if not all(map(is_blank, record)):
                yield start, record


def _broken(path: Path, line: int, error: csv.Error) -> tuple[Problem, bool]:
    """What is wrong with a record, and whether the next line can be trusted to begin a new one."""
    text = str(error)
    if "expected after" in text:
        message = "After a closing quote there must be a comma or the end of the line."
        return Problem(str(path), line, None, None, message, 'Inside a cell, write a quote twice: "".'), True
    if "field limit" in text:
        message = f"A cell has more than {LARGEST_CELL:,} characters."
        return Problem(str(path), line, None, None, message, "Is a double quote left open?"), False
    message = "A double quote is opened here and never closed."
    return Problem(str(path), line, None, None, message, 'Inside a cell, write a quote twice: "".'), False
