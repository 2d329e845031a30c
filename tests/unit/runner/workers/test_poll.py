"""Polling: what each answer comes to, and how much patience each trouble is worth."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from jobs.failures import Failure, FailureKind
from jobs.outcomes import Accepted, LinksExpired
from jobs.pauses import PauseReason
from jobs.states import JobState
from runner.limits.guards import GuardLimits
from runner.providers.base import (
    CallFailed,
    RemoteStatus,
    RemoteStatusReport,
    ResultNotReady,
    ResultReady,
    RunCancelled,
    RunFailed,
    UnknownId,
)
from runner.workers.poll import watch
from tests.support.scripted import DONE, URL, WORKING
from tests.support.tables import ESTIMATE, claimed
from tests.support.virtual_time import virtual
from tests.support.world import World, at_the_api, watch_to_its_pictures

FAILED = RemoteStatusReport(RemoteStatus.FAILED, "failed")
CANCELLED = RemoteStatusReport(RemoteStatus.CANCELLED, "cancelled")
UNKNOWN = UnknownId("ResourceNotFound.", "404001")
BROKEN = RunFailed(Failure(FailureKind.REMOTE_FAILED, "The run failed.", "500"), Decimal("0.04"))


@virtual
async def test_a_job_that_is_done_goes_on_to_its_pictures(tmp_path: Path) -> None:
    """Its addresses and its cost are on disk, and the estimate has made place for the cost."""
    async with at_the_api(tmp_path) as (w, job):
        queued = RemoteStatusReport(RemoteStatus.QUEUED, "in_queue", 3)
        w.provider.says("status", queued, WORKING, DONE)
        w.provider.says("result", ResultReady((URL, URL + "2"), Decimal("0.04")))
        done = await watch(w.run, job)
        assert done is not None
        assert (done.state, done.urls) == (JobState.FETCHING, (URL, URL + "2"))
        (attempt,) = w.attempts()
        assert (attempt["cost_usd"], attempt["ended"]) == (40_000, "done")
        assert w.run.limits.budget.committed == Decimal("0.04")
        assert [call.about for call in w.provider.calls] == ["req-1"] * 4


@pytest.mark.parametrize("kind", [FailureKind.NO_IMAGES, FailureKind.MODERATED])
def test_a_run_that_is_done_without_an_image_keeps_its_reason(tmp_path: Path, kind: FailureKind) -> None:
    """It is paid for; `retry` asks for it again, free, and nothing sends it again by itself."""

    @virtual
    async def test() -> None:
        async with at_the_api(tmp_path, max_attempts=5) as (w, job):
            why = Failure(kind, "The picture was withheld.", "E1")
            w.provider.says("result", ResultReady((), Decimal("0.04"), why))
            await watch(w.run, job)
            found = await w.job()
            assert (found.state, found.failure, found.cost_usd) == (JobState.FAILED, why, Decimal("0.04"))
            (attempt,) = w.attempts()
            assert (attempt["ended"], w.run.tally.ended) == ("done", 1)
            assert "The picture was withheld." in w.notices[0]

    test()


@virtual
async def test_the_pace(tmp_path: Path) -> None:
    """Not at once, then from `poll_min` to `poll_max`, never in step."""
    async with at_the_api(tmp_path, poll_min=2, poll_max=10) as (w, job):
        w.provider.says("status", *[WORKING] * 30, DONE)
        await watch(w.run, job)
        polls = [call.at for call in w.provider.asked("status")]
        gaps = [later - earlier - w.provider.seconds for earlier, later in pairwise(polls)]
        assert 1 <= polls[0] <= 2
        assert 1 <= gaps[0] <= 2
        assert all(5 <= gap <= 10.001 for gap in gaps[5:])
        assert len({round(gap, 3) for gap in gaps[5:]}) > 10


@pytest.mark.parametrize("status", [DONE, FAILED])
def test_a_failed_run_fails_the_job(tmp_path: Path, status: RemoteStatusReport) -> None:
    """With the API's reason, whichever of the two calls says so; what it cost is known."""

    @virtual
    async def test() -> None:
        async with at_the_api(tmp_path) as (w, job):
            w.provider.says("status", status)
            w.provider.says("result", BROKEN)
            await watch(w.run, job)
            found = await w.job()
            assert (found.state, found.failure) == (JobState.FAILED, BROKEN.failure)
            assert (found.cost_usd, w.run.limits.budget.committed) == (Decimal("0.04"), Decimal("0.04"))
            assert w.run.tally.ended == 1

    test()


