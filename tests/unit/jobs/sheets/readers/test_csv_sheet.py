"""CSV: records, lines, quotes, and what is refused."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.problems import Problem
from jobs.sheets.readers import csv_sheet
from jobs.sheets.readers.csv_sheet import DELIMITERS, header_likeness, open_csv, open_tsv
from jobs.sheets.row import Row
from jobs.sheets.source import SheetSource

Write = Callable[[str, str | bytes], Path]


def rows(path: Path) -> list[tuple[int, dict[str, object]]]:
    """The rows of a sheet without problems."""
    opened = open_csv(SheetSource(path))
    assert opened.problems == ()
    read = list(opened.rows())
    assert all(isinstance(row, Row) for row in read)
    return [(row.line, dict(row.cells)) for row in read if isinstance(row, Row)]


def problems(path: Path) -> list[tuple[int | None, str]]:
    """Line and message of every problem of a sheet."""
    opened = open_csv(SheetSource(path))
    return [
        (item.row, item.message) for item in (*opened.problems, *opened.rows()) if isinstance(item, Problem)
    ]


def test_a_row_has_its_cells_by_the_names_of_the_header(write: Write) -> None:
    """Names lose their blanks, cells keep theirs; empty cells are absent."""
    path = write("a.csv", "id, prompt ,note\n1, a pier,\n2,b,  \n")
    assert rows(path) == [(2, {"id": "1", "prompt": " a pier"}), (3, {"id": "2", "prompt": "b"})]
    opened = open_csv(SheetSource(path))
    assert (opened.columns, opened.header_line) == (("id", "prompt", "note"), 1)


def test_rows_can_be_read_again(write: Write) -> None:
    """`check` and then `run` read the same sheet."""
    opened = open_csv(SheetSource(write("a.csv", "prompt\na\nb\n")))
    assert list(opened.rows()) == list(opened.rows())


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_an_editor_does(write: Write, end: str) -> None:
    """A record is told by the line it starts on, with line breaks inside cells counted."""
    text = end.join(["", "id,prompt", '1,"two', 'lines"', "", ",", "2,b", '3,"x', "y", 'z"', "4,d", ""])
    assert [line for line, _ in rows(write("a.csv", text))] == [3, 7, 8, 11]
    assert open_csv(SheetSource(write("a.csv", text))).header_line == 2


def test_quotes_commas_and_line_breaks_survive(write: Write) -> None:
    """A cell is sent as it is written."""
    path = write("a.csv", 'prompt,note\r\n"a ""quiet"" pier, at dawn\r\nand dusk",x\r\n')
    assert rows(path) == [(2, {"prompt": 'a "quiet" pier, at dawn\r\nand dusk', "note": "x"})]


def test_a_short_row_lacks_its_last_cells(write: Write) -> None:
    """Spreadsheets leave empty cells at the end out."""
    assert rows(write("a.csv", "id,prompt,size\n1,a\n")) == [(2, {"id": "1", "prompt": "a"})]


def test_empty_cells_beyond_the_header_do_no_harm(write: Write) -> None:
    """Spreadsheets write commas for columns that are empty from top to bottom."""
    assert rows(write("a.csv", "id,prompt,,\n1,a,,\n2,b,,,,\n")) == [
        (2, {"id": "1", "prompt": "a"}),
        (3, {"id": "2", "prompt": "b"}),
    ]


def test_a_cell_beyond_the_header_is_a_problem(write: Write) -> None:
    """Mostly a comma that needs quotes; the rows around it are read."""
    path = write("a.csv", "id,prompt\n1,a\n2,a pier, at dawn\n3,c\n")
    assert problems(path) == [(3, "The row has 3 cells, the header names 2.")]
    bad = next(item for item in open_csv(SheetSource(path)).rows() if isinstance(item, Problem))
    assert bad.value == " at dawn"
    assert "double quotes" in bad.hint


def test_a_cell_under_no_name_is_a_problem(write: Write) -> None:
    """It would be lost without a word."""
    assert problems(write("a.csv", "id,,prompt\n1,x,a\n")) == [
        (2, "This cell stands in a column without a name.")
    ]


def test_two_columns_of_one_name_are_a_problem(write: Write) -> None:
    """Told once, in the header, however often the name stands there."""
    opened = open_csv(SheetSource(write("a.csv", "prompt,note,note,note\na,x,y,z\n")))
    (problem,) = opened.problems
    assert (problem.row, problem.column, problem.message) == (1, "note", "Two columns have this name.")
    assert opened.columns == ("prompt", "note")


@pytest.mark.parametrize(
    ("text", "row", "message"),
    [
        ("", 1, "The sheet is empty."),
        ("\n , \n", 1, "The sheet is empty."),
        ("sku;title\n1;a\n", 1, "No column of the header is known."),
        ("A lighthouse,2K\n", 1, "No column of the header is known."),
        ("\nlighthouse\n", 2, "No column of the header is known."),
        ('id,"prompt\n1,a\n', 1, "A double quote is opened here and never closed."),
        (b"id,\xfc\n", 1, "The line is not UTF-8: byte 0xFC at 4."),
    ],
)
def test_a_sheet_without_a_header_is_refused(write: Write, text: str | bytes, row: int, message: str) -> None:
    """Nothing below it could be understood, so no row is read."""
    opened = open_csv(SheetSource(write("a.csv", text)))
    (problem,) = opened.problems
    assert (problem.row, problem.message) == (row, message)
    assert problem.hint
    assert list(opened.rows()) == []


def test_a_misspelt_name_still_makes_a_header(write: Write) -> None:
    """One slip is told as a slip, not as a missing header."""
    assert rows(write("a.csv", "promt\na\n")) == [(2, {"promt": "a"})]


def test_a_quote_that_is_not_doubled_is_told_and_the_next_line_is_read(write: Write) -> None:
    """Every such record is told, not only the first."""
    path = write("a.csv", 'prompt\n"a "quiet" pier"\nb\n"c" d\ne\n')
    message = "After a closing quote there must be a comma or the end of the line."
    assert problems(path) == [(2, message), (4, message)]
    read = open_csv(SheetSource(path)).rows()
    assert [row.cells["prompt"] for row in read if isinstance(row, Row)] == ["b", "e"]


def test_an_unclosed_quote_is_told_where_it_opens(write: Write) -> None:
    """What came before it is read."""
    path = write("a.csv", 'prompt\na\n"b\nc\nd\n')
    assert problems(path) == [(3, "A double quote is opened here and never closed.")]


def test_a_cell_beyond_the_limit_ends_the_reading(write: Write) -> None:
    """An unclosed quote does not swallow a sheet of any size; the limit itself passes."""
    limit = csv_sheet.LARGEST_CELL
    assert len(rows(write("a.csv", "prompt\n" + "x" * limit + "\n"))) == 1
    path = write("a.csv", 'prompt\na\n"' + "x\n" * limit + '"\nb\n')
    assert problems(path) == [(3, "A cell has more than 1,000,000 characters.")]


def test_the_limit_holds_whatever_was_set_before(write: Write) -> None:
    """The csv module's limit belongs to the process; a sheet does not depend on what others made of it."""
    before = csv.field_size_limit(10)
    try:
        assert rows(write("a.csv", "prompt\n" + "x" * 200_000 + "\n"))
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        (b"M\xfcller\n", "The line is not UTF-8: byte 0xFC at 2."),
        (b"a\0\n", "A NUL character: this is not a text file."),
    ],
)
def test_bad_bytes_are_told_with_their_line(write: Write, tail: bytes, message: str) -> None:
    """The reading ends there."""
    assert problems(write("a.csv", b"prompt\na\n" + tail)) == [(3, message)]


