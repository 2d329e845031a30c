"""RunComfy's words and JSON: what each answer comes to, call by call."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from jobs.failures import Failure, FailureKind
from jobs.pauses import PauseReason
from runner.providers.base import (
    CallFailed,
    Denied,
    RemoteStatus,
    RemoteStatusReport,
    Stopped,
    Taken,
    TurnedAway,
    Unconfirmed,
    UnknownId,
)
from runner.providers.runcomfy.api import RunComfy
from tests.unit.runner.providers.answering import HTML, api, error, refusing


@pytest.mark.parametrize(
    ("call", "method", "path"),
    [
        (lambda p: p.submit("a/b", b'{"prompt": "x"}'), "POST", "/v1/models/a/b"),
        (lambda p: p.status("id-1"), "GET", "/v1/requests/id-1/status"),
        (lambda p: p.result("id-1"), "GET", "/v1/requests/id-1/result?include_cost=true"),
        (lambda p: p.cancel("id-1"), "POST", "/v1/requests/id-1/cancel"),
        (lambda p: p.price("a/b"), "GET", "/v1/models/a/b"),
    ],
)
async def test_the_paths(call: Callable[[RunComfy], Any], method: str, path: str) -> None:
    """One request each, with the token, and with the very bytes of the inputs."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(500)

    await call(api(handle))
    (request,) = seen
    assert (request.method, request.url.raw_path.decode()) == (method, path)
    assert request.headers["authorization"] == "Bearer token"
    assert request.content == (b'{"prompt": "x"}' if path.endswith("a/b") and method == "POST" else b"")


@pytest.mark.parametrize(
    ("body", "status", "verdict"),
    [
        ({"request_id": "id-1", "status_url": "https://elsewhere/x"}, 200, Taken("id-1")),
        ({"request_id": "id-1", "status": "in_queue"}, 202, Taken("id-1")),
        ({"request_id": "id-1", "error_code": None}, 200, Taken("id-1")),
        ({"request_id": "id-1", "error_code": 0, "error_message": ""}, 200, Taken("id-1")),
        ({"request_id": 77}, 200, Taken("77")),
        ({"request_id": "a/../b"}, 200, Unconfirmed("HTTP 200 without a request_id")),
        ({"status": "in_queue"}, 200, Unconfirmed("HTTP 200 without a request_id")),
        (
            {"request_id": "id-1", **error(500001)},
            200,
            Unconfirmed('"why" (request_id id-1)', "500001", "id-1"),
        ),
        ({"request_id": "id-1"}, 500, Unconfirmed("HTTP 500 (request_id id-1)", "500", "id-1")),
        ({"request_id": "id-1"}, 302, Unconfirmed("HTTP 302 (request_id id-1)", "302", "id-1")),
        ([], 200, Unconfirmed("HTTP 200 without JSON", "200")),
        (HTML, 200, Unconfirmed("HTTP 200 with an HTML page", "200")),
        (b"", 502, Unconfirmed("HTTP 502 without JSON", "502")),
        (error(503001), 503, Unconfirmed('"why"', "503001")),
        (error(400004), 400, Stopped(PauseReason.TOKEN, '"why"', "400004")),
        (error(400004), 200, Stopped(PauseReason.TOKEN, '"why"', "400004")),
        (b"", 401, Stopped(PauseReason.TOKEN, "HTTP 401", "401")),
        (error(400002), 400, Stopped(PauseReason.BALANCE, '"why"', "400002")),
        (b"", 402, Stopped(PauseReason.BALANCE, "HTTP 402", "402")),
        (error(422001), 422, Denied(Failure(FailureKind.REFUSED, "why", "422001"))),
        (error(400001), 200, Denied(Failure(FailureKind.REFUSED, "why", "400001"))),
        (error(404001), 404, Denied(Failure(FailureKind.REFUSED, "why", "404001"))),
        (
            {"error_code": 400003, "error_message": "InputTextSensitiveContentDetected"},
            400,
            Denied(Failure(FailureKind.MODERATED, "InputTextSensitiveContentDetected", "400003")),
        ),
        (error(429001), 429, TurnedAway('"why"', None, busy=True)),
        (b"", 429, TurnedAway("HTTP 429", None, busy=True)),
        (b"", 408, Unconfirmed("HTTP 408 without JSON", "408")),
        (b"", 425, Unconfirmed("HTTP 425 without JSON", "425")),
    ],
)
async def test_submit(body: Any, status: int, verdict: object) -> None:
    """Taken only with an id and no error; else unconfirmed, unless it is a clear no."""
    assert await api(body, status).submit("a/b", b"{}") == verdict


async def test_submit_turned_away_with_a_moment() -> None:
    """Seconds as the API asks for, and a 503 that says when."""
    for status in (429, 503):
        verdict = await api(error(status * 1000 + 1), status, retry_after="7").submit("a/b", b"{}")
        assert verdict == TurnedAway('"why"', 7.0, busy=True, proven=status == 429)


