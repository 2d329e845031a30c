"""RunComfy's results: addresses, costs, and reasons for what failed."""

from decimal import Decimal
from typing import Any

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
        ({"images": [None, 7, "", "x" * 9000, [[[A]]]]}, ()),
        ({"images": []}, ()),
        ({"video": A}, ()),
        (None, ()),
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


FAILED = FailureKind.REMOTE_FAILED


@pytest.mark.parametrize(
    ("body", "status", "verdict"),
    [
        ({"status": "in_progress"}, 200, ResultNotReady("in_progress")),
        ({"status": "never heard"}, 200, ResultNotReady("never_heard")),
        (error(400005), 400, ResultNotReady("not ready")),
        ({"status": "cancelled"}, 200, RunCancelled()),
        ({}, 200, CallFailed("the result has no status word", answered=True)),
        (error(404001), 404, UnknownId("why", "404001")),
        (error(500001), 500, CallFailed("why")),
        (error(400004), 400, Stopped(PauseReason.TOKEN, "why", "400004")),
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