@virtual
async def test_a_failed_run_without_a_reason(tmp_path: Path) -> None:
    """The status says failed, the result says nothing."""
    async with at_the_api(tmp_path) as (w, job):
        w.provider.says("status", FAILED)
        w.provider.says("result", ResultNotReady("failed"))
        await watch(w.run, job)
        assert (await w.job()).failure == Failure(FailureKind.REMOTE_FAILED, "The API gave no reason.")


@pytest.mark.parametrize("by", ["status", "result"])
def test_cancelled_at_the_api(tmp_path: Path, by: str) -> None:
    """Whichever call says so."""

    @virtual
    async def test() -> None:
        async with at_the_api(tmp_path) as (w, job):
            w.provider.says(by, CANCELLED if by == "status" else RunCancelled())
            await watch(w.run, job)
            found = await w.job()
            assert found.state is JobState.CANCELLED
            assert found.failure is not None
            assert found.failure.kind is FailureKind.CANCELLED

    test()


@virtual
async def test_a_word_that_nobody_knows_is_waited_out(tmp_path: Path) -> None:
    """Told once a word."""
    async with at_the_api(tmp_path) as (w, job):
        odd, odder = RemoteStatusReport(None, "reticulating"), RemoteStatusReport(None, "dreaming")
        w.provider.says("status", odd, odd, odd, odder, odder, DONE)
        await watch_to_its_pictures(w, job)
        assert [notice.split("'")[3] for notice in w.notices] == ["reticulating", "dreaming"]


@virtual
async def test_an_id_is_given_a_minute_to_be_known(tmp_path: Path) -> None:
    """404s before say nothing, however many there are."""
    async with at_the_api(tmp_path) as (w, job):
        w.provider.says("status", lambda _call: UNKNOWN if w.clock.monotonic() < 59 else DONE)
        await watch_to_its_pictures(w, job)
        assert len(w.provider.asked("status")) > 20


def knows_others_until(w: World, moment: float) -> Callable[[object], UnknownId]:
    """An API that does not know this id, and takes a submit now and then until that moment."""

    def status(_call: object) -> UnknownId:
        if w.clock.monotonic() < moment:
            w.run.known_ids.submit_taken()
        return UNKNOWN

    return status


@virtual
async def test_an_id_that_stays_unknown_is_lost(tmp_path: Path) -> None:
    """After a quarter of an hour in which the API took others; never sent again by itself."""
    async with at_the_api(tmp_path, max_attempts=5) as (w, job):
        await w.clock.sleep(61)
        w.provider.says("status", knows_others_until(w, 200))
        await watch(w.run, job)
        found = await w.job()
        assert found.state is JobState.FAILED
        assert found.failure == Failure(
            FailureKind.LOST, "The API does not know its request_id any more: ResourceNotFound.", "404001"
        )
        asked = [call.at for call in w.provider.asked("status")]
        assert 900 <= asked[-1] - asked[0] < 920
        assert min(later - earlier for earlier, later in pairwise(asked)) >= 15


@virtual
async def test_an_id_is_not_lost_while_the_api_knows_none(tmp_path: Path) -> None:
    """A failover answers 404 to everybody: this run stops waiting at the deadline, the next one asks on."""
    async with at_the_api(tmp_path) as (w, job):
        w.run.known_ids.submit_taken()
        await w.clock.sleep(61)
        w.provider.says("status", UNKNOWN)
        assert await watch(w.run, job) is None
        assert (await w.job()).state is JobState.RUNNING
        assert (w.run.tally.overdue, w.clock.monotonic() > 3500, w.stops) == (1, True, [])
        (told,) = w.notices
        assert "(the API's last answer: it does not know this request (404001: ResourceNotFound))" in told
        assert "`nightsheet cancel --job KEY` gives it up" in told


@virtual
async def test_unknown_now_and_then_is_not_lost(tmp_path: Path) -> None:
    """A useful answer in between takes it all back."""
    async with at_the_api(tmp_path) as (w, job):
        await w.clock.sleep(61)
        w.provider.says("status", *[*[UNKNOWN] * 50, WORKING] * 3, DONE)
        await watch_to_its_pictures(w, job)


@virtual
async def test_the_result_may_be_unknown_too(tmp_path: Path) -> None:
    """The API knows the id, so the result is late, for a quarter of an hour; then it is gone."""
    async with at_the_api(tmp_path) as (w, job):
        await w.clock.sleep(61)
        w.provider.says(
            "result", lambda _call: UNKNOWN if w.clock.monotonic() < 900 else ResultReady((URL,), None)
        )
        await watch_to_its_pictures(w, job)
        assert await w.store.jobs.apply(LinksExpired(job.id))
        w.provider.says("result", UNKNOWN)
        begun = w.clock.monotonic()
        await watch(w.run, await w.running())
        failure = (await w.job()).failure
        assert failure is not None
        assert failure.kind is FailureKind.LOST
        assert 900 <= w.clock.monotonic() - begun < 920


