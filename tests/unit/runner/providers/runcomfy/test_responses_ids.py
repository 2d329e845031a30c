"""A request_id out of an answer: what is one, and what is left of one where the answer broke off."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from runner.http.replies import Answer
from runner.providers.runcomfy.responses import is_request_id, read, request_id_of

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


def answer(body: Any, *, complete: bool = True) -> Answer:
    """An answer; a body that is not bytes is sent as JSON."""
    return Answer(200, {}, body if isinstance(body, bytes) else json.dumps(body).encode(), complete)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("3f2b-77_A", "3f2b-77_A"),
        ("a" * 128, "a" * 128),
        (12345, "12345"),
        (0, "0"),
        *((odd, None) for odd in ("", "a" * 129, "a/b", "..", "a b", "a\n", "ä", "a?b", "a%2F", "\ud800")),
        *((odd, None) for odd in (None, True, -1, 1.5, [], ["a"], {"id": "a"}, 10**128)),
    ],
)
def test_request_ids(given: Any, kept: str | None) -> None:
    """What goes into a path is letters, digits, `_` and `-`; a number is written out."""
    document = {"request_id": given}
    assert request_id_of(answer(document), document) == kept


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{"request_id": "abc", "status_url": "https://exam', "abc"),
        (b'{"request_id":"abc"', "abc"),
        (b' {"a": 1, "request_id" : "abc", "b": [1, ', "abc"),
        (b'{"request_id": "abc", "x": {"request_id": "abc"', "abc"),
        (b'{"request_id": "ab', None),
        (b'{"request_id": "a/b", "status', None),
        (b'{"request_id": "abc", "x": {"request_id": "xyz"', None),
        (b'<html>{"request_id": "abc"}', None),
        (b'[{"request_id": "abc"', None),
        (b'{"error_code": 500001, "request_id": "abc", "mess', None),
        (b"", None),
    ],
)
def test_a_request_id_is_salvaged_from_an_answer_that_broke_off(body: bytes, kept: str | None) -> None:
    """If it is whole, alone, and no error's: it is paid for."""
    cut = answer(body, complete=False)
    assert request_id_of(cut, read(cut, NOW).document) == kept


def test_nothing_is_salvaged_from_a_whole_answer() -> None:
    """One that is no JSON was not written by the API."""
    whole = answer(b'{"request_id": "abc", }')
    assert request_id_of(whole, read(whole, NOW).document) is None


def test_is_request_id() -> None:
    """The same rule, for what comes out of a database."""
    assert is_request_id("abc-1_Z")
    assert not any(map(is_request_id, ("", "a/b", "a\n", "a" * 129, "ä")))
