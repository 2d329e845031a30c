"""Rows of cells."""

import pytest

from jobs.problems import Location
from jobs.sheets.row import Row, is_blank


def test_a_cell_stands_on_the_line_of_its_row_unless_it_has_its_own() -> None:
    """YAML knows the line of every value, a CSV record only where it begins."""
    row = Row(4, {"prompt": "x", "size": "2K"}, {"size": 6})
    assert (row.line_of("prompt"), row.line_of("size")) == (4, 6)


def test_a_cell_that_another_file_holds_is_located_there() -> None:
    """A prompt from a text file has its line in that file; every other cell is in the sheet."""
    row = Row(4, {"prompt": "x", "size": "2K"}, {"prompt": 9, "size": 6}, files={"prompt": "ideas.txt"})
    assert row.at("a.yaml", "prompt") == Location("ideas.txt", 9, "prompt", "x")
    assert row.at("a.yaml", "size") == Location("a.yaml", 6, "size", "2K")
    assert row.at("a.yaml", "seed") == Location("a.yaml", 4, "seed", None)


@pytest.mark.parametrize(("text", "blank"), [("", True), (" \t\u00a0\n", True), (" x ", False), ("0", False)])
def test_blank(text: str, blank: bool) -> None:
    """A cell of white space says nothing."""
    assert is_blank(text) is blank
