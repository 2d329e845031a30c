"""Who answered a submit, line by line, in the dress that the API, gateways, firewalls and portals give."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from jobs.failures import FailureKind
from jobs.pauses import PauseReason
from runner.http.replies import Answer
from runner.providers.base import Denied, Stopped, Taken, TurnedAway, Unconfirmed
from runner.providers.runcomfy.submit_answers import Unauthorised, read_submit

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
LATER = {"retry-after": "5"}

VARNISH = b"""<!DOCTYPE html>\n<html>\n  <head>\n    <title>503 Backend fetch failed</title>\n  </head>
  <body>\n    <h1>Error 503 Backend fetch failed</h1>\n    <p>XID: 32770</p>\n  </body>\n</html>\n"""
NGINX = b"<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>\r\n<hr><center>nginx</center>"
CLOUDFLARE = b"<!DOCTYPE html>\n<html lang=en-US><title>api | 524: A timeout occurred</title></html>"
CLOUDFLARE_TEXT = b"error code: 1015"
PORTAL = b"<html><head><meta http-equiv=refresh content='0; url=http://wifi.hotel/login'></head></html>"
AWS: dict[str, Any] = {"message": "Endpoint request timed out"}
KONG: dict[str, Any] = {"message": "An unexpected error occurred", "request_id": "9b3f0c2e"}


def answer(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> Answer:
    """An answer; a body that is not bytes is sent as JSON."""
    return Answer(status, headers or {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def own(code: Any, message: str = "why", name: str = "error_code") -> dict[str, Any]:
    """An error as the API gives it."""
    return {name: code, "error_message": message}


def read(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> Any:
    return read_submit(answer(status, body, headers), NOW)


# -- 1: accepted -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 206])
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("3f2b-77_A", "3f2b-77_A"),
        ("req.3f2b", "req.3f2b"),
        ("req:3f2b", "req:3f2b"),
        (12345, "12345"),
        ("ä", "ä"),
    ],
)
def test_a_receipt(status: int, given: Any, kept: str) -> None:
    """Any id that can stand in a path; a number is written out."""
    document = {"request_id": given, "status_url": "https://api.example/v1/requests/other/status"}
    assert read(status, document) == Taken(kept)
    assert read(status, document, {"content-type": "text/html"}) == Taken(kept)
    assert read(status, b"\xef\xbb\xbf" + json.dumps(document).encode()) == Taken(kept)
    assert read(status, document | {"error_code": 200}) == Taken(kept)
    assert read(status, document | {"error_code": None, "code": 7}) == Taken(kept)


@pytest.mark.parametrize("odd", ["", "a" * 129, "a\n", "..", "\ud800", None, True, -1, 1.5, [], 10**128])
def test_what_is_no_id_is_no_receipt(odd: Any) -> None:
    """It may be paid for all the same."""
    assert isinstance(read(200, {"request_id": odd}), Unconfirmed)


# -- 2: the API's own error -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500, 503])
@pytest.mark.parametrize(
    "document",
    [
        *(own(code) for code in (400004, "400004", 400004.0, 401001, 403001, 403003)),
        own(400004, name="code"),
        {"error": "UserAccountError: token revoked"},
        {"code": "x", "message": "PermissionDeniedError"},
    ],
)
def test_a_token_that_is_refused(status: int, document: dict[str, Any]) -> None:
    """By its code or by its name, whatever status carries it; an id beside it is a reference."""
    for body in (document, document | {"request_id": "abc"}):
        verdict = read(status, body)
        assert isinstance(verdict, Stopped)
        assert verdict.reason is PauseReason.TOKEN


@pytest.mark.parametrize("status", [200, 400, 402, 500])
@pytest.mark.parametrize(
    "document",
    [own(400002), own(402001), own(10001), own("10001", name="code"), {"detail": "InsufficientResources"}],
)
def test_an_empty_balance(status: int, document: dict[str, Any]) -> None:
    """Likewise."""
    verdict = read(status, document)
    assert isinstance(verdict, Stopped)
    assert verdict.reason is PauseReason.BALANCE


@pytest.mark.parametrize("status", [200, 400, 422, 500, 503])
@pytest.mark.parametrize("code", [400001, 400003, 404001, 409001, 413001, 422001])
def test_a_refusal_of_the_api_s_own(status: int, code: int) -> None:
    """It is the row's, it is free, and the reason is kept word for word."""
    verdict = read(status, own(code, "count must be at most 15") | {"request_id": "abc"}, LATER)
    assert isinstance(verdict, Denied)
    assert (verdict.failure.kind, verdict.failure.message) == (
        FailureKind.REFUSED,
        "count must be at most 15",
    )
    assert verdict.failure.code == str(code)


