"""What may be a request_id: whatever stands in one segment of a path, percent-encoded."""

import pytest

from runner.providers.runcomfy.responses import is_request_id


@pytest.mark.parametrize(
    "text",
    ["abc-1_Z", "req.3f2b", "req:3f2b", "a~b", "a" * 128, "ä", "a b", "a?b", "a%2F", "0", "..."],
)
def test_an_id(text: str) -> None:
    """Other characters are encoded: an id that was paid for is not given up for its spelling."""
    assert is_request_id(text)


@pytest.mark.parametrize(
    "text", ["", " ", " a", "a ", "a\n", "a\tb", "\ud800", ".", "..", "a/b", "../x", "a\\b", "a" * 129]
)
def test_no_id(text: str) -> None:
    """What cannot be encoded, or leads to another path; the table holds 128 characters."""
    assert not is_request_id(text)
