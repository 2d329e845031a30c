"""The provider against the emulator over real HTTP: one meaning, whatever the documentation leaves open."""

from decimal import Decimal
from typing import Any

import pytest

from jobs.failures import FailureKind
from jobs.pauses import PauseReason
from runner.providers.base import (
    CancelTaken,
    Denied,
    NoSuchModel,
    NotCancellable,
    Priced,
    RemoteStatus,
    RemoteStatusReport,
    ResultNotReady,
    ResultReady,
    RunCancelled,
    RunFailed,
    Stopped,
    TurnedAway,
    UnknownId,
)
from tests.contract.provided import PROMPT, SERIES, SINGLE, api
from tests.unit.runner.emulator.served import SEQUENTIAL

CHOICES: list[dict[str, Any]] = [
    {},
    {"errors_on_200": True},
    {"submit_status": 202},
    {"success_word": "completed"},
    {"single_picture_as": "images"},
    {"unfinished_result": "error"},
    {"unfinished_result": "error", "errors_on_200": True},
    {"failed_in_status": True},
    {"error_shape": "object"},
    {"error_shape": "none"},
    {"echo_inputs": True},
    {"timestamps": "epoch"},
    {"timestamps": "none"},
    {"cancel_word": "cancelled"},
    {"token_status": 401, "balance_status": 402, "schema_status": 400},
    {"token_status": 403},
]
each_choice = pytest.mark.parametrize("choice", CHOICES, ids=[str(choice) for choice in CHOICES])


@each_choice
async def test_a_job_from_submit_to_its_pictures(choice: dict[str, Any]) -> None:
    """Queued or working, then done, with its addresses and its cost."""
    async with api(**choice) as a:
        request_id = await a.taken(SEQUENTIAL, SERIES)
        standing = await a.provider.status(request_id)
        assert isinstance(standing, RemoteStatusReport)
        assert standing.status is RemoteStatus.WORKING
        assert isinstance(await a.provider.result(request_id), ResultNotReady)
        a.clock.ahead += 100
        standing = await a.provider.status(request_id)
        assert isinstance(standing, RemoteStatusReport)
        assert standing.status is RemoteStatus.DONE
        ready = await a.provider.result(request_id)
        assert isinstance(ready, ResultReady)
        assert (len(ready.urls), ready.cost_usd) == (2, Decimal("0.08"))
        single = await a.provider.result(await a.ended())
        assert isinstance(single, ResultReady)
        assert (len(single.urls), single.cost_usd) == (1, Decimal("0.04"))


@each_choice
async def test_a_run_that_fails(choice: dict[str, Any]) -> None:
    """Wherever it says so, and in whatever shape; moderated where its words say so."""
    async with api(failed_share=1.0, **choice) as a:
        verdict = await a.provider.result(await a.ended())
        assert isinstance(verdict, RunFailed)
        silent = choice.get("error_shape") == "none"
        said = None if silent else (FailureKind.REMOTE_FAILED, "The run failed on the worker.")
        assert (verdict.failure and (verdict.failure.kind, verdict.failure.message)) == said
        assert verdict.cost_usd == Decimal("0.04")
    async with api(moderated_share=1.0, **choice) as a:
        verdict = await a.provider.result(await a.ended())
        assert isinstance(verdict, RunFailed)
        kind = verdict.failure and verdict.failure.kind
        assert (kind is FailureKind.MODERATED) is not silent


@each_choice
async def test_a_queue_and_a_cancel(choice: dict[str, Any]) -> None:
    """Only what is queued can be cancelled; afterwards both calls say so."""
    async with api(slots=1, **choice) as a:
        first, second = await a.taken(), await a.taken()
        queued = await a.provider.status(second)
        assert isinstance(queued, RemoteStatusReport)
        assert (queued.status, queued.queue_position is not None) == (RemoteStatus.QUEUED, True)
        assert isinstance(await a.provider.cancel(second), CancelTaken)
        assert isinstance(await a.provider.cancel(first), NotCancellable)
        standing = await a.provider.status(second)
        assert isinstance(standing, RemoteStatusReport)
        assert standing.status is RemoteStatus.CANCELLED
        assert isinstance(await a.provider.result(second), RunCancelled)


@each_choice
async def test_what_is_refused(choice: dict[str, Any]) -> None:
    """Inputs, model and id: each in its own way, and nothing is in the ledger."""
    async with api(**choice) as a:
        for model, payload in (
            (SINGLE, b"{}"),
            (SINGLE, b'{"prompt": 7}'),
            ("no/such-model", PROMPT),
            (SINGLE, b"x"),
        ):
            denied = await a.provider.submit(model, payload)
            assert isinstance(denied, Denied)
            assert denied.failure.kind is FailureKind.REFUSED
        assert isinstance(await a.provider.status("unknown"), UnknownId)
        assert isinstance(await a.provider.result("unknown"), UnknownId)
        assert isinstance(await a.provider.cancel("unknown"), UnknownId)
        assert isinstance(await a.provider.price("no/such-model"), NoSuchModel)
        assert await a.provider.price(SINGLE) == Priced(Decimal("0.04"))
        assert a.service.ledger == []


@each_choice
async def test_token_and_balance(choice: dict[str, Any]) -> None:
    """Neither is a row's fault."""
    async with api(balance_usd=Decimal("0.01"), **choice) as a:
        verdict = await a.provider.submit(SINGLE, PROMPT)
        assert isinstance(verdict, Stopped)
        assert (verdict.reason, verdict.code) == (PauseReason.BALANCE, "400002")
        a.service.revoke("night")
        for call in (
            a.provider.submit(SINGLE, PROMPT),
            a.provider.status("id"),
            a.provider.result("id"),
            a.provider.cancel("id"),
            a.provider.price(SINGLE),
        ):
            stopped = await call
            assert isinstance(stopped, Stopped)
            assert (stopped.reason, stopped.code) == (PauseReason.TOKEN, "400004")
        assert a.service.ledger == []


@pytest.mark.parametrize(("told", "seconds"), [("seconds", 3), ("date", 3), ("none", None)])
async def test_too_many(told: str, seconds: float | None) -> None:
    """Turned away, with the wait that was asked for."""
    async with api(max_submits_per_second=1, retry_after=told, retry_after_seconds=3) as a:
        await a.taken()
        assert await a.provider.submit(SINGLE, PROMPT) == TurnedAway(
            '"Too many requests."', seconds, busy=True
        )
        assert len(a.service.ledger) == 1
