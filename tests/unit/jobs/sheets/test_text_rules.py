"""Texts and names that were written with escapes."""

import pytest

from jobs.sheets.text_rules import why_not_name, why_not_text


@pytest.mark.parametrize("text", ["", "plain", "\u6d77", "\U0001f98a", "two\nlines"])
def test_text_that_can_be_sent(text: str) -> None:
    """Everything that has a UTF-8 form, NUL aside."""
    assert why_not_text(text) is None


@pytest.mark.parametrize(
    ("text", "reason"), [("a\0", "NUL"), ("\ud83d", "half a character"), ("\udc00x", "half")]
)
def test_text_that_cannot_be_sent(text: str, reason: str) -> None:
    """What a file cannot hold, an escape can make."""
    assert reason in (why_not_text(text) or "")
    assert reason in (why_not_name(text) or "")


def test_a_name_says_something() -> None:
    """A column without a name could not be told apart."""
    assert why_not_name(" \t") == "The name of a column is empty."
    assert why_not_name("note") is None
