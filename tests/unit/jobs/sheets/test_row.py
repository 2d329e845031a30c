"""Rows, and how a value is shown in a report."""

import pytest

from jobs.problems import Problem
from jobs.sheets.row import Row, is_blank, refused, shown


def test_a_cell_stands_on_the_line_of_its_row_unless_it_has_its_own() -> None:
    """YAML knows the line of every value, a CSV record only where it begins."""
    row = Row(4, {"prompt": "x", "size": "2K"}, {"size": 6})
    assert (row.line_of("prompt"), row.line_of("size")) == (4, 6)


@pytest.mark.parametrize(("text", "blank"), [("", True), (" \t\u00a0\n", True), (" x ", False), ("0", False)])
def test_blank(text: str, blank: bool) -> None:
    """A cell of white space says nothing."""
    assert is_blank(text) is blank


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("plain", "plain"),
        (16, "16"),
        (["a", "b"], "a|b"),
        (("a", "b"), "a|b"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 77 + "..."),
        ("two\nlines", "two\\nlines"),
        ("\x1b[31mred\u202e", "\\x1b[31mred\\u202e"),
        ("gr\u00fcn", "gr\u00fcn"),
    ],
)
def test_a_value_is_shown_short_and_on_one_line(value: object, text: str | None) -> None:
    """No control character of a sheet reaches a terminal."""
    assert shown(value) == text


def test_a_refused_sheet_has_its_problem_and_no_row() -> None:
    """Nothing can be read in it, as often as one tries."""
    problem = Problem("a.csv", 1, None, None, "The sheet is empty.")
    opened = refused(problem)
    assert opened.problems == (problem,)
    assert opened.file == "a.csv"
    assert list(opened.rows()) == list(opened.rows()) == []
