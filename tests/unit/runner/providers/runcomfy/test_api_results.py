"""RunComfy's results: addresses, costs, and reasons for what failed."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from jobs.failures import Failure, FailureKind
from jobs.pauses import PauseReason
from runner.providers.base import (
    CallFailed,
    ResultNotReady,
    ResultReady,
    RunCancelled,
    RunFailed,
    Stopped,
    UnknownId,
)
from tests.unit.runner.providers.answering import api, error

A, B = "https://p.runcomfy.net/1.png", "https://p.runcomfy.net/2.png"


@pytest.mark.parametrize(
    ("output", "urls"),
    [
        ({"image": A}, (A,)),
        ({"images": [A, B]}, (A, B)),
        ({"images": [A, A, B]}, (A, B)),
        ({"image": A, "images": [A, B]}, (A, B)),
        ({"images": A}, (A,)),
        ({"images": [{"url": A}, {"url": None}, {}]}, (A,)),
        ({"image": {"url": A}}, (A,)),
        ({"images": [None, 7, "", "x" * 9000, [[[A]]], B]}, (B,)),
        ([A], (A,)),
        (A, (A,)),
        ({"output": {"images": [A]}}, (A,)),
    ],
)
async def test_the_addresses_of_a_result(output: Any, urls: tuple[str, ...]) -> None:
    """From `output` alone, whatever else the result repeats; in order, each once."""
    body = {"status": "succeeded", "output": output, "input": {"image": "https://input.example/a.png"}}
    assert await api(body).result("id") == ResultReady(urls, None)


async def test_a_result_has_no_endless_list() -> None:
    """Nobody asked for thousands."""
    body = {"status": "completed", "output": {"images": [f"{A}?{n}" for n in range(1000)]}}
    verdict = await api(body).result("id")
    assert isinstance(verdict, ResultReady)
    assert len(verdict.urls) == 64


ODD_COSTS: tuple[Any, ...] = (None, True, -1, "free", [], {}, 1e400, "nan", "1e9", 10**30)


@pytest.mark.parametrize(
    ("cost", "usd"),
    [
        (0.04, Decimal("0.04")),
        ("0.04", Decimal("0.04")),
        (0, Decimal(0)),
        *((odd, None) for odd in ODD_COSTS),
    ],
)
async def test_what_it_cost(cost: Any, usd: Decimal | None) -> None:
    """An odd figure is an unknown one, never an error."""
    verdict = await api({"status": "succeeded", "output": {"image": A}, "cost": cost}).result("id")
    assert verdict == ResultReady((A,), usd)


NONE = FailureKind.NO_IMAGES


@pytest.mark.parametrize(
    ("more", "failure"),
    [
        (
            {"output": {}, "error": "OutputImageSensitiveContentDetected: no"},
            Failure(FailureKind.MODERATED, "OutputImageSensitiveContentDetected: no"),
        ),
        ({"output": {"images": []}, "error_message": "GPU broke."}, Failure(NONE, "GPU broke.")),
        ({"output": None, "failure_reason": "the model gave up"}, Failure(NONE, "the model gave up")),
        ({"message": "nothing came"}, Failure(NONE, "nothing came")),
        ({"error": {"code": "E1", "message": "broke"}}, Failure(NONE, "broke", "E1")),
        (
            {"output": {"seed": 1, "video": A}, "error": ""},
            Failure(NONE, "The API was done, and had no picture: its output has seed, video."),
        ),
        (
            {"output": {"images": ["x" * 9000]}, "error": {}},
            Failure(NONE, "The API was done, and had no picture: its output has images."),
        ),
        (
            {"output": [7], "error": False},
            Failure(NONE, "The API was done, and had no picture: its output names none."),
        ),
        (
            {"images": [A], "output": []},
            Failure(
                NONE, "The API was done, and had no picture: it has no output, but images, output, status."
            ),
        ),
        (
            {"outputs": {"9": A}},
            Failure(NONE, "The API was done, and had no picture: it has no output, but outputs, status."),
        ),
    ],
)
@pytest.mark.parametrize("word", ["completed", "succeeded"])
async def test_why_a_run_that_is_done_has_no_image(word: str, more: dict[str, Any], failure: Failure) -> None:
    """The API's reason word for word, wherever it stands; else what there is instead of an image."""
    assert await api({"status": word, **more}).result("id") == ResultReady((), None, failure)


async def test_a_reason_beside_images_is_none() -> None:
    """They are there."""
    body = {"status": "completed", "output": {"image": A}, "message": "done"}
    assert await api(body).result("id") == ResultReady((A,), None)


