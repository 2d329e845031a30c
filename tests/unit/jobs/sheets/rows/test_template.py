"""`{name}` in an input."""

import pytest

from jobs.sheets.row import Cell
from jobs.sheets.rows.template import fill

COLUMNS = frozenset({"animal", "place", "urls", "a b"})
CELLS: dict[str, Cell] = {"animal": "fox", "place": "a {animal} den", "urls": ("u", "v")}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("a {animal}", "a fox"),
        ("{animal}{animal}", "foxfox"),
        ("in {place}", "in a {animal} den"),
        ("{urls}", "u|v"),
        ("{unknown}", "{unknown}"),
        ("{ animal }", "{ animal }"),
        ("{{animal}}", "{fox}"),
        ('{"json": 1} {} {', '{"json": 1} {} {'),
        ("none", "none"),
    ],
)
def test_only_columns_are_replaced(text: str, filled: str) -> None:
    """Every other brace is sent as it is written, and what is put in is not looked at again."""
    assert fill(text, COLUMNS, CELLS) == (filled, ())


def test_an_empty_cell_is_told() -> None:
    """A column that this row leaves empty leaves a gap, and is named for each gap."""
    assert fill("a {a b} and {a b}", COLUMNS, CELLS) == ("a  and ", ("a b", "a b"))


def test_a_hostile_text_is_searched_in_reasonable_time() -> None:
    """Braces that never close do not send the search back and forth."""
    text = "{a" * 300_000
    assert fill(text, COLUMNS, CELLS) == (text, ())
