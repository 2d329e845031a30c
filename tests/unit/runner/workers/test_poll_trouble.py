"""Polling in trouble: what stops it, what it rides out, and a wall clock that jumps."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from jobs.pauses import PauseReason
from jobs.states import JobState
from runner.providers.base import CallFailed, ResultReady, Stopped, UnknownId
from runner.workers.poll import watch
from tests.support.scripted import DONE, URL, WORKING
from tests.support.virtual_time import virtual
from tests.support.world import at_the_api, watch_to_its_pictures

UNKNOWN = UnknownId("ResourceNotFound.", "404001")


@pytest.mark.parametrize("years", [10, -10])
def test_a_jump_of_the_wall_clock_changes_nothing(tmp_path: Path, years: int) -> None:
    """Deadline, patience and pace go by the monotonic clock."""

    @virtual
    async def test() -> None:
        async with at_the_api(tmp_path, deadline=300) as (w, job):
            answers = iter([WORKING, WORKING, UNKNOWN])

            def jump(_call: object) -> object:
                w.clock.jump(timedelta(days=365 * years))
                return next(answers, WORKING)

            w.provider.says("status", jump, WORKING, jump, WORKING, jump, *[WORKING] * 20, DONE)
            await watch_to_its_pictures(w, job)
            assert w.clock.monotonic() < 150

    test()


@virtual
async def test_balance_trouble_lets_polls_go_on(tmp_path: Path) -> None:
    """What is paid for comes home."""
    async with at_the_api(tmp_path) as (w, job):
        w.provider.says("status", Stopped(PauseReason.BALANCE, "empty"), WORKING, DONE)
        await watch_to_its_pictures(w, job)
        assert [stop.reason for stop in w.stops] == [PauseReason.BALANCE]


@virtual
async def test_token_trouble_stops_polls(tmp_path: Path) -> None:
    """The job stays as it is."""
    async with at_the_api(tmp_path) as (w, job):
        w.provider.says("status", Stopped(PauseReason.TOKEN, "expired"), DONE)
        assert await watch(w.run, job) is None
        assert (await w.job()).state is JobState.RUNNING
        assert len(w.provider.calls) == 1


@virtual
async def test_trouble_is_ridden_out_with_backoff(tmp_path: Path) -> None:
    """A useful answer takes it back; Retry-After is kept to."""
    async with at_the_api(tmp_path) as (w, job):
        busy = CallFailed("429", retry_after_seconds=90, answered=True)
        odd = CallFailed("no status word", answered=True)
        w.provider.says("status", odd, odd, odd, odd, busy, WORKING, DONE)
        w.provider.says("result", odd, odd, ResultReady((URL,), None))
        await watch_to_its_pictures(w, job)
        polls = [call.at for call in w.provider.asked("status")]
        assert polls[5] - polls[4] >= 90
        assert all(
            later >= earlier for earlier, later in pairwise([b - a for a, b in pairwise(polls[:5])][::2])
        )
        assert w.stops == []
        assert w.provider.asked("price") == []


@virtual
@pytest.mark.parametrize(
    ("busy", "slower"),
    [
        (CallFailed("HTTP 429", answered=True, http_status=429), True),
        (CallFailed("HTTP 503", retry_after_seconds=20, http_status=503), True),
        (CallFailed("HTTP 503", http_status=503), False),
        (CallFailed("HTTP 429", http_status=429, alone=True), False),
        (CallFailed("no status word", retry_after_seconds=20, answered=True), False),
    ],
)
async def test_an_api_that_is_asked_too_often(tmp_path: Path, busy: CallFailed, slower: bool) -> None:
    """What it says of one poll, or of one result, holds for those of all jobs."""
    async with at_the_api(tmp_path) as (w, job):
        paces: list[float | None] = []
        w.provider.says("status", busy, DONE)
        w.provider.says("result", busy, ResultReady((URL,), None))
        turned_away = w.run.polling.pace.turned_away

        def seen(retry_after_seconds: float | None) -> None:
            turned_away(retry_after_seconds)
            paces.append(w.run.polling.pace.pace)

        w.run.polling.pace.turned_away = seen  # type: ignore[method-assign]
        await watch_to_its_pictures(w, job)
        assert len(paces) == (2 if slower else 0)
        assert None not in paces


@virtual
async def test_one_answer_lost_says_nothing_about_the_api(tmp_path: Path) -> None:
    """The second in a row does: then one free question goes for all jobs."""
    async with at_the_api(tmp_path) as (w, job):
        silent = CallFailed("no answer")
        w.provider.says("status", silent, WORKING, silent, silent, DONE)
        await watch_to_its_pictures(w, job)
        (question,) = w.provider.asked("price")
        assert w.provider.asked("status")[3].at < question.at < w.provider.asked("status")[4].at


@virtual
async def test_an_outage_pauses_in_the_end(tmp_path: Path) -> None:
    """The job stays at the API; an hour of silence costs few requests."""
    async with at_the_api(tmp_path, outage_limit=3600, deadline=7200) as (w, job):
        w.provider.says("status", CallFailed("no answer"))
        w.provider.says("price", CallFailed("no answer"))
        assert await watch(w.run, job) is None
        assert [stop.reason for stop in w.stops] == [PauseReason.OUTAGE]
        assert (await w.job()).state is JobState.RUNNING
        assert len(w.provider.calls) < 260


@virtual
async def test_an_answer_without_use_for_too_long_is_an_outage(tmp_path: Path) -> None:
    """The API answers, and never with anything that helps."""
    async with at_the_api(tmp_path, outage_limit=600) as (w, job):
        w.provider.says("status", CallFailed("HTTP 200 that makes no sense", answered=True))
        assert await watch(w.run, job) is None
        assert [stop.reason for stop in w.stops] == [PauseReason.OUTAGE]
        assert 600 <= w.clock.monotonic() < 660


@virtual
async def test_trouble_of_one_request_alone_is_no_outage(tmp_path: Path) -> None:
    """The API answers for others: this run waits for this one until its deadline, and says so."""
    async with at_the_api(tmp_path, outage_limit=600, deadline=3600) as (w, job):
        w.provider.says("status", CallFailed("HTTP 404", answered=True, alone=True, http_status=404))
        assert await watch(w.run, job) is None
        assert (w.stops, w.run.tally.overdue, w.run.limits.health.suspect) == ([], 1, False)
        assert (await w.job()).state is JobState.RUNNING
        assert w.clock.monotonic() > 3500
        assert any("'a' has not ended" in notice for notice in w.notices)


@virtual
async def test_a_refused_certificate_pauses_at_once(tmp_path: Path) -> None:
    """Even the first."""
    async with at_the_api(tmp_path) as (w, job):
        w.provider.says("status", CallFailed("not trusted", certificate=True))
        assert await watch(w.run, job) is None
        assert len(w.provider.calls) == 1
        assert [stop.reason for stop in w.stops] == [PauseReason.OUTAGE]
