"""The provider over real HTTP, one fault at a time."""

from typing import Any

import pytest

from runner.providers.base import (
    CallFailed,
    Denied,
    NoSuchModel,
    RemoteStatusReport,
    ResultNotReady,
    ResultReady,
    Stopped,
    Taken,
    TurnedAway,
    Unconfirmed,
    UnknownId,
)
from tests.contract.provided import PROMPT, SINGLE, api

STALLED = 0.5
"""Seconds that are waited for an answer that never comes."""

SUBMIT_FAULTS: list[tuple[str, dict[str, Any], type]] = [
    ("http", {"status": 500}, Unconfirmed),
    ("http", {"status": 502, "shape": "html"}, Unconfirmed),
    ("http", {"status": 503}, Unconfirmed),
    ("http", {"status": 503, "retry_after": 2}, TurnedAway),
    ("http", {"status": 504, "shape": "empty"}, Unconfirmed),
    ("http", {"status": 429, "retry_after": "junk"}, TurnedAway),
    ("http", {"status": 408, "shape": "empty"}, Unconfirmed),
    ("http", {"status": 408, "retry_after": 1}, TurnedAway),
    ("http", {"status": 425, "shape": "text"}, Unconfirmed),
    ("http", {"status": 503, "shape": "html", "retry_after": 2}, Unconfirmed),
    ("http", {"status": 409}, Denied),
    ("http", {"status": 413, "shape": "html"}, Denied),
    ("error_on_200", {}, Unconfirmed),
    ("error_on_200", {"error_code": 422001}, Denied),
    ("html", {}, Unconfirmed),
    ("redirect", {}, Unconfirmed),
    ("drop", {}, Unconfirmed),
    ("reset", {}, Unconfirmed),
    ("stall", {}, Unconfirmed),
    ("no_id", {}, Unconfirmed),
    ("cut", {}, Unconfirmed),
    ("moderated", {}, Denied),
    ("token", {}, Stopped),
    ("balance", {}, Stopped),
]


@pytest.mark.parametrize(("kind", "fields", "verdict"), SUBMIT_FAULTS)
async def test_a_submit_in_trouble(kind: str, fields: dict[str, Any], verdict: type) -> None:
    """Once; the next one is taken. It was sent once, and not repeated."""
    async with api(STALLED if kind == "stall" else 5.0) as a:
        a.arm("submit", kind, **fields)
        assert isinstance(await a.provider.submit(SINGLE, PROMPT), verdict)
        assert a.service.calls["submit"] == 1
        assert isinstance(await a.provider.submit(SINGLE, PROMPT), Taken)


async def test_an_answer_that_breaks_off_behind_its_id() -> None:
    """The id is told, to be written down and asked for."""
    async with api() as a:
        a.arm("submit", "truncate", count=100)
        verdict = await a.provider.submit(SINGLE, PROMPT)
        assert isinstance(verdict, Unconfirmed)
        assert verdict.named_id == a.service.ledger[0].request_id
        assert isinstance(await a.provider.status(verdict.named_id), RemoteStatusReport)
        a.arm("submit", "truncate", count=20)
        assert isinstance(await a.provider.submit(SINGLE, PROMPT), Unconfirmed)


FREE_FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("http", {"status": 500}),
    ("http", {"status": 502, "shape": "html"}),
    ("http", {"status": 503, "retry_after": 2}),
    ("http", {"status": 404, "shape": "html"}),
    ("http", {"status": 429}),
    ("error_on_200", {}),
    ("html", {}),
    ("redirect", {}),
    ("drop", {"times": None}),
    ("reset", {"times": None}),
    ("stall", {}),
    ("truncate", {}),
    ("cut", {}),
]


@pytest.mark.parametrize("endpoint", ["status", "result", "models", "cancel"])
@pytest.mark.parametrize(("kind", "fields"), FREE_FAULTS)
async def test_a_free_call_in_trouble(endpoint: str, kind: str, fields: dict[str, Any]) -> None:
    """Trouble, and nothing more: it may be asked again."""
    async with api(STALLED if kind == "stall" else 5.0) as a:
        request_id = await a.ended()
        a.arm(endpoint, kind, **fields)
        match endpoint:
            case "status":
                verdict: object = await a.provider.status(request_id)
            case "result":
                verdict = await a.provider.result(request_id)
            case "cancel":
                verdict = await a.provider.cancel(request_id)
            case _:
                verdict = await a.provider.price(SINGLE)
        if endpoint == "models" and fields.get("status") == 404:
            assert isinstance(verdict, NoSuchModel)  # the price is a convenience: that much is an answer
            return
        assert isinstance(verdict, CallFailed)
        later = fields.get("status") == 429 or "retry_after" in fields
        assert verdict.alone is (fields.get("status") == 404)  # another question was answered
        assert verdict.answered is (later or verdict.alone)


async def test_an_odd_status_and_an_odd_result() -> None:
    """Words, and pictures that are missing or too many: what is there is told."""
    async with api() as a:
        request_id = await a.ended()
        a.arm("status", "word", word="reticulating")
        assert await a.provider.status(request_id) == RemoteStatusReport(None, "reticulating")
        a.arm("result", "stays")
        assert await a.provider.result(request_id) == ResultNotReady("in_progress")
        for kind, many in (("no_pictures", 0), ("no_output", 0), ("more_pictures", 2)):
            a.arm("result", kind)
            verdict = await a.provider.result(request_id)
            assert isinstance(verdict, ResultReady)
            assert len(verdict.urls) == many
        a.arm("result", "unknown_id")
        assert isinstance(await a.provider.result(request_id), UnknownId)
