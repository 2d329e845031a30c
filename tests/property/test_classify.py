"""Whatever comes over the wire has a meaning, and no surprise."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from runner.http.replies import Answer
from runner.providers.runcomfy.responses import (
    LONGEST_RETRY_AFTER_SECONDS,
    Meaning,
    is_request_id,
    read,
    request_id_of,
    retry_after,
)

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
    request_id = request_id_of(answer, reading.document)
    assert request_id is None or is_request_id(request_id)


@given(answers)
def test_only_a_clear_no_sends_a_submit_again(answer: Answer) -> None:
    """Below 400 and from 500 on, nothing but the API's own error code says that it was not taken."""
    reading = read(answer, NOW)
    clear = reading.meaning not in (Meaning.FINE, Meaning.UNREADABLE)
    if (
        clear
        and not 400 <= answer.status < 500
        and not (answer.status == 503 and reading.retry_after_seconds is not None)
    ):
        assert reading.document.get("error_code")


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
    for name in ("error_code", "request_id"):
        rest.pop(name, None)
    body = json.dumps({"request_id": request_id, **rest}).encode()
    if body.count(b'"request_id"') > 1:
        return
    cut = data.draw(st.integers(body.index(b'"', 16) + 1, len(body)))
    answer = Answer(200, {}, body[:cut], complete=cut == len(body))
    assert request_id_of(answer, read(answer, NOW).document) == request_id
