"""CSV and TSV: read strictly, one record at a time."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from jobs.catalog.foreign_inputs import word_elsewhere
from jobs.problems import Problem, at
from jobs.sheets.files.decode import BadText, read_lines
from jobs.sheets.opened import TableSheet
from jobs.sheets.readers.table import ALL_READABLE, Record, Records, UnreadableCell, open_table
from jobs.sheets.rows.column_names import is_heading, known_names, plain
from jobs.sheets.rows.odd_texts import cut_at
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


def header_likeness(header: Iterable[str]) -> tuple[int, int, int]:
    """How much a first record looks like a header: known names, near misses, words of other programs."""
    names = [name.strip() for name in header]
    known = known_names()
    others = sum(word_elsewhere(plain(name)) is not None for name in names)
    return sum(name in known for name in names), sum(map(is_heading, names)), others


def _first(source: SheetSource, layout: _Layout) -> Sequence[str]:
    with closing(_records(source, layout)) as records:
        first = next(records, None)
    return () if first is None or isinstance(first, Problem) else first[1]


def written_records(source: SheetSource, *, tabs: bool) -> Iterator[tuple[int, list[str], str]]:
    """Every record as it is written, blank ones too: its line, its cells, its text with its line break.

    Lines before the header have no cells. For a sheet without problems: none is reported here.
    """
    layout = _Layout("\t") if tabs else _layout(source)
    with closing(read_lines(source.path, source.encoding)) as lines:
        for number in range(layout.skipped):
            yield number + 1, [], next(lines)
        for read in _read(lines, layout):
            if not isinstance(read, _Broken):
                line, cells, texts = read
                yield line, cells, "".join(texts)


@dataclass(frozen=True, slots=True)
class _Broken:
    """A record that cannot be read."""

    line: int
    error: csv.Error


def _read(lines: Iterator[str], layout: _Layout) -> Iterator[tuple[int, list[str], list[str]] | _Broken]:
    """Each record: its line, its cells and the lines it is written on, which hold until the next one."""
    texts: list[str] = []
    delimiter = layout.delimiter
    reader = csv.reader(_collecting(lines, texts), strict=True, delimiter=delimiter)
    tabs = 0
    while True:
        line = reader.line_num + 1 + layout.skipped
        texts.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # Files with tabs are mostly written by programs that do not know quotes.
            if delimiter == "\t" and tabs and all(text.count("\t") == tabs for text in texts):
                for number, text in enumerate(list(texts), line):
                    yield number, text.rstrip("\r\n").split("\t"), [text]
                continue
            yield _Broken(line, error)
            continue
        tabs = tabs or len(cells) - 1
        yield line, cells, texts


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
        yield from _telling_long_ones(_checked(source.name, lines, layout))


def _checked(file: str, lines: Iterator[str], layout: _Layout) -> Iterator[tuple[Record | Problem, int]]:
    """Records and problems, each with the number of its lines."""
    delimiter = layout.delimiter
    is_header, spaced = True, False
    try:
        for read in _read(lines, layout):
            if isinstance(read, _Broken):
                problem, goes_on = _broken(file, read.line, read.error, delimiter)
                yield problem, 1
                if not goes_on:
                    return
                continue
            line, cells, texts = read
            joined = "\n".join(cells)
            if not joined or joined.isspace():
                continue
            text = texts[0] if len(texts) == 1 else "".join(texts)
            odd = ALL_READABLE
            if not text.isascii() or "'" in text or ' "' in text or '\t"' in text or '="' in text:
                odd = _quoted_in_vain(cells, text, delimiter)
            if is_header:
                is_header, spaced = False, f"{delimiter} " in text
                yield (line, cells, odd, ()), len(texts)
                continue
            told = (
                not spaced
                and "\n " in joined  # a cell begins so, or a line in one
                and not odd
                and _cut_in_a_sentence(cells, text, delimiter)
            )
            yield (line, cells, odd, _CUT if told else ()), len(texts)
    except BadText as bad:
        yield at(file, bad.line).problem(bad.message, bad.hint), 1


_CUT = (
    "A cell begins with a space, as if a sentence was cut at the delimiter before it: is the text whole? "
    "A cell with the delimiter in it must stand in double quotes.",
)


def _cut_in_a_sentence(cells: list[str], text: str, delimiter: str) -> bool:
    """Whether a cell of several words is followed by one that begins with a space and a word."""
    before = ""
    for cell in cells:
        if cell[:1] == " " and " " in before.strip() and before[:1] != " ":
            goes_on = cell.strip()[:1].isalpha()
            if goes_on and delimiter + cell in text:
                return True
        before = cell
    return False


def _quoted_in_vain(cells: list[str], text: str, delimiter: str) -> Mapping[int, UnreadableCell]:
    """The cells whose quotes do not keep them together. Undoes Excel's sign for a text, `="001"`."""
    found: dict[int, UnreadableCell] = {}
    for index, cell in enumerate(cells):
        if cell[:2] == '="' and (said := _TEXT_SIGN.fullmatch(cell)):
            cells[index] = said[1].replace('""', '"')
        elif cell[:1].isspace() and cell.lstrip()[:1] == '"' and _stands_so(cell, text, delimiter):
            found[index] = UnreadableCell(cell, _BLANK_BEFORE, _NO_BLANK)
    cut = cut_at(cells)
    if cut is not None and cut not in found and delimiter.join(cells[cut : cut + 2]) in text:
        mark = cells[cut].strip()[0]
        message = f"Only straight double quotes enclose a cell, not {mark}: it was cut here."
        found[cut] = UnreadableCell(cells[cut], message, 'Put the cell in straight quotes: "...".')
    return found or ALL_READABLE


_TEXT_SIGN = re.compile(r'="((?:[^"]|"")*)"', re.DOTALL)
_BLANK_BEFORE = "There is a space before the quote, so the quote does not enclose the cell."
_NO_BLANK = "Remove the space; or put the whole cell in quotes, and write each quote inside it twice."


def _stands_so(cell: str, text: str, delimiter: str) -> bool:
    """Whether the cell is written without quotes around it: in quotes, its own would stand there twice."""
    return delimiter + cell in text or text.startswith(cell)


def _telling_long_ones(found: Iterator[tuple[Record | Problem, int]]) -> Records:
    """Adds a warning to a record of several lines whose neighbours have one: is a quote left open?"""
    held: tuple[Record, int] | None = None
    header, before = True, 1
    for item, lines in found:
        if held is not None:
            yield held[0] if lines > 1 else _long(*held)
            held = None
        if isinstance(item, Problem):
            yield item
            before = 1
        elif lines > 1 and before == 1 and not header:
            held, before = (item, lines), lines
        else:
            yield item
            before = lines
        header = False
    if held is not None:
        yield _long(*held)


def _long(record: Record, lines: int) -> Record:
    line, cells, unread, warnings = record
    told = (
        f"A cell goes over lines {line} to {line + lines - 1}, and those of the rows around it do not: "
        "is a double quote left open?"
    )
    return line, cells, unread, (*warnings, told)


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