def test_utf_16_is_read(write: Write) -> None:
    """With its mark, as Excel writes it."""
    assert rows(write("a.csv", "prompt\n\u6d77\n".encode("utf-16"))) == [(2, {"prompt": "\u6d77"})]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_header_shows_what_stands_between_the_cells(write: Write, mark: str) -> None:
    """Whatever the spreadsheet's country writes; marks inside quotes are not counted."""
    others = "".join({",", ";", "\t", "|"} - {mark}) * 5
    header = mark.join(["id", "prompt", f'"{others}"', "size"])
    path = write("a.csv", f"{header}\r\n1{mark}a{mark}{mark}2K\r\n")
    assert rows(path) == [(2, {"id": "1", "prompt": "a", "size": "2K"})]


def test_a_header_of_one_column_needs_no_mark(write: Write) -> None:
    """Then commas in a prompt are told as what they are."""
    assert rows(write("a.csv", "prompt\na; b | c\n")) == [(2, {"prompt": "a; b | c"})]
    assert problems(write("a.csv", "prompt\na, b\n")) == [(2, "The row has 2 cells, the header names 1.")]


def test_a_name_with_a_mark_in_it_may_span_lines(write: Write) -> None:
    """The header is a record like every other."""
    path = write("a.csv", 'id;"my; note,\nlong";prompt\n1;n;a\n')
    assert rows(path) == [(3, {"id": "1", "my; note,\nlong": "n", "prompt": "a"})]


