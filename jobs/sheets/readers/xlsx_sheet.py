"""XLSX: one worksheet of a workbook, its cells as they are shown there. Read row by row."""

import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from itertools import repeat
from typing import Any

from openpyxl import Workbook, load_workbook

from jobs.errors import UsageProblem
from jobs.problems import Problem, at, excerpt
from jobs.sheets.files.zip_limits import BadArchive, check_workbook, has_formulas
from jobs.sheets.opened import TableSheet, unreadable
from jobs.sheets.readers.number_format import format_value
from jobs.sheets.readers.table import ALL_READABLE, Records, UnreadableCell, open_table
from jobs.sheets.readers.xlsx_layout import Layout, MergedValues, read_layout
from jobs.sheets.row import is_blank
from jobs.sheets.rows.columns import sort_columns
from jobs.sheets.source import SheetSource
from jobs.suggestions import closest, did_you_mean

LAST_ROW = 1_048_576
"""The format's own: a larger number is forged, and would stand for as many empty rows before it."""

_NAMED = 4
"""Worksheets that a warning names."""
_RESAVE = "Open it in a spreadsheet program and save it again as .xlsx."
_TOO_WIDE = "Name the column in the header, or empty the cell."

_Cells = Sequence[Any]


class _Unreadable(Exception):
    """The workbook is cut off or damaged. openpyxl has no exception of its own for that."""


def open_xlsx(source: SheetSource) -> TableSheet:
    """The worksheet that the source names, else the first visible one.

    Raises:
        UsageProblem: there is no worksheet of that name.
    """
    try:
        check_workbook(source.path)
        with _book(source) as book:
            names = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
            hidden = [sheet.title for sheet in book.worksheets if sheet.sheet_state != "visible"]
        formulas = has_formulas(source.path)
    except BadArchive as bad:
        return unreadable(at(source.name).problem(str(bad), _RESAVE))
    except (_Unreadable, OSError) as error:
        return unreadable(_unreadable(source, error))
    if not names + hidden:
        return unreadable(at(source.name).problem("The workbook has no worksheet.", _RESAVE))
    first = (names + hidden)[0]
    name = first if source.worksheet is None else _named(source.worksheet, names + hidden)
    try:
        layout = _layout(source, name)
    except (_Unreadable, OSError) as error:
        return unreadable(_unreadable(source, error))
    records = partial(_records, source, name, layout, formulas=formulas)
    opened = open_table(source.name, records, _TOO_WIDE)
    told = [*_hidden_columns(opened, records, layout)] if layout.hidden_columns else []
    if source.worksheet is None and len(names) > 1 and not opened.problems:
        told.append(_others(source.name, names[1:]))
    opened = replace(opened, warnings=tuple(told))
    return opened if name == first else replace(opened, worksheet=name)


def _layout(source: SheetSource, name: str) -> Layout:
    with _book(source) as book:
        worksheet: Any = book[name]
        try:
            with worksheet._get_source() as part:
                return read_layout(part)
        except OSError:
            raise
        except Exception as error:
            raise _Unreadable(describe(error)) from error


def _hidden_columns(opened: TableSheet, records: Callable[[], Records], layout: Layout) -> Iterator[Problem]:
    """A warning for each input whose column nobody sees."""
    with closing(records()) as beginning:
        first = next(beginning, None)
    if first is None or isinstance(first, Problem):
        return
    known = sort_columns(opened).known
    for index, text in enumerate(first[1], 1):
        name = text.strip()
        if index in layout.hidden_columns and name in known:
            place = at(opened.file, first[0], column=name)
            yield place.problem("The column is hidden in the workbook, but it counts.")


