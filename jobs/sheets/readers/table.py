"""A sheet that is a table: a header, then one job a record. Shared by CSV and spreadsheets."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from jobs.catalog.foreign_inputs import word_elsewhere
from jobs.problems import Problem, at, excerpt
from jobs.sheets.opened import TableSheet, unreadable
from jobs.sheets.row import Cell, Row, is_blank
from jobs.sheets.rows.column_names import is_heading, plain
from jobs.sheets.rows.result_columns import BATCH, is_result_column

BEGIN = "Begin with a header: id,prompt,model"


@dataclass(frozen=True, slots=True)
class UnreadableCell:
    """Why a cell cannot be read."""

    value: object
    message: str
    hint: str = ""


Record = tuple[int, Sequence[str], Mapping[int, UnreadableCell], tuple[str, ...]]
"""The line a record begins on, its cells as text, its unreadable cells by index from 0, and warnings."""

Records = Generator[Record | Problem, None, None]

_MOST_ABOVE = 20
"""Records below the first one in which the header is looked for."""

ALL_READABLE: Mapping[int, UnreadableCell] = {}


def open_table(file: str, records: Callable[[], Records], too_wide: str) -> TableSheet:
    """Read the header; the rows are read later, and never all at once.

    `records` gives every record that is not blank, the header first. `too_wide` is the hint for a record
    that has more cells than the header.
    """
    with closing(records()) as beginning:
        first = next(beginning, None)
        if first is None:
            return unreadable(at(file, 1).problem("The sheet is empty.", BEGIN))
        if isinstance(first, Problem):
            return unreadable(first)
        line, cells, unread, _ = first
        if unread:
            index, why = next(iter(unread.items()))
            place = at(file, line, column=cells[index].strip(), value=why.value)
            return unreadable(place.problem(why.message, why.hint))
        header = [name.strip() for name in cells]
        if not any(map(is_heading, header)):
            place = at(file, line, value=cells)
            return unreadable(
                place.problem("No column of the header is known.", _what_then(header, beginning))
            )
        copy_of = _copy_of(header, beginning)
    return TableSheet(
        file,
        rows=lambda: _rows(file, records, header, too_wide),
        columns=tuple(dict.fromkeys(name for name in header if name and not is_result_column(name))),
        header_line=line,
        problems=tuple(_twice(file, line, header)),
        copy_of=copy_of,
    )


def _what_then(header: Sequence[str], records: Iterator[Record | Problem]) -> str:
    """What to do about a first record without a known name: it is a title, or it has other words."""
    meant = [(name, word) for name in header if (word := word_elsewhere(plain(name)))]
    if meant:
        return f"Rename {', '.join(f'{excerpt(name)} to {word}' for name, word in meant)}."
    for record in islice(records, _MOST_ABOVE):
        if not isinstance(record, Problem) and any(map(is_heading, map(str.strip, record[1]))):
            return f"Line {record[0]} looks like the header: delete what stands above it."
    return f"{BEGIN}. A file with a prompt a line and no header is read with --format txt."


def _copy_of(header: Sequence[str], records: Iterator[Record | Problem]) -> str | None:
    """The batch that the first row with a result column names: rows above it may have been added since."""
    if BATCH not in header:
        return None
    index = header.index(BATCH)
    for record in records:
        if not isinstance(record, Problem) and index < len(record[1]) and record[1][index].strip():
            return record[1][index].strip()
    return None


def _twice(file: str, line: int, header: Sequence[str]) -> Iterator[Problem]:
    for name, times in Counter(filter(None, header)).items():
        if times > 1:
            yield at(file, line, column=name).problem("Two columns have this name.", "Rename one of them.")


def _rows(
    file: str, records: Callable[[], Records], header: Sequence[str], too_wide: str
) -> Iterator[Row | Problem]:
    found = records()
    first = next(found, None)  # the header, unless the file has gone since
    if isinstance(first, Problem):
        yield first
    width = len(header)
    read = [(index, name) for index, name in enumerate(header) if not is_result_column(name)]
    columns = [name for _, name in read]
    reads_all = len(read) == len(set(columns)) == width
    names = frozenset(plain(name) for name in header if name)
    longest, initials = max(map(len, header)) + 4, frozenset(name[:1] for name in names) | {"-"}
    for record in found:
        if isinstance(record, Problem):
            yield record
            continue
        line, values, unread, warnings = record
        if len(values) < width:
            values = [*values, *[""] * (width - len(values))]
        cells: dict[str, Cell]
        if reads_all and all(values) and not any(map(str.isspace, values)):
            cells = dict(zip(columns, values, strict=False))
        else:
            cells = {name: values[index] for index, name in read if not is_blank(values[index])}
        first_cell = values[0]
        if (
            len(first_cell) <= longest
            and (first_cell[:1].lower()[:1] in initials or first_cell[:1].isspace())
            and plain(first_cell) in names
            and _is_header(values, names)
        ):
            message = "The header is repeated here, as if two sheets were put together."
            yield at(file, line, value=values).problem(message, "Delete this line.")
        elif unread:
            for index, why in unread.items():
                if index < width and is_result_column(header[index]):
                    continue
                column = header[index] if index < width else None
                yield at(file, line, column=column, value=why.value).problem(why.message, why.hint)
            cells.pop("", None)
            yield Row(line, cells, refused={header[index] for index in unread if index < width})
        elif "" in cells:
            message = "This cell stands in a column without a name."
            yield at(file, line, value=cells.pop("")).problem(message, "Name the column.")
        elif len(values) > width and not all(map(is_blank, values[width:])):
            message = f"The row has {len(values)} cells, the header names {width}."
            yield at(file, line, value=values[width:]).problem(message, too_wide)
        else:
            yield Row(line, cells, warnings=warnings)


def _is_header(values: Sequence[str], names: Set[str]) -> bool:
    """Whether every cell of a record is the name of a column, one with a meaning among them."""
    said = [plain(value) for value in values if not is_blank(value)]
    return all(name in names for name in said) and any(map(is_heading, said))
