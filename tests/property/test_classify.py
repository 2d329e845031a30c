"""Whatever comes over the wire has a meaning, and no surprise."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from runner.http.replies import Answer
from runner.providers.base import Taken, TurnedAway, Unconfirmed
from runner.providers.runcomfy.responses import (
    LONGEST_RETRY_AFTER_SECONDS,
    Meaning,
    document_of,
    is_request_id,
    own_error,
    read,
    retry_after,
)
from runner.providers.runcomfy.submit_answers import read_submit

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
NAMES = ("error_code", "error_message", "message", "error", "detail", "request_id", "status")

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
documents = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), values, max_size=5)
bodies = (
    st.binary(max_size=200)
    | values.map(lambda v: json.dumps(v).encode())
    | documents.map(lambda d: json.dumps(d).encode())
)
headers = st.fixed_dictionaries(
    {}, optional={name: st.text(max_size=40) for name in ("retry-after", "date", "content-type")}
)
answers = st.builds(Answer, st.integers(200, 599), headers, bodies, st.booleans())


@given(answers)
def test_every_answer_is_read(answer: Answer) -> None:
    """Into one line of plain words, with a wait that makes sense."""
    reading = read(answer, NOW)
    assert reading.message.isprintable()
    assert len(reading.message) <= 500
    assert reading.code is None or (reading.code.isprintable() and len(reading.code) <= 64)
    if reading.meaning is Meaning.FINE:
        assert 200 <= answer.status < 300
    else:
        assert reading.message


@given(answers)
def test_every_answer_to_a_submit_is_read(answer: Answer) -> None:
    """And an id in it can stand in a path."""
    match read_submit(answer, NOW):
        case Taken(request_id=request_id) | Unconfirmed(named_id=str() as request_id):
            assert is_request_id(request_id)
        case _:
            pass


@given(answers)
def test_only_a_clear_no_sends_a_submit_again(answer: Answer) -> None:
    """A 429, or an error of the API's own with a moment to come back."""
    verdict = read_submit(answer, NOW)
    if isinstance(verdict, Unconfirmed):
        verdict = verdict.if_unknown or verdict
    if isinstance(verdict, TurnedAway):
        error = own_error(document_of(answer))
        assert 429 in (answer.status, error.status if error else None) or (
            error is not None and verdict.retry_after_seconds is not None
        )


@given(
    st.text() | st.from_regex(r"\A[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,5} \d\d?:\d\d?:\d\d? \S{0,6}\Z")
)
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
@example("9" * 5000)
def test_every_retry_after_is_bounded(header: str) -> None:
    """In either of its two places, with every kind of junk in it."""
    told = {"retry-after": header, "date": header}
    for given_headers in (
        told,
        {"retry-after": header},
        {"retry-after": "Fri, 20 Nov 2026 22:00:05 GMT", "date": header},
    ):
        seconds = retry_after(given_headers, NOW)
        assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER_SECONDS


@given(st.from_regex(r"\A[A-Za-z0-9_-]{1,128}\Z"), documents, st.data())
def test_a_request_id_that_came_whole_is_never_lost(request_id: str, rest: dict[str, Any], data: Any) -> None:
    """Wherever the answer breaks off behind it."""
    for name in ("error_code", "code", "request_id", "message", "error", "detail", "error_message"):
        rest.pop(name, None)
    body = json.dumps({"request_id": request_id, **rest}).encode()
    if body.count(b'"request_id"') > 1:
        return
    cut = data.draw(st.integers(body.index(b'"', 16) + 1, len(body)))
    verdict = read_submit(Answer(200, {}, body[:cut], complete=cut == len(body)), NOW)
    if cut == len(body):
        assert verdict == Taken(request_id)
    else:
        assert isinstance(verdict, Unconfirmed)
        assert verdict.named_id == request_id
