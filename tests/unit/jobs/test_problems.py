"""Problems, the places they are reported at, and excerpts of values."""

import pytest

from jobs.problems import Problem, at, excerpt


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
    assert excerpt(value) == text


def test_a_problem_has_all_that_its_place_knows() -> None:
    """A file alone, a line in it, a cell of that line."""
    assert at("a.csv").problem("Unreadable.") == Problem("a.csv", None, None, None, "Unreadable.", "")
    assert at("a.csv", 3).problem("Too long.", "Cut it.") == Problem(
        "a.csv", 3, None, None, "Too long.", "Cut it."
    )
    found = at("a.csv", 3, column="size", value="huge").problem("No such size.")
    assert found == Problem("a.csv", 3, "size", "huge", "No such size.")


def test_names_and_values_of_a_sheet_are_quoted_as_excerpts() -> None:
    """Whoever reports a problem need not think of it."""
    found = at("a.csv", 3, column="si\nze", value=("a", "\x1b" + "x" * 100)).problem("Odd.")
    assert (found.column, found.value) == ("si\\nze", excerpt(("a", "\x1b" + "x" * 100)))
