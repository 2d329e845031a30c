"""Decisions about unconfirmed jobs, as values."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from jobs.errors import NightsheetError, TokenProblem
from jobs.exit_codes import ExitCode
from jobs.pauses import PauseReason
from jobs.store.store import Store
from runner.clock import SystemClock
from runner.deciding.review import Decisions, ReviewResult, attach, discard, resubmit
from runner.deciding.reviewable import UnconfirmedJobs, unconfirmed_jobs
from runner.providers.base import RemoteStatus, RemoteStatusReport, Stopped
from runner.providers.connect import Api
from tests.unit.runner.cli.world import API, World, job, unanswered

if TYPE_CHECKING:
    from runner.deciding.changes import OpenApi


CLOCK = SystemClock()


@pytest.fixture
def night(world: World) -> World:
    """Two unconfirmed jobs."""
    world.load(job(0, "a"), job(1, "b"))
    for key in ("a", "b"):
        world.move(key, unanswered(), estimate="0.08")
    return world


def api_of(world: World, error: NightsheetError | None = None) -> "OpenApi":
    """Opens the API of the tests, or fails."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Api]:
        if error is not None:
            raise error
        yield Api(world.api, "https://api", API, lambda: None)  # type: ignore[arg-type]

    return opened


async def of(store: Store) -> UnconfirmedJobs:
    return await unconfirmed_jobs(store, await store.batches.named(None))


def test_the_api_is_opened_only_where_there_is_something_to_ask(night: World) -> None:
    """An id that another job has is settled without it."""

    async def inside(store: Store) -> ReviewResult:
        found = await of(store)
        first = await attach(Decisions(found, [(found.jobs[0], "r-1")]), store, api_of(night), CLOCK)
        assert [one.key for one in first.attached] == ["a"]
        unreachable = api_of(night, TokenProblem("no token"))
        return await attach(Decisions(found, [(found.jobs[1], "r-1")]), store, unreachable, CLOCK)

    night.api.statuses["r-1"] = RemoteStatusReport(RemoteStatus.WORKING, "in_progress")
    result = night.store(inside)
    assert (result.error, result.exit_code) == (None, ExitCode.INCOMPLETE)
    assert [line.reason for line in result.not_changed] == ["r-1 is the request of job a already"]


def test_an_api_that_cannot_be_opened_is_a_value(night: World) -> None:
    """Every job is left as it is, with the error's own exit code."""
    error = TokenProblem("There is no API token.")

    async def inside(store: Store) -> ReviewResult:
        found = await of(store)
        pairs = [(found.jobs[0], "r-1"), (found.jobs[1], "r-2")]
        return await attach(Decisions(found, pairs), store, api_of(night, error), CLOCK)

    result = night.store(inside)
    assert result.error is error
    assert result.exit_code is ExitCode.TOKEN
    assert [line.key for line in result.not_changed] == ["a", "b"]
    assert night.states() == {"a": "unconfirmed", "b": "unconfirmed"}


def test_a_refusal_ends_the_questions(night: World) -> None:
    """The jobs after it are named, with the same exit code."""
    night.api.statuses["r-1"] = Stopped(PauseReason.TOKEN, "Unauthorized")

    async def inside(store: Store) -> ReviewResult:
        found = await of(store)
        pairs = [(found.jobs[0], "r-1"), (found.jobs[1], "r-2")]
        return await attach(Decisions(found, pairs), store, api_of(night), CLOCK)

    result = night.store(inside)
    assert night.api.asked == [("status", "r-1")]
    assert result.exit_code is ExitCode.TOKEN
    assert result.not_changed[1].reason == "the API was not asked about it any more"


def test_without_consent_nothing_is_queued(night: World) -> None:
    """What is discarded beside it is discarded all the same."""

    async def inside(store: Store) -> ReviewResult:
        found = await of(store)
        decisions = Decisions(found, (), [found.jobs[0]], [found.jobs[1]])
        result = await resubmit(decisions, store, CLOCK, agreed=False, submit_timeout=60.0)
        return result + await discard(decisions, store, CLOCK)

    result = night.store(inside)
    assert result.resubmitted == ()
    assert [one.key for one in result.discarded] == ["b"]
    assert night.states() == {"a": "unconfirmed", "b": "failed"}


def test_results_add_up() -> None:
    """The gravest exit code stays, and the first error."""
    error = TokenProblem("no")
    total = ReviewResult(exit_code=ExitCode.UNREACHABLE) + ReviewResult(error=error)
    assert (total + ReviewResult(exit_code=ExitCode.INCOMPLETE)).exit_code is ExitCode.UNREACHABLE
    assert total.error is error
