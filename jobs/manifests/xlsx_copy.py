"""A copy of a workbook with results beside the rows of one worksheet; everything else in it stays.

Images are links, one in a cell. Parts that openpyxl does not support (shapes, some charts) are lost.
"""

import re
import warnings
import zipfile
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any
from urllib.parse import quote

from openpyxl import load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, MergedCell
from openpyxl.worksheet.cell_range import CellRange

from jobs.errors import UsageProblem
from jobs.manifests.results import CellValue, RowResult
from jobs.problems import excerpt
from jobs.sheets.files.zip_limits import BadArchive, check_workbook
from jobs.sheets.readers.xlsx_sheet import describe
from jobs.sheets.rows.result_columns import COLUMNS, is_result_column
from jobs.sheets.source import SheetSource

MOST_SPANNED = 1_000_000
"""Cells that are merged, or share a link: openpyxl creates each of them, and whole columns have millions."""
_SPAN = re.compile(
    rb"<(?:[A-Za-z0-9]+:)?(?:mergeCell|hyperlink)\s[^<>]*?\bref=[\"']([A-Z]+\d+:[A-Z]+\d+)[\"']"
)


async def copy_xlsx(
    source: SheetSource,
    worksheet: str | None,
    header_line: int,
    results: AsyncIterator[RowResult],
    target: Path,
) -> None:
    """Write the copy. The workbook is held in memory. Columns that an earlier export added are replaced.

    Raises:
        UsageProblem: the workbook can be read as a sheet, but not be copied.
        OSError: the copy cannot be written.
    """
    found = [result async for result in results]
    with _worded(source):
        check_workbook(source.path, whole=True)
        _check_spans(source.path)
        _copy(source, worksheet, header_line, found, target)


@contextmanager
def _worded(source: SheetSource) -> Generator[None, None, None]:
    """Word the failures of a copy, which alone reads images, drawings and merged cells: openpyxl has no
    exceptions of its own for damage there."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # an error of the disk; those of Pillow have no number
        damage = f"A part of it is damaged or unknown: {excerpt(describe(error))}."
        why = str(error) if isinstance(error, BadArchive) else damage
        raise UsageProblem(
            f"{source.name} cannot be copied. {why} Nothing was written, and its results are all there.",
            hint="`nightsheet export --output results.csv` has a row for each of its jobs.",
        ) from error


def _check_spans(path: Path) -> None:
    spanned = 0
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if "/worksheets/" in name and name.endswith(".xml"):
                for span in _SPAN.findall(archive.read(name)):
                    size = CellRange(span.decode()).size
                    spanned += size["rows"] * size["columns"]
    if spanned > MOST_SPANNED:
        raise BadArchive(f"It has {spanned:,} merged or linked cells, at most {MOST_SPANNED:,} are copied.")


def _copy(
    source: SheetSource, worksheet: str | None, header_line: int, found: Sequence[RowResult], target: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = load_workbook(source.path, keep_vba=source.path.suffix.lower() == ".xlsm")
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
    sheet: Any = sheets[0] if worksheet is None else book[worksheet]
    most = max((len(result.images) for result in found), default=0)
    names = [*COLUMNS, *(f"result.image.{number}" for number in range(1, most + 1))]
    places = _places(sheet, header_line, names)
    for result in found:
        for name, value in zip(COLUMNS, result.cells, strict=True):
            _put(_cell(sheet, result.line, places[name]), value)
        for number, path in enumerate(result.images, 1):
            cell = _cell(sheet, result.line, places[f"result.image.{number}"])
            _put(cell, path)
            cell.hyperlink = quote(path, safe="/:")
            cell.style = "Hyperlink"
    book.save(target)


def _places(sheet: Any, header_line: int, names: list[str]) -> dict[str, int]:
    """The column of each name: the one that has it already, else a new one to the right."""
    header = {str(cell.value).strip(): cell for cell in sheet[header_line] if cell.value not in (None, "")}
    for name, cell in header.items():
        if is_result_column(name):
            _empty(sheet, header_line, cell.column)
    last = max(cell.column for cell in header.values())
    style = next(iter(header.values()))
    places = {}
    for name in names:
        if name in header:
            places[name] = header[name].column
            continue
        last += 1
        places[name] = last
        cell = _cell(sheet, header_line, last)
        cell.value = name
        cell.font, cell.fill, cell.border = copy(style.font), copy(style.fill), copy(style.border)
    return places


def _empty(sheet: Any, header_line: int, column: int) -> None:
    for (cell,) in sheet.iter_rows(header_line + 1, sheet.max_row, column, column):
        if not isinstance(cell, MergedCell):  # such a cell is empty
            cell.value = None
            cell.hyperlink = None


def _cell(sheet: Any, line: int, column: int) -> Any:
    """A cell that can be written to: one that was merged with others is separated from them."""
    cell = sheet.cell(line, column)
    if isinstance(cell, MergedCell):
        for merged in [merged for merged in sheet.merged_cells.ranges if cell.coordinate in merged]:
            sheet.unmerge_cells(merged.coord)
        cell = sheet.cell(line, column)
    return cell


def _put(cell: Any, value: CellValue) -> None:
    if not isinstance(value, str):
        cell.value = value
    elif value:
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
        cell.data_type = "s"  # no text from outside becomes a formula