def asked(submit: tuple[int, Any], free: tuple[int, Any]) -> tuple[RunComfy, list[str]]:
    """The provider over something that answers a POST so and a GET so; and the paths that were asked."""
    paths: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path.decode())
        status, body = submit if request.method == "POST" else free
        return httpx.Response(status, content=body if isinstance(body, bytes) else json.dumps(body).encode())

    return api(handle), paths


async def test_an_id_that_is_no_receipt_is_told_before_it_is_asked_for() -> None:
    """It has to be on disk before anything else is done: whoever called asks."""
    provider, paths = asked((429, {"requestId": "a:1"}), (200, {"status": "in_queue"}))
    verdict = await provider.submit("a/b", b"{}")
    turned_away = TurnedAway("HTTP 429", None, busy=True)
    assert verdict == Unconfirmed("HTTP 429 (request_id a:1)", "429", "a:1", turned_away)
    assert len(paths) == 1
    await provider.status("a:1")
    assert paths[1:] == ["/v1/requests/a%3A1/status"]


@pytest.mark.parametrize(
    ("submit", "free", "verdict"),
    [
        ((403, HTML), (404, error(404001)), Denied(Failure(FailureKind.REFUSED, "HTTP 403", "403"))),
        ((401, b""), (200, {"status": "in_queue"}), Denied(Failure(FailureKind.REFUSED, "HTTP 401", "401"))),
        ((407, b""), (403, error(403001)), Denied(Failure(FailureKind.REFUSED, "HTTP 407", "407"))),
        ((403, HTML), (403, HTML), Stopped(PauseReason.TOKEN, "HTTP 403", "403")),
        ((401, b""), (400, error(400004)), Stopped(PauseReason.TOKEN, '"why"', "400004")),
        ((403, HTML), (502, HTML), Unconfirmed("HTTP 403", "403")),
        ((403, HTML), (404, HTML), Unconfirmed("HTTP 403", "403")),
        ((403, HTML), (302, b""), Unconfirmed("HTTP 403", "403")),
    ],
)
async def test_a_bare_401_or_403_is_the_token_s_only_if_a_free_question_is_refused_too(
    submit: tuple[int, Any], free: tuple[int, Any], verdict: object
) -> None:
    """A firewall dislikes one row's words: that row is refused, and the others go on."""
    provider, paths = asked(submit, free)
    assert await provider.submit("a/b", b"{}") == verdict
    assert len(paths) == 2


async def test_submit_without_an_answer() -> None:
    """Not connected: it may be sent again. Anything later: it may have been accepted."""
    unsent = await api(refusing(httpx.ConnectError("no"))).submit("a/b", b"{}")
    assert isinstance(unsent, TurnedAway)
    assert (unsent.busy, unsent.certificate) == (False, False)
    for late in (httpx.ReadTimeout("silence"), httpx.ReadError("reset"), httpx.RemoteProtocolError("junk")):
        assert isinstance(await api(refusing(late)).submit("a/b", b"{}"), Unconfirmed)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("in_queue", RemoteStatus.QUEUED),
        ("In-Queue", RemoteStatus.QUEUED),
        ("pending", RemoteStatus.QUEUED),
        ("in_progress", RemoteStatus.WORKING),
        ("IN PROGRESS", RemoteStatus.WORKING),
        ("running", RemoteStatus.WORKING),
        ("completed", RemoteStatus.DONE),
        ("succeeded", RemoteStatus.DONE),
        ("failed", RemoteStatus.FAILED),
        ("error", RemoteStatus.FAILED),
        ("cancelled", RemoteStatus.CANCELLED),
        ("canceled", RemoteStatus.CANCELLED),
        ("reticulating", None),
    ],
)
async def test_the_words_of_a_status(word: str, status: RemoteStatus | None) -> None:
    """In every spelling that a document or a client knows; any other is no error."""
    verdict = await api({"status": word, "queue_position": 3}).status("id")
    assert isinstance(verdict, RemoteStatusReport)
    assert (verdict.status, verdict.queue_position) == (status, 3)


