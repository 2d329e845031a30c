"""What a batch may be called."""

import pytest

from jobs.sheets.batch_name import why_not_a_batch_name


@pytest.mark.parametrize("name", ["first-night", "Montag 3", "\u591c", "x" * 100, ".hidden", "a..b"])
def test_what_a_batch_may_be_called(name: str) -> None:
    """What the user wrote is kept."""
    assert why_not_a_batch_name(name) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("x" * 101, "101 characters"),
        ("a/b", "slash"),
        ("a\\b", "slash"),
        ("..", "dots"),
        (".", "dots"),
        ("a\tb", "printed"),
        ("a\x00b", "printed"),
    ],
)
def test_what_a_batch_cannot_be_called(name: str, reason: str) -> None:
    """A name that could not be a folder's."""
    assert reason in (why_not_a_batch_name(name) or "")
