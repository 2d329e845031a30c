"""XLSX: what a person sees in a worksheet is what is read."""

import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from openpyxl import Workbook

from jobs.errors import UsageProblem
from jobs.problems import Problem
from jobs.sheets import open_sheet
from jobs.sheets.readers import xlsx_sheet
from jobs.sheets.readers.xlsx_sheet import open_xlsx
from jobs.sheets.row import Row
from jobs.sheets.source import SheetSource

Fill = Callable[[Any], None]


def written(folder: Path, rows: list[list[Any]], **more: list[list[Any]]) -> Path:
    """A workbook by openpyxl; each further worksheet by its name."""
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    for name, contents in more.items():
        sheet = book.create_sheet(name)
        for row in contents:
            sheet.append(row)
    path = folder / "a.xlsx"
    book.save(path)
    return path


def rows(path: Path, worksheet: str | None = None) -> list[tuple[int, dict[str, object]]]:
    """The rows of a worksheet without problems."""
    opened = open_xlsx(SheetSource(path, worksheet=worksheet))
    assert opened.problems == ()
    read = list(opened.rows())
    assert all(isinstance(row, Row) for row in read), read
    return [(row.line, dict(row.cells)) for row in read if isinstance(row, Row)]


def problems(path: Path) -> list[tuple[int | None, str | None, str | None, str]]:
    """Row, column, value and message of every problem."""
    opened = open_xlsx(SheetSource(path))
    found = [item for item in (*opened.problems, *opened.rows()) if isinstance(item, Problem)]
    return [(item.row, item.column, item.value, item.message) for item in found]


def test_rows_are_numbered_as_the_spreadsheet_shows_them(tmp_path: Path) -> None:
    """Blank rows above, between and below are counted and not read."""
    path = written(tmp_path, [[], ["id", "prompt"], [], ["a", "a pier"], [None, " "], ["b", "two\nlines"]])
    assert rows(path) == [
        (4, {"id": "a", "prompt": "a pier"}),
        (6, {"id": "b", "prompt": "two\nlines"}),
    ]
    assert open_xlsx(SheetSource(path)).header_line == 2


def test_cells_are_read_as_they_are_shown(tmp_path: Path) -> None:
    """Numbers, dates and truth, by another writer with its formats and shared strings."""
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["prompt", "count", "sku", "due", "done", "share"])
        sheet.write(1, 0, "a pier")
        sheet.write(1, 1, 3.0)
        sheet.write(1, 2, 7, book.add_format({"num_format": "000"}))
        sheet.write(1, 3, datetime(2026, 3, 4), book.add_format({"num_format": "dd.mm.yyyy"}))
        sheet.write(1, 4, True)
        sheet.write(1, 5, 0.5, book.add_format({"num_format": "0%"}))
    expected = {"prompt": "a pier", "count": "3", "sku": "007", "due": "2026-03-04", "done": "TRUE"}
    assert rows(path) == [(2, {**expected, "share": "50%"})]


def test_a_formula_counts_by_its_last_value(tmp_path: Path) -> None:
    """Also where that is an empty text; one that was never calculated is told, and so is an error."""
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["prompt", "count", "note"])
        sheet.write_formula(1, 0, '="a "&"pier"', value="a pier")
        sheet.write_formula(1, 1, "=1+2", value=3)
        sheet.write_formula(1, 2, '=""', value="EMPTY")
        sheet.write(2, 0, "b")
        sheet.write_formula(2, 1, "=1/0", value="#DIV/0!")
    part = "xl/worksheets/sheet1.xml"  # as Excel writes an empty text; this library cannot
    with zipfile.ZipFile(path) as archive:
        as_excel = archive.read(part).replace(b"<v>EMPTY</v>", b"<v></v>")
    changed(path, part, by=as_excel)
    opened = open_xlsx(SheetSource(path))
    first, problem, second = opened.rows()
    assert isinstance(first, Row)
    assert first.cells == {"prompt": "a pier", "count": "3"}
    assert isinstance(problem, Problem)
    assert (problem.row, problem.column, problem.value) == (3, "count", "#DIV/0!")
    assert isinstance(second, Row)
    assert (second.cells, second.refused) == ({"prompt": "b"}, {"count"})
    never = written(tmp_path, [["prompt", "count"], ["a", "=1+2"], ["b", 3]])
    assert problems(never) == [(2, "count", "=1+2", "The cell has a formula that was never calculated.")]


