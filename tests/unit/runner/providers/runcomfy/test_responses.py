"""What every answer of the API means: the rules one by one."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from runner.http.replies import Answer
from runner.providers.runcomfy.responses import (
    LONGEST_RETRY_AFTER_SECONDS,
    Meaning,
    is_moderation,
    read,
    retry_after,
    words_of,
)

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
HTML = b"<!DOCTYPE html><html><body>Sign in</body></html>"


def answer(status: int, body: Any = b"", *, complete: bool = True, **headers: str) -> Answer:
    """An answer; a body that is not bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw, complete)


def error(code: Any, message: str = "why") -> dict[str, Any]:
    """An error in the API's own shape."""
    return {"error_code": code, "error_message": message}


@pytest.mark.parametrize("status", [200, 400, 404, 429, 500, 503])
@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (400004, Meaning.TOKEN),
        ("400004", Meaning.TOKEN),
        (400004.0, Meaning.TOKEN),
        (401001, Meaning.TOKEN),
        (403001, Meaning.TOKEN),
        (403003, Meaning.TOKEN),
        (400002, Meaning.BALANCE),
        (402001, Meaning.BALANCE),
        (10001, Meaning.BALANCE),
        (400001, Meaning.REFUSED),
        (400003, Meaning.REFUSED),
        (409001, Meaning.REFUSED),
        (413001, Meaning.REFUSED),
        (422001, Meaning.REFUSED),
        (404001, Meaning.NOT_FOUND),
        (410001, Meaning.NOT_FOUND),
        (408001, Meaning.LATER),
        (425001, Meaning.LATER),
        (429001, Meaning.LATER),
        (500001, Meaning.UNREADABLE),
        (502001, Meaning.UNREADABLE),
        (503001, Meaning.UNREADABLE),
        (504001, Meaning.UNREADABLE),
    ],
)
def test_an_error_code_counts_whatever_status_carries_it(status: int, code: Any, meaning: Meaning) -> None:
    """Its first three digits are its status, and a few codes have a meaning of their own."""
    reading = read(answer(status, error(code)), NOW)
    assert (reading.meaning, reading.message) == (meaning, "why")
    assert reading.code == str(code).removesuffix(".0")
    assert reading.from_api is (meaning is not Meaning.UNREADABLE)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (400, Meaning.REFUSED),
        (401, Meaning.TOKEN),
        (402, Meaning.BALANCE),
        (403, Meaning.TOKEN),
        (404, Meaning.NOT_FOUND),
        (405, Meaning.REFUSED),
        (408, Meaning.LATER),
        (409, Meaning.REFUSED),
        (410, Meaning.NOT_FOUND),
        (413, Meaning.REFUSED),
        (422, Meaning.REFUSED),
        (425, Meaning.LATER),
        (429, Meaning.LATER),
        (500, Meaning.UNREADABLE),
        (502, Meaning.UNREADABLE),
        (503, Meaning.UNREADABLE),
        (504, Meaning.UNREADABLE),
        (599, Meaning.UNREADABLE),
        (301, Meaning.UNREADABLE),
        (307, Meaning.UNREADABLE),
    ],
)
@pytest.mark.parametrize("body", [b"", b"no JSON", HTML, {"message": "why"}, [], {"error_code": None}])
def test_without_a_code_the_status_counts(status: int, meaning: Meaning, body: Any) -> None:
    """Whatever is in the body."""
    reading = read(answer(status, body), NOW)
    assert (reading.meaning, reading.code) == (meaning, str(status))
    assert reading.message


@pytest.mark.parametrize("told", ["5", format_datetime(NOW + timedelta(seconds=5), usegmt=True)])
def test_503_is_turned_away_only_with_a_moment_to_come_back(told: str) -> None:
    """Without one it may have been taken before it broke."""
    reading = read(answer(503, error(503001), retry_after=told), NOW)
    assert (reading.meaning, reading.retry_after_seconds) == (Meaning.LATER, 5)
    assert read(answer(503, b"", retry_after=told), NOW).meaning is Meaning.LATER
    assert read(answer(503, b"", retry_after="soon"), NOW).meaning is Meaning.UNREADABLE
    for status in (500, 502, 504):
        assert read(answer(status, b"", retry_after=told), NOW).meaning is Meaning.UNREADABLE


@pytest.mark.parametrize(
    "body", [{}, {"request_id": "a"}, error(0), error(None), error(""), error("0"), error(False)]
)
def test_a_json_object_under_2xx_is_fine(body: Any) -> None:
    """An error code that is empty or zero is none."""
    for status in (200, 201, 202):
        reading = read(answer(status, body), NOW)
        assert (reading.meaning, reading.code, reading.document) == (Meaning.FINE, None, body)


@pytest.mark.parametrize("code", ["E_FAIL", 7, -1, [1], {"a": 1}, "12", 200001, 999999, 1e400])
def test_a_code_that_nobody_knows_is_an_error_all_the_same(code: Any) -> None:
    """Under 2xx nobody can tell which; elsewhere the status says."""
    raw = json.dumps(error(code)).encode()
    assert read(answer(200, raw), NOW).meaning is Meaning.UNREADABLE
    assert read(answer(422, raw), NOW).meaning is Meaning.REFUSED
    assert read(answer(429, raw), NOW).meaning is Meaning.LATER


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (HTML, "HTTP 200 with an HTML page"),
        (b"", "HTTP 200 without JSON"),
        (b'{"request_id": "a', "HTTP 200 without JSON"),
        (b"[1]", "HTTP 200 without JSON"),
        (b'"text"', "HTTP 200 without JSON"),
        (b"null", "HTTP 200 without JSON"),
        (b"\xff\xfe", "HTTP 200 without JSON"),
        (b"[" * 100_000, "HTTP 200 without JSON"),
        (b"1" * 5000, "HTTP 200 without JSON"),
    ],
)
def test_what_is_no_json_object_says_nothing(body: bytes, said: str) -> None:
    """Under 200 as under any other status."""
    reading = read(answer(200, body), NOW)
    assert (reading.meaning, reading.message, dict(reading.document)) == (Meaning.UNREADABLE, said, {})


