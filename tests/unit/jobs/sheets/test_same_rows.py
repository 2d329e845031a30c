"""The same fifty rows in every format, written by the tools that people have: the same fifty jobs."""

import csv
import io
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.csv
import pyarrow.parquet
import pytest
import xlsxwriter
import yaml
from openpyxl import Workbook

from jobs.sheets import PlannedJob, SheetSource, open_sheet, plan

FAMILY = "bytedance/seedream-4-5"
COLUMNS = ("prompt", "model", "size", "count", "images", "seed", "mood")
PICTURES = ["https://a.example/1.png", "https://a.example/2.jpg"]
TEXTS = (
    "Generate 3 images of a pier",
    'Generate 3 images: a "quiet" pier; at dawn, in {mood} light',
    "Generate 3 images\nof a caf\u00e9 \u2013 for \u20ac 5",
    "=Generate 3 images, +1 | @night\twith {braces} and {}",
    "  Generate 3 images of two  blanks  ",
)


def row(number: int) -> dict[str, Any]:
    """One of them: numbers are numbers where the format has such, gaps are gaps."""
    model = ("sequential", "edit-sequential")[number % 2]
    return {
        "prompt": f"{TEXTS[number % len(TEXTS)]} {number // 3}",
        "model": f"{FAMILY}/{model}",
        "size": (None, "2K", "2048x2048", "2304:1728")[number % 4],
        "count": (3, None)[number % 7 == 0],
        "images": [*PICTURES] if number % 2 else None,
        "seed": (None, number, 2**31 - 1)[number % 3],
        "mood": (None, "dim", "12", "ja")[number % 4],
    }


ROWS = [row(number) for number in range(50)]
FLAT = [{**row, "images": row["images"] and "|".join(row["images"])} for row in ROWS]


def as_csv(
    encoding: str, newline: str = "\r\n", first: str = "", **how: Any
) -> Callable[[Path], SheetSource]:
    """What a spreadsheet exports."""

    def write(path: Path) -> SheetSource:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, lineterminator=newline, **how)
        writer.writeheader()
        writer.writerows(FLAT)
        path.write_bytes((first + text.getvalue()).encode(encoding))
        return SheetSource(path, encoding=encoding if encoding == "cp1252" else None)

    return write


def by_arrow_csv(path: Path) -> SheetSource:
    """By another library, which leaves quotes out where it can."""
    pyarrow.csv.write_csv(arrow.Table.from_pylist(FLAT), path)
    return SheetSource(path)


def by_openpyxl(path: Path) -> SheetSource:
    """With texts in the cells, and blank rows before and between."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Jobs")
    sheet.append([])
    sheet.append(COLUMNS)
    for number, row in enumerate(FLAT):
        # A text that begins with = would be a formula.
        cells = [sheet_text(sheet, value) for value in row.values()]
        sheet.append(cells)
        if number % 10 == 0:
            sheet.append([])
    book.save(path)
    return SheetSource(path)


def sheet_text(sheet: Any, value: Any) -> Any:
    """A cell that is text, whatever it begins with."""
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        cell.data_type = "s"
    return cell


def by_xlsxwriter(path: Path) -> SheetSource:
    """With shared texts, as Excel writes; on a worksheet that is not the first."""
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.add_worksheet("Notes").write(0, 0, "prompt")
        sheet = book.add_worksheet("Jobs")
        sheet.write_row(0, 0, COLUMNS)
        for number, row in enumerate(FLAT, 1):
            sheet.write_row(number, 0, ["" if value is None else value for value in row.values()])
    return SheetSource(path, worksheet="jobs")


def by_arrow(path: Path) -> SheetSource:
    """With types: whole numbers, lists, dictionaries."""
    made = arrow.Table.from_pylist(ROWS)
    at = made.schema.get_field_index("model")
    arrow.parquet.write_table(
        made.set_column(at, "model", made["model"].dictionary_encode()), path, row_group_size=7
    )
    return SheetSource(path)


def as_text(write: Callable[[], str]) -> Callable[[Path], SheetSource]:
    """What a script writes."""

    def written(path: Path) -> SheetSource:
        path.write_text(write(), encoding="utf-8")
        return SheetSource(path)

    return written


SAID = [{name: value for name, value in row.items() if value is not None} for row in ROWS]
WRITERS: Mapping[str, Callable[[Path], SheetSource]] = {
    "excel.csv": as_csv("utf-8-sig"),
    "excel-in-germany.csv": as_csv("utf-8-sig", delimiter=";"),
    "excel-says-sep.csv": as_csv("utf-8", delimiter=";", first="sep=;\r\n"),
    "old-excel.csv": as_csv("cp1252", delimiter=";"),
    "unicode-text.csv": as_csv("utf-16", delimiter="\t"),
    "libreoffice.csv": as_csv("utf-8", "\n", quoting=csv.QUOTE_ALL),
    "bars.csv": as_csv("utf-8", "\n", delimiter="|", quoting=csv.QUOTE_ALL),
    "script.csv": as_csv("utf-8", "\n", quoting=csv.QUOTE_NONNUMERIC),
    "excel.tsv": as_csv("utf-8", delimiter="\t"),
    "arrow.csv": by_arrow_csv,
    "openpyxl.xlsx": by_openpyxl,
    "xlsxwriter.xlsx": by_xlsxwriter,
    "a.yaml": as_text(lambda: yaml.safe_dump({"jobs": SAID}, allow_unicode=True)),
    "flow.yaml": as_text(lambda: yaml.safe_dump({"jobs": SAID}, default_flow_style=True)),
    "a.json": as_text(lambda: json.dumps({"jobs": ROWS}, indent=2)),
    "records.json": as_text(lambda: json.dumps(ROWS)),
    "a.jsonl": as_text(lambda: "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)),
    "a.parquet": by_arrow,
}


def jobs(source: SheetSource) -> list[PlannedJob]:
    """The jobs of a sheet without problems."""
    items = list(plan(open_sheet(source), random.Random(7)))
    found = [item for item in items if isinstance(item, PlannedJob)]
    assert found == items, [item for item in items if not isinstance(item, PlannedJob)][:3]
    return found


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[PlannedJob]:
    return jobs(WRITERS["a.jsonl"](tmp_path_factory.mktemp("expected") / "a.jsonl"))


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_rows_are_the_same_jobs(tmp_path: Path, name: str, expected: list[PlannedJob]) -> None:
    """Keys, inputs, the user's own columns and all; only the lines differ."""
    found = jobs(WRITERS[name](tmp_path / name))
    assert len({job.key for job in found}) == 50
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours.key, ours.model, ours.inputs) == (theirs.key, theirs.model, theirs.inputs)
        assert (ours.columns, ours.position) == (theirs.columns, theirs.position)
        assert (ours.fingerprint, ours.pictures) == (theirs.fingerprint, theirs.pictures)


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_bytes_through_standard_input(tmp_path: Path, name: str, expected: list[PlannedJob]) -> None:
    """Known by their first bytes, without an ending."""
    source = WRITERS[name](tmp_path / name)
    copy = replace(source, path=source.path.rename(tmp_path / "sheet"), spooled=True)
    items = plan(open_sheet(copy, batch="b"), random.Random(7))
    assert [item.key for item in items if isinstance(item, PlannedJob)] == [job.key for job in expected]