def test_a_date_that_is_none_is_told(tmp_path: Path) -> None:
    """A spreadsheet shows it as #####."""
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["prompt", "due"])
        sheet.write(1, 0, "a")
        sheet.write(1, 1, 1e12, book.add_format({"num_format": "yyyy-mm-dd"}))
    assert problems(path) == [(2, "due", "#VALUE!", "The cell shows an error.")]


def test_a_worksheet_is_chosen_by_its_name(tmp_path: Path) -> None:
    """Else the first; a batch remembers which, unless it is that one."""
    path = written(tmp_path, [["prompt"], ["a"]], Monday=[["prompt"], ["m"]], Notes=[["x"]])
    assert rows(path) == rows(path, "sheet") == [(2, {"prompt": "a"})]
    assert rows(path, " monday ") == [(2, {"prompt": "m"})]
    place = str(path.resolve())
    for name, remembered in ((None, place), ("Sheet", place), ("monday", f"{place}#Monday")):
        assert open_sheet(SheetSource(path, worksheet=name)).place == remembered


@pytest.mark.parametrize(
    ("name", "hint"), [("Mondya", "Did you mean Monday?"), ("x", "It has Sheet, Monday.")]
)
def test_a_worksheet_that_is_not_there_is_a_usage_problem(tmp_path: Path, name: str, hint: str) -> None:
    """With the ones that are."""
    path = written(tmp_path, [["prompt"], ["a"]], Monday=[["prompt"]])
    with pytest.raises(UsageProblem, match=f"no worksheet {name}") as caught:
        open_xlsx(SheetSource(path, worksheet=name))
    assert caught.value.hint == hint


def test_the_first_worksheet_is_the_first_that_can_be_seen(tmp_path: Path) -> None:
    """A hidden one is read where it is named."""
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        hidden = book.add_worksheet("Lists")
        hidden.write_column(0, 0, ["prompt", "hidden"])
        shown = book.add_worksheet("Jobs")
        shown.write_column(0, 0, ["prompt", "shown"])
        shown.set_first_sheet()
        shown.activate()
        hidden.hide()
    assert rows(path) == [(2, {"prompt": "shown"})]
    assert rows(path, "Lists") == [(2, {"prompt": "hidden"})]


def test_cells_beyond_the_header_are_told(tmp_path: Path) -> None:
    """As in CSV; empty ones do no harm, however far out they are formatted."""
    path = written(tmp_path, [["prompt", None, "note"], ["a", " ", None], ["b", "x", "y"]])
    assert problems(path) == [(3, None, "x", "This cell stands in a column without a name.")]
    path = written(tmp_path, [["prompt"], ["a", "x"], ["a", " "]])
    assert problems(path) == [(2, None, "x", "The row has 2 cells, the header names 1.")]