def test_content_rules_are_the_row_s() -> None:
    """Also where their words speak of a time."""
    for words in ("Content policy violation", "sensitive content; try again later"):
        verdict = read(400, own(400003, words))
        assert isinstance(verdict, Denied)
        assert verdict.failure.kind is FailureKind.MODERATED


@pytest.mark.parametrize(
    "words",
    [
        "Redis lock timeout",
        "LOCK not acquired",
        "it timed out",
        "temporarily over capacity",
        "Try again later",
    ],
)
def test_a_refusal_that_blames_the_moment_is_unconfirmed(words: str) -> None:
    """Nobody knows what came of the submit; but a model that is not there is not there."""
    for status, body in ((400, own(400003, words)), (422, {"detail": words}), (400, {"message": words})):
        assert isinstance(read(status, body), Unconfirmed)
    assert isinstance(read(400, own(400001, words)), Denied)
    assert isinstance(read(404, own(404001, words)), Denied)
    assert isinstance(read(400, own(400003, "block of a clocktimeouts")), Denied)


# -- 3: an id in another place ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 202, 400, 409, 500, 502, 503])
@pytest.mark.parametrize(
    "body",
    [
        {"data": {"request_id": "abc.1"}},
        [{"request_id": "abc.1"}],
        {"requestId": "abc.1", "status_url": "https://api.example/v1/requests/abc.1/status"},
        {"id": "abc.1"},
        {"request-id": "abc.1"},
        {"status_url": "https://api.example/v1/requests/abc.1/status"},
        b'{"request_id": "abc.1"} trailing',
        b'{"request_id": "abc.1"}{"request_id": "abc.1"}',
        b'{"request_id": "abc.1", "note": "\xff"}',
        b'{"request_id": "abc.1", "status_url": "https://exam',
        b'{"Request_Id" : "abc.1"',
    ],
)
def test_an_id_elsewhere_is_asked_for(status: int, body: Any) -> None:
    """Once the API knows it, it is paid for; until then, the id is shown with the doubt."""
    verdict = read(status, body)
    assert isinstance(verdict, Unconfirmed)
    assert verdict.named_id == "abc.1"
    assert verdict.if_unknown is None
    assert "request_id abc.1" in verdict.message


def test_an_id_in_a_location() -> None:
    """On an empty 202, or beside an empty object."""
    headers = {"location": "/v1/requests/abc%3A1/status"}
    for body in (b"", b"{}"):
        verdict = read(202, body, headers)
        assert isinstance(verdict, Unconfirmed)
        assert verdict.named_id == "abc:1"


def test_a_429_with_an_id_is_asked_for_and_then_turned_away() -> None:
    """A gateway's reference is no receipt; an id that the API knows is."""
    verdict = read(429, {"message": "Too Many Requests", "requestId": "abc"}, LATER)
    assert isinstance(verdict, Unconfirmed)
    assert isinstance(verdict.if_unknown, TurnedAway)


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"request_id": "a"}, {"request_id": "b"}]},
        {"user": {"id": "u7"}, "requestId": "a"},
        {"id": "gw-1", "data": {"request_id": "a"}},
        {"data": {"request_id": "a", "id": "x"}},
        {"id": "gw-1", "status_url": "https://x.example/v1/requests/a/status"},
    ],
)
@pytest.mark.parametrize("status", [200, 402, 413, 429, 500])
def test_of_several_ids_the_likeliest_is_asked_for(body: Any, status: int) -> None:
    """And no other verdict is given while an id was seen: one that is unknown says nothing of the others."""
    verdict = read(status, body, LATER)
    assert isinstance(verdict, Unconfirmed)
    assert (verdict.named_id, verdict.if_unknown) == ("a", None)


def test_an_id_in_a_page_is_none() -> None:
    """A page that repeats what it was sent is no receipt."""
    assert isinstance(read(200, b'<html>{"request_id": "abc"}</html>'), Unconfirmed)
    assert isinstance(read(502, b'upstream said {"request_id": "abc"}'), Unconfirmed)