@pytest.mark.parametrize(
    ("body", "status", "verdict"),
    [
        (error(404001), 404, UnknownId('"why"', "404001")),
        (error(404001), 200, UnknownId('"why"', "404001")),
        ({"detail": "Not Found"}, 404, UnknownId('"Not Found"', "404")),
        (HTML, 404, CallFailed("HTTP 404")),
        (b"", 404, CallFailed("HTTP 404")),
        (b"404 page not found", 404, CallFailed("HTTP 404")),
        (error(403001), 403, UnknownId('"why"', "403001")),
        (error(403001), 200, UnknownId('"why"', "403001")),
        ({"code": 403001, "message": "why"}, 403, UnknownId('"why"', "403001")),
        (error(403003), 403, Stopped(PauseReason.TOKEN, '"why"', "403003")),
        (error(401001), 401, Stopped(PauseReason.TOKEN, '"why"', "401001")),
        (error(400004), 400, Stopped(PauseReason.TOKEN, '"why"', "400004")),
        (b"", 403, Stopped(PauseReason.TOKEN, "HTTP 403", "403")),
        (error(400002), 400, Stopped(PauseReason.BALANCE, '"why"', "400002")),
        (b"", 402, CallFailed("HTTP 402")),
        (error(429001), 429, CallFailed('"why"', answered=True)),
        (error(422001), 422, CallFailed('"why"', answered=True)),
        (error(500001), 500, CallFailed('"why"')),
        (HTML, 200, CallFailed("HTTP 200 with an HTML page")),
        ({}, 200, CallFailed("the status has no status word", answered=True)),
        ({"status": 7}, 200, CallFailed("the status has no status word", answered=True)),
        ({"status": "completed", **error(500001)}, 200, CallFailed('"why"')),
        (
            {"status": "failed", **error(500001)},
            200,
            RemoteStatusReport(
                RemoteStatus.FAILED, "failed", None, Failure(FailureKind.REMOTE_FAILED, "why", "500001")
            ),
        ),
        ({"status": "failed"}, 200, RemoteStatusReport(RemoteStatus.FAILED, "failed")),
        ({"status": "x", "queue_position": "3"}, 200, RemoteStatusReport(None, "x")),
    ],
)
async def test_status(body: Any, status: int, verdict: object) -> None:
    """An error beside `completed` unmakes it; beside `failed` it is the reason."""
    assert await api(body, status).status("id") == verdict


APART = {"answered": True, "alone": True}
GATEWAY_SAYS = {"message": "Forbidden"}
NOBODYS = (404, error(404001))
"""What the API says of a request that nobody has."""
FREE_CALLS: dict[str, Callable[[RunComfy], Any]] = {
    "status": lambda p: p.status("id-1"),
    "result": lambda p: p.result("id-1"),
    "cancel": lambda p: p.cancel("id-1"),
}


@pytest.mark.parametrize("call", FREE_CALLS.values(), ids=FREE_CALLS)
@pytest.mark.parametrize(
    ("this", "other", "verdict"),
    [
        ((403, GATEWAY_SAYS), NOBODYS, UnknownId('"Forbidden"', "403")),
        ((403, GATEWAY_SAYS), (200, {"status": "in_queue"}), UnknownId('"Forbidden"', "403")),
        ((403, GATEWAY_SAYS), (403, error(403001)), UnknownId('"Forbidden"', "403")),
        ((403, HTML), NOBODYS, CallFailed("HTTP 403", **APART)),
        ((403, b""), NOBODYS, CallFailed("HTTP 403", **APART)),
        ((401, GATEWAY_SAYS), NOBODYS, CallFailed('"Forbidden"', **APART)),
        ((407, HTML), NOBODYS, CallFailed("HTTP 407", **APART)),
        ((404, HTML), NOBODYS, CallFailed("HTTP 404", **APART)),
        ((404, b""), NOBODYS, CallFailed("HTTP 404", **APART)),
        ((403, GATEWAY_SAYS), (403, GATEWAY_SAYS), Stopped(PauseReason.TOKEN, '"Forbidden"', "403")),
        ((401, b""), (400, error(400004)), Stopped(PauseReason.TOKEN, '"why"', "400004")),
        ((404, HTML), (401, HTML), Stopped(PauseReason.TOKEN, "HTTP 401", "401")),
        ((403, GATEWAY_SAYS), (502, HTML), CallFailed('"Forbidden"')),
        ((401, b""), (404, HTML), CallFailed("HTTP 401")),
        ((404, HTML), (404, HTML), CallFailed("HTTP 404")),
    ],
)
async def test_one_request_s_trouble_is_not_the_token_s(
    call: Callable[[RunComfy], Any], this: tuple[int, Any], other: tuple[int, Any], verdict: object
) -> None:
    """Whatever something in front of the API says of it: the API is asked about a request that nobody has."""
    paths: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        status, body = this if "/id-1/" in request.url.path else other
        return httpx.Response(status, content=body if isinstance(body, bytes) else json.dumps(body).encode())

    assert await call(api(handle)) == verdict
    assert len(paths) == 2
    assert paths[1].startswith("/v1/requests/")
    assert paths[1].endswith("/status")


async def test_a_second_question_without_an_answer_leaves_it_open() -> None:
    """It is asked again, as after any trouble."""

    def handle(request: httpx.Request) -> httpx.Response:
        if "/id-1/" not in request.url.path:
            raise httpx.ConnectError("no")
        return httpx.Response(403)

    assert await api(handle).status("id-1") == CallFailed("HTTP 403")
