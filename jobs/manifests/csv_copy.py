"""A copy of a CSV or TSV sheet with results beside its rows; the user's own text stays unchanged."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from jobs.manifests.csv import escape_formula
from jobs.manifests.results import CellValue, RowResult
from jobs.sheets.readers.csv_sheet import delimiter_of, written_records
from jobs.sheets.rows.result_columns import COLUMNS, is_result_column
from jobs.sheets.source import SheetSource


async def copy_csv(
    source: SheetSource, header_line: int, results: AsyncIterator[RowResult], target: Path, *, tabs: bool
) -> None:
    """Write the copy. It is UTF-8, marked as such where the sheet is not plain UTF-8 itself.

    Columns that an earlier export added are replaced.
    """
    delimiter = delimiter_of(source, tabs=tabs)
    header: list[str] = []
    following = await anext(results, None)
    with target.open("w", encoding=_encoding(source), newline="") as file:
        for line, record, text in written_records(source, tabs=tabs):
            if line < header_line or not any(cell.strip() for cell in record):
                file.write(text)
                continue
            if line == header_line:
                header = [name.strip() for name in record]
                beside: Sequence[CellValue] = COLUMNS
            elif following is not None and following.line == line:
                beside = following.cells
                following = await anext(results, None)
            else:
                beside = ()
            file.write(_row(header, record, text, beside, delimiter))


def _row(header: list[str], record: list[str], text: str, beside: Sequence[CellValue], delimiter: str) -> str:
    own = text.rstrip("\r\n")
    end = text[len(own) :] or "\n"
    kept = [index for index, name in enumerate(header) if not is_result_column(name)]
    if len(kept) < len(header) or len(record) != len(header):
        own = _written([record[index] if index < len(record) else "" for index in kept], delimiter)
    return f"{own}{delimiter}{_written([escape_formula(cell) for cell in beside], delimiter)}{end}"


def _written(cells: Sequence[str | int | float], delimiter: str) -> str:
    line = io.StringIO(newline="")
    # With this terminator the csv module quotes cells that contain either of the two characters.
    csv.writer(line, lineterminator="\r\n", delimiter=delimiter).writerow(cells)
    return line.getvalue().removesuffix("\r\n")


def _encoding(source: SheetSource) -> str:
    with source.path.open("rb") as file:
        marked = file.read(3).startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"))
    return "utf-8-sig" if marked or source.encoding not in {None, "utf-8"} else "utf-8"
