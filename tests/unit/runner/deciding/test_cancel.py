"""A cancel, as a value: nothing is printed, and an API that cannot be opened is no exception."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from jobs.errors import TokenProblem
from jobs.exit_codes import ExitCode
from jobs.store.store import Store
from runner.clock import SystemClock
from runner.deciding.cancel import CancelResult, cancel
from runner.providers.connect import Api
from tests.unit.runner.cli.world import World, accepted, job


@pytest.fixture
def night(world: World) -> World:
    """A job that is queued, and one at the API."""
    world.load(job(0, "queued"), job(1, "running"))
    world.move("running", accepted("r-1"))
    return world


def cancelled(world: World, keys: Sequence[str] | None) -> CancelResult:
    """Cancel; the API has no token."""

    @asynccontextmanager
    async def no_token() -> AsyncIterator[Api]:
        raise TokenProblem("There is no API token.")
        yield

    async def inside(store: Store) -> CancelResult:
        return await cancel(
            store,
            await store.batches.named(None),
            keys,
            clock=SystemClock(),
            open_api=no_token,
            notice=lambda _text: None,
        )

    return world.store(inside)


def test_queued_jobs_need_no_api(night: World, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not opened."""
    result = cancelled(night, ["queued"])
    assert (result.queued, result.error, result.exit_code) == (1, None, ExitCode.OK)
    assert capsys.readouterr() == ("", "")


def test_an_api_that_cannot_be_opened_is_a_value(night: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The request is kept for the next run."""
    result = cancelled(night, None)
    assert isinstance(result.error, TokenProblem)
    assert (result.queued, result.waiting, result.exit_code) == (1, ["running"], ExitCode.TOKEN)
    assert capsys.readouterr() == ("", "")


def test_nothing_that_was_named_could_be_cancelled(night: World) -> None:
    """Exit code 1, and the reason for each."""
    cancelled(night, ["queued"])
    result = cancelled(night, ["queued"])
    assert result.is_empty
    assert result.exit_code is ExitCode.INCOMPLETE
    assert [(one.key, one.reason) for one in result.not_changed] == [("queued", "it is cancelled")]
