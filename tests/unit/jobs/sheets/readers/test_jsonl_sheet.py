"""JSONL: one object a line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.problems import Problem
from jobs.sheets.readers.jsonl_sheet import open_jsonl
from jobs.sheets.row import Row
from jobs.sheets.source import SheetSource

Write = Callable[[str, str | bytes], Path]


def read(path: Path) -> list[Row | Problem]:
    """Everything a sheet holds."""
    opened = open_jsonl(SheetSource(path))
    assert opened.problems == ()
    return list(opened.rows())


def test_values_come_down_to_text(write: Write) -> None:
    """Numbers keep their digits, `true` its letters, lists their items; null and blank are absent."""
    path = write(
        "a.jsonl",
        '{"prompt": "a", "count": 3, "seed": 3.0, "flag": true, "off": false, "size": null, "note": " "}\n'
        '\n  {"images": ["u", 1, true], "seed": -99999999999999999999999999, "empty": []}  \r\n',
    )
    first, second = read(path)
    assert first == Row(1, {"prompt": "a", "count": "3", "seed": "3.0", "flag": "true", "off": "false"})
    assert second == Row(3, {"images": ("u", "1", "true"), "seed": "-99999999999999999999999999"})


def test_columns_are_those_of_all_rows(write: Write) -> None:
    """A row may refer to a column that it leaves out; so the whole sheet is looked at first."""
    opened = open_jsonl(SheetSource(write("a.jsonl", '{"b": 1}\nnonsense\n{"a": null, "b": 2}\n')))
    assert (opened.columns, opened.header_line) == (("b", "a"), None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"a": 1', "This line is not JSON: Expecting ',' delimiter, at character 8."),
        ("  x", "This line is not JSON: Expecting value, at character 3."),
        ('{"a": 1} {"b": 2}', "This line is not JSON: Extra data, at character 10."),
        ("[1]", "Each line is one object: { ... }."),
        ('"a"', "Each line is one object: { ... }."),
        ("null", "Each line is one object: { ... }."),
        ('{"a": 1, "a": 2}', "The name a appears twice here."),
        ('{"a": {"b": 1, "b": 1}}', "The name b appears twice here."),
        ('{"a": NaN}', "NaN is not JSON."),
        ('{"a": -Infinity}', "-Infinity is not JSON."),
        ('{"": 1}', "The name of a column is empty."),
        ('{" ": 1}', "The name of a column is empty."),
        ('{"a\\u0000": 1}', "The text holds a NUL character."),
        ('{"\\ud800": 1}', "The text holds half a character (a lone surrogate)."),
        ("[" * 200_000, "This line is nested too deeply."),
    ],
)
def test_a_line_that_is_no_job_is_told(write: Write, line: str, message: str) -> None:
    """With its number; the lines around it are read."""
    before, problem, after = read(write("a.jsonl", f'{{"id": 1}}\n{line}\n{{"id": 3}}\n'))
    assert (before, after) == (Row(1, {"id": "1"}), Row(3, {"id": "3"}))
    assert isinstance(problem, Problem)
    assert (problem.row, problem.message) == (2, message)
    assert problem.value is not None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('{"x": 1}', "An object cannot stand here: a text, a number or a list is needed."),
        ('["a", ["b"]]', "A list holds texts only: none of them empty, no lists, no objects."),
        ('["a", {}]', "A list holds texts only: none of them empty, no lists, no objects."),
        ('["a", null]', "A list holds texts only: none of them empty, no lists, no objects."),
        ('["a", " "]', "A list holds texts only: none of them empty, no lists, no objects."),
        ('"a\\u0000"', "The text holds a NUL character."),
        ('["a\\udfff"]', "The text holds half a character (a lone surrogate)."),
    ],
)
def test_a_value_that_is_no_cell_is_told(write: Write, value: str, message: str) -> None:
    """With its column; the other cells of the row are read, and the row knows what could not be."""
    problem, row = read(write("a.jsonl", f'{{"images": {value}, "prompt": "x"}}'))
    assert isinstance(problem, Problem)
    assert (problem.row, problem.column, problem.message) == (1, "images", message)
    assert row == Row(1, {"prompt": "x"}, refused={"images"})


@pytest.mark.parametrize(
    ("data", "row"), [(b'{"a": 1}\n{"a": "\xfc"}\n', 2), (b'{"a": 1}\n\0\n', 2), (b"\xff\xfe\0", None)]
)
def test_bad_bytes_end_the_reading(write: Write, data: bytes, row: int | None) -> None:
    """They are told once, with their line where there is one."""
    problem: Any = read(write("a.jsonl", data))[-1]
    assert isinstance(problem, Problem)
    assert problem.row == row
    assert "UTF-8" in problem.hint


def test_an_empty_file_has_no_row(write: Write) -> None:
    """Whether that is a problem is not the reader's to say."""
    assert read(write("a.jsonl", " \n\n")) == []