def _others(file: str, names: Sequence[str]) -> Problem:
    """A warning of the worksheets that are not read: somebody may have spread the jobs over several."""
    shown = ", ".join(str(excerpt(name)) for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    place = at(file, value=shown + more)
    return place.problem("Only the first worksheet is read, not this.", "--worksheet NAME reads another one.")


def _named(wanted: str, names: Sequence[str]) -> str:
    found = next((name for name in names if name.strip().casefold() == wanted.strip().casefold()), None)
    if found is not None:
        return found
    there_are = f"It has {', '.join(str(excerpt(n)) for n in names)}."
    hint = did_you_mean(excerpt(closest(wanted, names)), there_are)
    raise UsageProblem(f"The workbook has no worksheet {excerpt(wanted)}.", hint)


def _unreadable(source: SheetSource, error: Exception) -> Problem:
    what = error.strerror if isinstance(error, OSError) else error
    return at(source.name).problem(f"The workbook cannot be read: {excerpt(what)}.", _RESAVE)


_HIDDEN = (
    "The row is hidden in the workbook, by hand or by a filter, but it is sent: --visible-only leaves "
    "such rows out."
)


def _records(source: SheetSource, name: str, layout: Layout, *, formulas: bool) -> Records:
    """Every row that is not blank, by its number in the spreadsheet. A merged cell holds for all its rows."""
    merged = MergedValues(layout.merged)
    header = True
    try:
        with closing(_rows(source, name)) as values, closing(_formulas(source, name, formulas)) as written:
            for number, (cells, formula) in enumerate(zip(values, written, strict=False), 1):
                texts, unread = _read(cells, formula)
                if not unread and all(map(is_blank, texts)):
                    continue
                odd = merged.fill(number, texts) if layout.merged else ()
                if number in layout.hidden_rows and not header:
                    if source.visible_only:
                        continue
                    odd = (*odd, _HIDDEN)
                yield number, texts, unread, () if header else odd
                header = False
    except (_Unreadable, OSError) as error:
        yield _unreadable(source, error)


def _formulas(source: SheetSource, name: str, wanted: bool) -> Generator[_Cells, None, None]:
    """The same rows with their formulas, if any: openpyxl gives either formulas or values."""
    if wanted:
        yield from _rows(source, name, formulas=True)
    else:
        yield from repeat(())


def _read(cells: _Cells, formulas: _Cells) -> tuple[list[str], Mapping[int, UnreadableCell]]:
    texts: list[str] = []
    unread: dict[int, UnreadableCell] = {}
    for index, cell in enumerate(cells):
        value = cell.value
        if value is None or isinstance(value, str):
            texts.append(format_value(value, ""))
        else:
            texts.append(format_value(value, _number_format(cell)))
        if cell.data_type == "e":
            texts[-1] = ""
            message = "The cell shows an error."
            unread[index] = UnreadableCell(value, message, "Fix its formula, or write the value.")
        elif formulas and value is None and _is_formula(cell, formulas[index]):
            message = "The cell has a formula that was never calculated."
            hint = "Open the workbook in a spreadsheet program and save it, or write the value."
            unread[index] = UnreadableCell(formulas[index].value, message, hint)
    return texts, unread or ALL_READABLE


def _number_format(cell: Any) -> str:
    try:
        return str(cell.number_format or "")
    except IndexError:
        return ""  # a style that the workbook does not have


def _is_formula(cell: Any, written: Any) -> bool:
    # "str" and no value is a formula that was calculated, and gave an empty text.
    return bool(written.data_type == "f" and cell.data_type != "str")


def _rows(source: SheetSource, name: str, *, formulas: bool = False) -> Generator[_Cells, None, None]:
    with _book(source, formulas=formulas) as book:
        worksheet: Any = book[name]
        worksheet.reset_dimensions()  # the size that a file declares may be wrong
        rows: Iterator[_Cells] = worksheet.iter_rows(max_row=LAST_ROW)
        while (row := _quietly(rows)) is not None:
            yield row


@contextmanager
def _book(source: SheetSource, *, formulas: bool = False) -> Generator[Workbook, None, None]:
    with source.path.open("rb") as file:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                book = load_workbook(file, read_only=True, data_only=not formulas, keep_links=False)
        except Exception as error:
            raise _Unreadable(describe(error)) from error
        with closing(book):
            yield book


def _quietly(rows: Iterator[_Cells]) -> _Cells | None:
    """The next row, None after the last. openpyxl warns of parts that it leaves out, which no sheet needs."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return next(rows, None)
    except Exception as error:
        raise _Unreadable(describe(error)) from error


def describe(error: Exception) -> str:
    """An exception of openpyxl, in words."""
    return f"{type(error).__name__}: {error}".rstrip(": .")