# -- 4: turned away ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", CLOUDFLARE_TEXT, VARNISH, AWS, own(429001), {"error": "slow down"}])
@pytest.mark.parametrize(("headers", "seconds"), [({}, None), (LATER, 5)])
def test_429_in_any_dress(body: Any, headers: dict[str, str], seconds: float | None) -> None:
    """Nobody says so once a submit is accepted."""
    verdict = read(429, body, headers)
    assert isinstance(verdict, TurnedAway)
    assert (verdict.busy, verdict.proven, verdict.retry_after_seconds) == (True, True, seconds)


@pytest.mark.parametrize("status", [200, 400, 500])
def test_429_by_code(status: int) -> None:
    """In whatever status."""
    verdict = read(status, own(429001))
    assert isinstance(verdict, TurnedAway)
    assert verdict.proven


@pytest.mark.parametrize("named", [408, 425, 503])
def test_later_is_believed_of_the_api_alone_and_not_for_ever(named: int) -> None:
    """With a moment to come back. From anything in front it proves nothing: Varnish sends one always."""
    code = named * 1000 + 1
    for status, body in ((named, own(500001)), (400, own(code)), (named, own(code))):
        verdict = read(status, body, LATER)
        assert isinstance(verdict, TurnedAway)
        assert not verdict.proven
        assert isinstance(read(status, body), Unconfirmed)
    for other in (b"", VARNISH, NGINX, AWS, {"error": "overloaded"}, b"[]", b"later"):
        assert isinstance(read(named, other, LATER), Unconfirmed)


# -- 5, 6, 7: refused, unpaid, unauthorised ---------------------------------------------------------------


@pytest.mark.parametrize("status", [413, 414, 431])
@pytest.mark.parametrize("body", [b"", NGINX, {"message": "too large"}])
def test_what_is_too_large_is_refused_by_whoever_says_so(status: int, body: Any) -> None:
    """Nobody forwards it."""
    verdict = read(status, body)
    assert isinstance(verdict, Denied)
    assert verdict.failure.code == str(status)


@pytest.mark.parametrize("body", [b"", NGINX, {"message": "Payment Required"}])
def test_a_bare_402_is_the_balance(body: Any) -> None:
    """Nothing else says so."""
    verdict = read(402, body)
    assert isinstance(verdict, Stopped)
    assert verdict.reason is PauseReason.BALANCE


@pytest.mark.parametrize("status", [401, 403, 407])
@pytest.mark.parametrize(
    "body", [b"", NGINX, CLOUDFLARE, {"message": "Forbidden"}, {"detail": "Unauthorized"}]
)
def test_a_bare_401_or_403_may_be_the_row_s(status: int, body: Any) -> None:
    """A firewall dislikes one row's words: a free question tells."""
    assert isinstance(read(status, body), Unauthorised)


@pytest.mark.parametrize("status", [400, 404, 405, 415, 422])
def test_a_refusal_is_a_document(status: int) -> None:
    """A page in its place proves nothing."""
    verdict = read(status, {"detail": [{"loc": ["body", "seed"], "msg": "not an integer"}]})
    assert isinstance(verdict, Denied)
    assert "not an integer" in verdict.failure.message
    for body in (b"", NGINX, PORTAL, b"[]", b"not found", b'"no"', b'{"cut": '):
        assert isinstance(read(status, body), Unconfirmed)


# -- 8: all else ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status",
    [301, 302, 303, 307, 308, 409, 410, 421, 423, 424, 451, 499, 500, 502, 503, 504, 511, 520, 524, 599],
)
@pytest.mark.parametrize(
    "body",
    [b"", VARNISH, NGINX, CLOUDFLARE, PORTAL, AWS, {}, [], own(500001), own(504001, "it broke"), b"no JSON"],
)
def test_all_else_is_unconfirmed(status: int, body: Any) -> None:
    """It may have been accepted before it went wrong, with or without a moment to come back."""
    assert isinstance(read(status, body), Unconfirmed)
    if not (status == 503 and isinstance(body, dict) and "error_code" in body):
        assert isinstance(read(status, body, LATER), Unconfirmed)


@pytest.mark.parametrize(
    "body", [b"", PORTAL, {}, [], b"{", own(999999), own(500001), {"status": "ok"}, b"null"]
)
def test_a_2xx_that_is_no_receipt_is_unconfirmed(body: Any) -> None:
    """A portal's page, an empty body, an error that nobody knows."""
    assert isinstance(read(200, body), Unconfirmed)


def test_a_gateway_s_reference_is_no_receipt() -> None:
    """Kong puts an id of its own into each error: it is asked for, and not known."""
    verdict = read(500, KONG)
    assert isinstance(verdict, Unconfirmed)
    assert verdict.if_unknown is None