REASON = Failure(FailureKind.REMOTE_FAILED, "GPU broke")
MODERATED = Failure(FailureKind.MODERATED, "sensitive")
NO_RESULT = (
    UNKNOWN,
    ResultNotReady("in_progress"),
    CallFailed("HTTP 422", answered=True, http_status=422),
    CallFailed("HTTP 500", http_status=500),
)


@pytest.mark.parametrize("result", NO_RESULT)
@pytest.mark.parametrize("told", [None, REASON, MODERATED])
def test_a_run_that_failed_needs_no_result(tmp_path: Path, told: Failure | None, result: object) -> None:
    """Its status has said what counts; where it gave no reason, the result is asked a few times."""

    @virtual
    async def test() -> None:
        async with at_the_api(tmp_path, max_attempts=1) as (w, job):
            w.provider.says("status", RemoteStatusReport(RemoteStatus.FAILED, "failed", None, told))
            w.provider.says("result", result)
            await watch(w.run, job)
            found = await w.job()
            assert found.state is JobState.FAILED
            assert found.failure == (told or Failure(FailureKind.REMOTE_FAILED, "The API gave no reason."))
            assert len(w.provider.asked("result")) <= 3

    test()


@virtual
async def test_what_the_status_calls_moderated_is_so(tmp_path: Path) -> None:
    """Whatever the result says, or does not say: it is not sent again."""
    async with at_the_api(tmp_path, max_attempts=5) as (w, job):
        w.provider.says("status", RemoteStatusReport(RemoteStatus.FAILED, "failed", None, MODERATED))
        w.provider.says("result", RunFailed(None, Decimal("0.04")))
        await watch(w.run, job)
        found = await w.job()
        assert (found.state, found.failure) == (JobState.FAILED, MODERATED)


@virtual
async def test_a_failed_run_whose_result_brings_no_answer_at_all_is_waited_for(tmp_path: Path) -> None:
    """A broken wire is nobody's word."""
    async with at_the_api(tmp_path) as (w, job):
        w.provider.says("status", RemoteStatusReport(RemoteStatus.FAILED, "failed", None, REASON))
        silent = CallFailed("no answer")
        w.provider.says("result", silent, silent, silent, silent, silent, BROKEN)
        await watch(w.run, job)
        assert (await w.job()).failure == BROKEN.failure


@virtual
async def test_a_result_may_be_ten_minutes_late(tmp_path: Path) -> None:
    """And not more: the job stays where it is, and the next run asks again."""
    async with at_the_api(tmp_path) as (w, job):
        w.provider.says(
            "result",
            lambda _c: ResultNotReady("x") if w.clock.monotonic() < 590 else ResultReady((URL,), None),
        )
        await watch_to_its_pictures(w, job)
    (folder := tmp_path / "late").mkdir()
    async with at_the_api(folder) as (w, job):
        begun = w.clock.monotonic()
        w.provider.says("result", ResultNotReady("in_progress"))
        assert await watch(w.run, job) is None
        assert 600 <= w.clock.monotonic() - begun < 620
        assert ((await w.job()).state, w.run.tally.overdue) == (JobState.RUNNING, 1)
        assert w.notices == [
            "Job 'a' is done at the API, but its result has not come for 10 minutes (the API's last answer: "
            "the result is 'in_progress'): this run waits no longer. "
            "Nothing is lost, the next run asks again."
        ]


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (CallFailed("no such field.", answered=True, http_status=422), "HTTP 422: no such field"),
        (CallFailed("an unexpected redirect (HTTP 302)", http_status=302), "redirect (HTTP 302)"),
        (CallFailed("HTTP 500", http_status=500), "HTTP 500"),
    ],
)
def test_a_result_that_is_refused_for_ever_is_told_with_who_said_what(
    tmp_path: Path, result: CallFailed, told: str
) -> None:
    """After ten minutes, and not as a run that has not ended."""

    @virtual
    async def test() -> None:
        async with at_the_api(tmp_path) as (w, job):
            w.provider.says("result", result)
            assert await watch(w.run, job) is None
            assert 600 <= w.clock.monotonic() < 660
            assert ((await w.job()).state, w.run.tally.overdue, w.stops) == (JobState.RUNNING, 1, [])
            (notice,) = w.notices
            assert "'a' is done at the API, but its result has not come for 10 minutes" in notice
            assert f"{told}): this run waits no longer" in notice

    test()