class Costs:
    """An API that refuses the question for costs, with or without reason."""

    def __init__(self, refusal: int, plain: int = 200) -> None:
        self.asked: list[str] = []
        self._refusal, self._plain = refusal, plain

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.query.decode())
        status = self._refusal if request.url.query else self._plain
        body = (
            {"status": "completed", "output": {"image": A}} if status == 200 else {"message": "no such field"}
        )
        return httpx.Response(status, json=body)


@pytest.mark.parametrize("status", [400, 405, 409, 422])
async def test_the_question_for_costs_is_left_out_where_it_is_refused(status: int) -> None:
    """Once it was in the way, and from then on."""
    costs = Costs(status)
    provider = api(costs)
    for _again in range(2):
        assert await provider.result("id") == ResultReady((A,), None)
    assert costs.asked == ["include_cost=true", "", ""]


async def test_a_result_that_is_refused_without_it_as_well_is_refused() -> None:
    """For another reason, so others are asked for their costs on."""
    costs = Costs(422, 422)
    provider = api(costs)
    for _again in range(2):
        verdict = await provider.result("id")
        assert verdict == CallFailed('"no such field"', answered=True)
        assert isinstance(verdict, CallFailed)
        assert verdict.http_status == 422
    assert costs.asked == ["include_cost=true", ""] * 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (error(400005), 400),
        (error(404001), 404),
        (error(401001), 401),
        (error(403001), 403),
        (error(429001), 429),
        (error(500001), 500),
        ({"status": "failed", "error": "broke"}, 422),
    ],
)
async def test_any_other_answer_says_nothing_about_the_question(body: Any, status: int) -> None:
    """The result is asked for once."""
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.query.decode())
        return httpx.Response(status, json=body)

    await api(handle).result("id")
    assert asked == ["include_cost=true"]


async def test_the_question_without_costs_may_fail_as_well() -> None:
    """Then it is asked again."""

    def handle(request: httpx.Request) -> httpx.Response:
        if not request.url.query:
            raise httpx.ConnectError("no")
        return httpx.Response(422, json={})

    assert isinstance(await api(handle).result("id"), CallFailed)


FAILED = FailureKind.REMOTE_FAILED


@pytest.mark.parametrize(
    ("body", "status", "verdict"),
    [
        ({"status": "in_progress"}, 200, ResultNotReady("in_progress")),
        ({"status": "never heard"}, 200, ResultNotReady("never_heard")),
        (error(400005), 400, ResultNotReady("not ready")),
        ({"status": "cancelled"}, 200, RunCancelled()),
        ({}, 200, CallFailed("the result has no status word", answered=True)),
        (error(404001), 404, UnknownId('"why"', "404001")),
        (error(500001), 500, CallFailed('"why"')),
        (error(400004), 400, Stopped(PauseReason.TOKEN, '"why"', "400004")),
        ({"status": "failed"}, 200, RunFailed(None, None)),
        (
            {"status": "failed", "error": "broke", "cost": 0.04},
            200,
            RunFailed(Failure(FAILED, "broke"), Decimal("0.04")),
        ),
        (
            {"status": "failed", "error": {"code": "E1", "message": "broke"}},
            200,
            RunFailed(Failure(FAILED, "broke", "E1"), None),
        ),
        ({"status": "failed", "failure_reason": "gave up"}, 200, RunFailed(Failure(FAILED, "gave up"), None)),
        ({"status": "failed", "reason": "gave up"}, 200, RunFailed(Failure(FAILED, "gave up"), None)),
        ({"status": "failed", "message": "gave up"}, 200, RunFailed(Failure(FAILED, "gave up"), None)),
        ({"status": "failed", "detail": [{"msg": 1}]}, 200, RunFailed(Failure(FAILED, '[{"msg": 1}]'), None)),
        (
            {"status": "failed", "error": ["a", 1]},
            200,
            RunFailed(Failure(FAILED, '["a", 1]'), None),
        ),
        (
            {"status": "failed", **error(500001)},
            500,
            RunFailed(Failure(FAILED, "why", "500001"), None),
        ),
        (
            {"status": "failed", "error": "OutputImageSensitiveContentDetected: no"},
            200,
            RunFailed(Failure(FailureKind.MODERATED, "OutputImageSensitiveContentDetected: no"), None),
        ),
    ],
)
async def test_result(body: Any, status: int, verdict: object) -> None:
    """Failed runs with their reason, of any JSON type."""
    assert await api(body, status).result("id") == verdict
