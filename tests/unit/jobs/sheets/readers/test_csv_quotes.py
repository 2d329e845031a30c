"""CSV: quotes that do not quote, cells that go over several lines, headers in the middle."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.problems import Problem
from jobs.sheets.readers.csv_sheet import open_csv, open_tsv, written_records
from jobs.sheets.row import Row
from jobs.sheets.source import SheetSource

Write = Callable[[str, str | bytes], Path]


def rows(path: Path) -> list[Row | Problem]:
    """What the sheet holds."""
    opened = (open_tsv if path.suffix == ".tsv" else open_csv)(SheetSource(path))
    return [*opened.problems, *opened.rows()]


def problems(path: Path) -> list[tuple[int | None, str | None]]:
    """Line and column of every problem."""
    return [(item.row, item.column) for item in rows(path) if isinstance(item, Problem)]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('id, prompt\n1, "An owl"\n2, An elk\n', [(2, "prompt")]),
        ('prompt,note\n "A swan, asleep"\n', [(2, "prompt")]),
        ('id;prompt;note\n1;\t"A hare";x\n', [(2, "prompt")]),
        ('id, "prompt"\n1,An owl\n', [(1, '"prompt"')]),
        ("id,prompt,note\n1,\u201cA red barn, at dusk\u201d\n", [(2, "prompt")]),
        ("id,prompt,note\n1,\u00abA red barn, at dusk\u00bb,x\n", [(2, "prompt")]),
        ("id,prompt,note\n1,'A red barn, at dusk',\n", [(2, "prompt")]),
        ('id,prompt,note\n"1","\'Tis snow","the dogs\'"\n', []),
        ("id,prompt,note\n1,'A red barn',\u201cx\u201d\n2,It's a dog's life,'tis\n", []),
        ('id,prompt\n1," ""HELLO"" in neon"\n2,"x, ""y"", z"\n3,a 12" record\n', []),
    ],
)
def test_quotes_that_keep_nothing_together_are_told(
    write: Write, text: str, where: list[tuple[int, str]]
) -> None:
    """The cell would be cut at the next comma, or sent with the quotes in it."""
    assert problems(write("a.csv", text)) == where


def test_a_row_that_becomes_too_wide_is_told_by_its_cause(write: Write) -> None:
    """Not by the number of its cells."""
    (problem,) = rows(write("a.csv", 'id,prompt\n1, "An owl, at night"\n'))[:1]
    assert isinstance(problem, Problem)
    assert "space before the quote" in problem.message


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        # An inch sign closes what an open quote began rows before.
        ('prompt\nA fox\n"An owl\nA hare\na frame of 12"\nAn elk\n', [3]),
        ('prompt\n"An owl\nA hare 12"\n', [2]),
        ('prompt\n"One\ntwo"\n"Three\nfour"\n', []),
        ('prompt\nA fox\n"One\ntwo"\n"Three\nfour"\nAn elk\n', []),
        ('"pro\nmpt",prompt\nx,A fox\n', []),
        ('prompt\n"One\ntwo"\n\nAn elk\n', [2]),
        ('prompt,note\n"One\ntwo",x\n"bad" x\nAn elk\n', [2]),
    ],
)
def test_a_cell_over_several_lines_is_told_where_its_neighbours_have_one(
    write: Write, text: str, warned: list[int]
) -> None:
    """Where others have several as well, that is how this sheet is written."""
    found = rows(write("a.csv", text))
    assert [item.line for item in found if isinstance(item, Row) and item.warnings] == warned
    for item in found:
        if isinstance(item, Row) and item.warnings:
            assert "double quote left open" in item.warnings[0]


def test_the_lines_of_a_long_cell_are_named(write: Write) -> None:
    """So that one finds the open quote."""
    _, row, _ = rows(write("a.csv", 'prompt\nA fox\n"An owl\nA hare\na frame of 12"\nAn elk\n'))
    assert isinstance(row, Row)
    assert "over lines 3 to 5" in row.warnings[0]


def test_the_sign_that_a_cell_is_text_is_taken_off(write: Write) -> None:
    """Excel users write it to keep leading zeros."""
    text = 'id,prompt,note\n"=""007""","=""An owl, ""awake""""",x\n="008",An elk,="A1"&B\n'
    first, second = rows(write("a.csv", text))
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert first.cells["id"] == "007"
    assert (second.cells["id"], second.cells["note"]) == ("008", '="A1"&B')


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("prompt\nA fox\nprompt\nAn elk\n", [3]),
        ("id,prompt,Image Size\n1,A fox,\nID,Prompt,image_size\n", [3]),
        ("prompt,note\nA fox,x\nprompt,\nnote,\nnote,x\n", [3]),
        ("prompt\nprompter\nPROMPT!\n", []),
    ],
)
def test_the_header_once_more_is_told(write: Write, text: str, lines: list[int]) -> None:
    """Two sheets that were put together, and no job."""
    found = rows(write("a.csv", text))
    assert [item.row for item in found if isinstance(item, Problem)] == lines


def test_the_end_mark_of_an_old_file_is_no_row(write: Write) -> None:
    """^Z; elsewhere it is a character like any other."""
    assert len(rows(write("a.csv", "prompt\r\nA fox\r\n\x1a"))) == 1
    (row,) = rows(write("b.csv", "prompt\nA fox\x1a"))
    assert isinstance(row, Row)
    assert row.cells == {"prompt": "A fox"}
    assert len(rows(write("c.csv", "prompt\n\x1a\nA fox\n"))) == 2


def test_tabs_need_no_quotes(write: Write) -> None:
    """What a program without quotes wrote is read line by line, if every line has the header's tabs."""
    path = write(
        "a.tsv", 'prompt\tkind\n"L O U D" sign over a bar\tx\nAn "old" elk\ty\n"An owl, ""awake"""\tz\n'
    )
    assert [item.cells["prompt"] for item in rows(path) if isinstance(item, Row)] == [
        '"L O U D" sign over a bar',
        'An "old" elk',
        'An owl, "awake"',
    ]
    assert problems(path) == []
    assert [cells[1:] for _, cells, _ in written_records(SheetSource(path), tabs=True)] == [
        ["kind"],
        ["x"],
        ["y"],
        ["z"],
    ]
    assert problems(write("b.tsv", 'prompt\tkind\n"A" b\tx\ty\n')) == [(2, None)]
    assert problems(write("c.csv", 'prompt,kind\n"A" b,x\n')) == [(2, None)]


def test_lines_that_one_open_quote_swallowed_are_read_one_by_one(write: Write) -> None:
    """As far as the quote that could not close it."""
    text = 'prompt\tkind\n"A hare\tx\nAn elk\ty\nAn "owl" asleep\tz\nA fox\tw\n'
    assert [item.line for item in rows(write("a.tsv", text)) if isinstance(item, Row)] == [2, 3, 4, 5]