@pytest.mark.parametrize(
    "result",
    [
        CallFailed("HTTP 429", answered=True, http_status=429),
        CallFailed("HTTP 503", retry_after_seconds=5, http_status=503),
        CallFailed("no answer"),
    ],
)
def test_a_result_that_does_not_come_for_a_busy_or_silent_api_is_waited_for(
    tmp_path: Path, result: CallFailed
) -> None:
    """Nobody refuses it."""

    @virtual
    async def test() -> None:
        async with at_the_api(tmp_path) as (w, job):
            w.provider.says(
                "result", lambda _call: result if w.clock.monotonic() < 1200 else ResultReady((URL,), None)
            )
            await watch_to_its_pictures(w, job)

    test()


@virtual
async def test_at_the_deadline_this_run_waits_no_longer(tmp_path: Path) -> None:
    """The job stays at the API, its id kept."""
    async with at_the_api(tmp_path, deadline=120) as (w, job):
        w.provider.says("status", WORKING)
        assert await watch(w.run, job) is None
        assert 110 <= w.clock.monotonic() <= 120
        assert ((await w.job()).state, w.run.tally.overdue, w.stops) == (JobState.RUNNING, 1, [])
        assert "after 120 s" in w.notices[0]


@virtual
async def test_a_failed_run_is_sent_again_where_the_user_allows_it(tmp_path: Path) -> None:
    """Up to that many submits, and never what was moderated."""
    async with at_the_api(tmp_path, max_attempts=2) as (w, job):
        w.provider.says("result", BROKEN)
        await watch(w.run, job)
        found = await w.job()
        assert (found.state, found.failure, w.run.tally.ended) == (JobState.QUEUED, None, 0)
        assert "it is submitted again" in w.notices[0]
        assert w.stops == []
        again = await w.queued()
        assert await w.store.jobs.claim(claimed(again.id, w.clock.now(), ESTIMATE))
        assert await w.store.jobs.apply(Accepted(again.id, "req-2", w.clock.now()))
        await watch(w.run, await w.running())
        assert (await w.job()).state is JobState.FAILED
        assert [row["number"] for row in w.attempts()] == [1, 2]


@virtual
async def test_a_failed_run_counts_although_its_job_is_sent_again(tmp_path: Path) -> None:
    """The guards hear of it at once, and not when its last submit has failed."""
    guards = GuardLimits(failures_in_a_row=1, canary=0)
    async with at_the_api(tmp_path, max_attempts=2, guard_limits=guards) as (w, job):
        w.provider.says("result", BROKEN)
        await watch(w.run, job)
        assert (await w.job()).state is JobState.QUEUED
        assert [stop.reason for stop in w.stops] == [PauseReason.GUARD]


@virtual
async def test_what_nobody_wants_any_more_ends_as_it_failed(tmp_path: Path) -> None:
    """It is not sent again, is not told to be, and counts as ended."""
    async with at_the_api(tmp_path, max_attempts=2) as (w, job):
        w.provider.says("result", BROKEN)
        await w.store.jobs.cancel(w.run.batch.id)
        await watch(w.run, job)
        assert ((await w.job()).state, w.run.tally.ended) == (JobState.FAILED, 1)
        (told,) = w.notices
        assert told.startswith("Job 'a' failed (remote_failed): ")


@virtual
async def test_what_was_moderated_is_never_sent_again(tmp_path: Path) -> None:
    """It would be moderated again, and paid again."""
    async with at_the_api(tmp_path, max_attempts=5) as (w, job):
        w.provider.says("result", RunFailed(Failure(FailureKind.MODERATED, "sensitive"), None))
        await watch(w.run, job)
        assert (await w.job()).state is JobState.FAILED


@virtual
async def test_an_id_of_an_odd_database_goes_into_no_url(tmp_path: Path) -> None:
    """It ends as lost."""
    async with at_the_api(tmp_path) as (w, job):
        await watch(w.run, replace(job, request_id="../../admin"))
        assert w.provider.calls == []
        failure = (await w.job()).failure
        assert failure is not None
        assert failure.kind is FailureKind.LOST


@virtual
async def test_links_that_are_asked_for_again_are_paid_for_once(tmp_path: Path) -> None:
    """What it cost is counted once, however often it is told."""
    async with at_the_api(tmp_path) as (w, job):
        for _ in range(3):
            await watch_to_its_pictures(w, job)
            assert w.run.limits.budget.committed == Decimal("0.04")
            assert await w.store.jobs.apply(LinksExpired(job.id))
            job = await w.running()
