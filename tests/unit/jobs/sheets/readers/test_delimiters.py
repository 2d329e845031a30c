"""What makes a record look like a header."""

import pytest

from jobs.sheets.readers.delimiters import DELIMITERS, header_likeness


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
    assert header_likeness(header) == (known, near)


def test_a_comma_comes_first_where_nothing_tells() -> None:
    """A sheet of one column is the common case of that."""
    assert next(iter(DELIMITERS)) == ","
