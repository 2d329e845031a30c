"""RunComfy's calls that cost nothing and decide little: cancel and price."""

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from jobs.pauses import PauseReason
from runner.providers.base import (
    CallFailed,
    CancelTaken,
    NoSuchModel,
    NotCancellable,
    Priced,
    Stopped,
    UnknownId,
)
from tests.unit.runner.providers.answering import HTML, api, error, refusing


@pytest.mark.parametrize(
    ("body", "status", "verdict"),
    [
        ({"outcome": "cancelled", "status": "completed"}, 202, CancelTaken()),
        ({"outcome": "cancellation_requested"}, 200, CancelTaken()),
        ({"status": "canceled"}, 200, CancelTaken()),
        ({"outcome": "not_cancellable", "status": "cancelled"}, 202, NotCancellable()),
        ({"outcome": None}, 200, CancelTaken()),
        ({}, 200, CancelTaken()),
        (b"", 204, CancelTaken()),
        (error(409001), 409, NotCancellable()),
        (error(404001), 404, UnknownId('"why"', "404001")),
        (error(403001), 403, UnknownId('"why"', "403001")),
        (error(400004), 400, Stopped(PauseReason.TOKEN, '"why"', "400004")),
        (error(500001), 500, CallFailed('"why"')),
        (HTML, 200, CallFailed("HTTP 200 with an HTML page")),
    ],
)
async def test_cancel(body: Any, status: int, verdict: object) -> None:
    """What it takes is a promise, whatever it calls that; the outcome has the word that it cannot."""
    assert await api(body, status).cancel("id") == verdict


@pytest.mark.parametrize(
    ("body", "status", "verdict"),
    [
        ({"base_price_usd": 0.04, "price_unit": "image"}, 200, Priced(Decimal("0.04"))),
        ({"base_price_usd": "0.04", "price_unit": "Output"}, 200, Priced(Decimal("0.04"))),
        ({"base_price_usd": 0.04}, 200, Priced(Decimal("0.04"))),
        ({"base_price_usd": 0.04, "price_unit": "second"}, 200, Priced(None)),
        ({"base_price_usd": None, "price_unit": "image"}, 200, Priced(None)),
        ({"base_price_usd": -1, "price_unit": "image"}, 200, Priced(None)),
        ({}, 200, Priced(None)),
        (error(400001), 400, NoSuchModel('"why"')),
        (error(404001), 404, NoSuchModel('"why"')),
        (error(400002), 400, Priced(None)),
        (error(400004), 400, Stopped(PauseReason.TOKEN, '"why"', "400004")),
        (error(429001), 429, CallFailed('"why"', answered=True)),
        (error(500001), 500, CallFailed('"why"')),
        (HTML, 404, NoSuchModel("HTTP 404")),
        (b"404 page not found", 404, NoSuchModel("HTTP 404")),
        (b"", 405, NoSuchModel("HTTP 405")),
        (HTML, 200, CallFailed("HTTP 200 with an HTML page")),
    ],
)
async def test_price(body: Any, status: int, verdict: object) -> None:
    """A convenience, and the question whether the API is there: odd prices are unknown ones."""
    assert await api(body, status).price("a/b") == verdict


@pytest.mark.parametrize("status", [401, 403, 407])
@pytest.mark.parametrize("body", [HTML, b"", {"message": "Forbidden"}, error(401001), error(403003)])
async def test_a_catalogue_that_is_refused_alone_is_no_bad_token(body: Any, status: int) -> None:
    """The price is unknown then: submits are taken with that token all the same."""

    def handle(request: httpx.Request) -> httpx.Response:
        if "/requests/" in request.url.path:
            return httpx.Response(404, json=error(404001))
        return httpx.Response(status, content=body if isinstance(body, bytes) else json.dumps(body).encode())

    assert await api(handle).price("a/b") == Priced(None)


async def test_a_catalogue_that_is_refused_while_the_api_is_silent_says_nothing() -> None:
    """Then nobody knows whether the API is there."""

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(502 if "/requests/" in request.url.path else 403)

    assert await api(handle).price("a/b") == CallFailed("HTTP 403")


async def test_no_connection() -> None:
    """Trouble, whatever the call, and never an exception."""
    provider = api(refusing(httpx.ConnectError("no")))
    for verdict in (
        await provider.status("id"),
        await provider.result("id"),
        await provider.cancel("id"),
        await provider.price("a/b"),
    ):
        assert isinstance(verdict, CallFailed)
        assert not verdict.answered