def changed(path: Path, part: str, **replacements: bytes) -> Path:
    """The same workbook with something else in one of its parts."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = replacements["by"]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
FIRST = b'<row r="1"><c r="A1" t="inlineStr"><is><t>prompt</t></is></c></row>'


@pytest.mark.parametrize(
    "body",
    [
        b"<sheetData>",
        b'<sheetData><row r="x"/></sheetData></worksheet>',
        b'<sheetData><row r="1"><c r="A1" t="s"><v>999</v></c></row></sheetData></worksheet>',
        b'<sheetData><row r="1"><c r="AAAAAAAA1"><v>1</v></c></row></sheetData></worksheet>',
        b'<sheetData><row r="1"><c r="A1"><v>one</v></c></row></sheetData></worksheet>',
    ],
)
def test_a_worksheet_that_is_none_is_one_problem(tmp_path: Path, body: bytes) -> None:
    """Whatever the reader stumbles over."""
    path = changed(written(tmp_path, [["prompt"], ["a"]]), "xl/worksheets/sheet1.xml", by=HEAD + body)
    (problem,) = open_xlsx(SheetSource(path)).problems
    assert problem.message.startswith("The workbook cannot be read: ")
    assert "save it again" in problem.hint


def test_what_comes_before_the_damage_is_read(tmp_path: Path) -> None:
    """And the damage is told in its place."""
    many = b"".join(
        b'<row r="%d"><c r="A%d" t="inlineStr"><is><t>a</t></is></c></row>' % (number, number)
        for number in range(2, 5000)
    )
    body = HEAD + b'<dimension ref="A1"/><sheetData>' + FIRST + many + b"<row"
    path = changed(written(tmp_path, [["prompt"], ["a"]]), "xl/worksheets/sheet1.xml", by=body)
    *read, problem = open_xlsx(SheetSource(path)).rows()
    assert len(read) > 100
    assert isinstance(problem, Problem)


def test_a_row_number_that_no_spreadsheet_has_ends_the_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand million empty rows are not counted up to it."""
    monkeypatch.setattr(xlsx_sheet, "LAST_ROW", 1000)
    far = b'<row r="999999999"><c r="A999999999"><v>1</v></c></row>'
    body = HEAD + b"<sheetData>" + FIRST + far + b"</sheetData></worksheet>"
    path = changed(written(tmp_path, [["prompt"], ["a"]]), "xl/worksheets/sheet1.xml", by=body)
    assert rows(path) == []


def test_what_the_file_says_about_its_own_size_is_not_believed(tmp_path: Path) -> None:
    """Neither too much nor too little."""
    for size in (b"A1:XFD1048576", b"A1"):
        row = b'<row r="2"><c r="A2" t="inlineStr"><is><t>a</t></is></c></row>'
        body = (
            HEAD + b'<dimension ref="' + size + b'"/><sheetData>' + FIRST + row + b"</sheetData></worksheet>"
        )
        path = changed(written(tmp_path, [["prompt"], ["a"]]), "xl/worksheets/sheet1.xml", by=body)
        assert rows(path) == [(2, {"prompt": "a"})]


def test_a_style_that_is_not_there_is_none(tmp_path: Path) -> None:
    """The value is there all the same."""
    row = b'<row r="2"><c r="A2" s="999"><v>3</v></c></row>'
    body = HEAD + b"<sheetData>" + FIRST + row + b"</sheetData></worksheet>"
    path = changed(written(tmp_path, [["prompt"], ["a"]]), "xl/worksheets/sheet1.xml", by=body)
    assert rows(path) == [(2, {"prompt": "3"})]


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    """Ten lines of them could fill the memory."""
    entities = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    path = written(tmp_path, [["prompt"], ["a"]])
    body = entities + HEAD + b"<sheetData>" + FIRST + b"</sheetData></worksheet>"
    for part in ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "[Content_Types].xml"):
        (problem,) = open_xlsx(SheetSource(changed(path, part, by=body))).problems
        assert "cannot be read" in problem.message


@pytest.mark.parametrize("data", [b"", b"id,prompt\na,b\n", b"\xd0\xcf\x11\xe0 an old .xls"])
def test_another_file_under_this_name_is_told(tmp_path: Path, data: bytes) -> None:
    """With a way out."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(data)
    (problem,) = open_xlsx(SheetSource(path)).problems
    assert problem.message == "This is not a workbook (.xlsx): it is no zip archive."


def test_a_workbook_that_is_gone_is_told(tmp_path: Path) -> None:
    """Between being found and being read, or between being read and being read again."""
    path = written(tmp_path, [["prompt"], ["a"]])
    opened = open_xlsx(SheetSource(path))
    path.unlink()
    (problem,) = opened.rows()
    assert isinstance(problem, Problem)
    assert "No such file" in problem.message
    assert open_xlsx(SheetSource(path)).problems