def test_excel_s_own_line_about_it_is_obeyed(write: Write) -> None:
    """It is no header, and counts as a line."""
    path = write("a.csv", "\ufeffsep=;\r\nid;prompt\r\n1;a, b\r\n")
    assert rows(path) == [(3, {"id": "1", "prompt": "a, b"})]
    assert open_csv(SheetSource(path)).header_line == 2


def test_the_mark_is_named_in_what_is_told(write: Write) -> None:
    """By its name: a tab is not to be seen."""
    path = write("a.csv", 'id;prompt\n"1"x;a\n1;a;b\n')
    first, second = [item for item in open_csv(SheetSource(path)).rows() if isinstance(item, Problem)]
    assert first.message == "After a closing quote there must be a semicolon or the end of the line."
    assert second.hint == "A cell with a semicolon in it must stand in double quotes."


def test_a_tsv_sheet_has_tabs_whatever_its_header_looks_like(write: Write) -> None:
    """Its ending says so."""
    (row,) = open_tsv(SheetSource(write("a.tsv", "prompt\tsize\na, b\t2K\n"))).rows()
    assert isinstance(row, Row)
    assert row.cells == {"prompt": "a, b", "size": "2K"}
    assert open_tsv(SheetSource(write("b.tsv", "id,prompt\n1,a\n"))).problems


def test_another_encoding_is_read_where_it_was_named(write: Write) -> None:
    """And the line is told that is not in it."""
    path = write("a.csv", "prompt\nM\u00fcller \u20ac\n".encode("cp1252"))
    assert problems(path) == [(2, "The line is not UTF-8: byte 0xFC at 2.")]
    opened = open_csv(SheetSource(path, encoding="cp1252"))
    assert [row.cells for row in opened.rows() if isinstance(row, Row)] == [{"prompt": "M\u00fcller \u20ac"}]
    (bad,) = open_csv(SheetSource(write("a.csv", b"prompt\na\n\x81\n"), encoding="cp1252")).problems
    assert (bad.row, bad.message) == (3, "The line is not cp1252: byte 0x81 at 1.")


@pytest.mark.parametrize(
    ("header", "known", "near"),
    [
        (["id", " prompt ", "note"], 2, 2),
        (["promt", "note"], 0, 1),
        (["id;prompt;size"], 0, 0),
        ([], 0, 0),
        (["A pier, at dawn"], 0, 0),
    ],
)
def test_names_count_and_near_misses_after_them(header: list[str], known: int, near: int) -> None:
    """Cells that mean nothing do not: a prompt has commas, too."""
    assert header_likeness(header)[:2] == (known, near)


def test_a_comma_comes_first_where_nothing_tells() -> None:
    """A sheet of one column is the common case of that."""
    assert next(iter(DELIMITERS)) == ","