def test_what_is_said_of_an_unreadable_answer() -> None:
    """Enough for a person to know where to look."""
    assert read(answer(502, b"", content_type="text/html"), NOW).message == "HTTP 502 with an HTML page"
    assert read(answer(302, b""), NOW).message == "an unexpected redirect (HTTP 302)"
    assert read(answer(200, b"{", complete=False), NOW).message == "HTTP 200 whose answer broke off"


def test_who_said_it() -> None:
    """A gateway's 404 is not the API's: it says nothing of a request_id."""
    assert read(answer(404, error(404001)), NOW).from_api
    assert read(answer(404, {"detail": "Not Found"}), NOW).from_api
    assert not read(answer(404, HTML), NOW).from_api
    assert not read(answer(404, b"", content_type="text/html; charset=utf-8"), NOW).from_api


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("86400", LONGEST_RETRY_AFTER_SECONDS),
        ("999999999", LONGEST_RETRY_AFTER_SECONDS),
        *(
            (junk, None)
            for junk in ("", "inf", "nan", "-1", "-0", "+5", "٣", "²", "1e3", "0x10", "1_0", "1,5")
        ),
        *((junk, None) for junk in ("9" * 400, "soon", "Fri", "Fri, 99 Foo 2026", "\x00", "5 s", "5;5")),
    ],
)
def test_retry_after_in_seconds(header: str, seconds: float | None) -> None:
    """Plain digits, at most ten minutes; junk is as good as nothing."""
    assert retry_after({"retry-after": header}, NOW) == seconds


def test_retry_after_as_a_date() -> None:
    """By the API's own clock, where it tells it: ours may be off by hours."""
    date = format_datetime(NOW + timedelta(seconds=90), usegmt=True)
    assert retry_after({"retry-after": date}, NOW) == 90
    assert retry_after({"retry-after": date}, NOW + timedelta(hours=3)) == 0
    told = {"retry-after": date, "date": format_datetime(NOW + timedelta(seconds=60), usegmt=True)}
    assert retry_after(told, NOW + timedelta(days=3650)) == 30
    assert retry_after(told | {"date": "junk"}, NOW) == 90
    assert retry_after({"retry-after": date.replace("2026", "2036")}, NOW) == LONGEST_RETRY_AFTER_SECONDS
    assert retry_after({"retry-after": "Fri, 20 Nov 2026 22:00:05 -0000"}, NOW) == 5
    assert retry_after({}, NOW) is None


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"error_message": "first", "message": "second"}, "first"),
        ({"message": " a \n b\t"}, "a b"),
        ({"error": "text"}, "text"),
        ({"error": {"code": 5}}, '{"code": 5}'),
        ({"detail": [{"loc": ["body"], "msg": "bad"}]}, '[{"loc": ["body"], "msg": "bad"}]'),
        ({"message": "  ", "error": None, "detail": 0}, "HTTP 400"),
        ({"message": {"not": "text"}}, "HTTP 400"),
        ({}, "HTTP 400"),
    ],
)
def test_messages_are_word_for_word(document: Any, said: str) -> None:
    """In whatever field the API put them."""
    assert read(answer(400, document), NOW).message == said


def test_messages_are_one_plain_line() -> None:
    """They end up on terminals: no escape, no right-to-left trick, no half of a character, no novel."""
    nasty = "a\x1b[31mred\x07\u202eevil\ud800\x00\r\nb\u2028c"
    assert read(answer(400, {"message": nasty}), NOW).message == "a [31mred evil b c"
    long = read(answer(400, {"message": "ä" * 600}), NOW).message
    assert (len(long), long[-1]) == (500, "…")
    code = read(answer(400, error("4\x1b[2J" + "x" * 100)), NOW).code
    assert code is not None
    assert code.isprintable()
    assert len(code) <= 64


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("why", "why"),
        (None, ""),
        ({"code": "E1", "message": "why"}, "why"),
        ({"code": "E1"}, '{"code": "E1"}'),
        (["a", 1], '["a", 1]'),
        (7, "7"),
        (False, "false"),
    ],
)
def test_errors_of_any_type_as_text(value: Any, said: str) -> None:
    """Their shape is undocumented."""
    assert words_of(value) == said


def test_an_address_is_told_without_its_query() -> None:
    """The API may repeat an address of ours, with the signature that opens it."""
    signed = "https://refs.example/a.png?X-Amz-Credential=AKIA1&X-Amz-Signature=" + "5" * 64
    assert words_of(f"Cannot fetch '{signed}', nor http://b/c?d=e.") == (
        "Cannot fetch 'https://refs.example/a.png?…', nor http://b/c?…"
    )
    assert "5" * 9 not in words_of({"detail": [{"input": {"images": [signed]}}]})


@pytest.mark.parametrize(
    ("message", "code", "moderated"),
    [
        ("InputTextSensitiveContentDetected", None, True),
        ("blocked by our content policy", None, True),
        ("The request failed", "content_policy_violation", True),
        ("NSFW", None, True),
        ("may infringe a copyright", None, True),
        ("The run failed on the worker.", "500001", False),
        ("size: must be one of", "422001", False),
    ],
)
def test_moderation_is_read_from_words(message: str, code: str | None, moderated: bool) -> None:
    """No code for it is documented."""
    assert is_moderation(message, code) is moderated
