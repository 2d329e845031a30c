"""The guards: a streak of failures, doubts above a limit, and the first jobs of a large batch alone."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import UsageProblem
from jobs.failures import FailureKind
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.store.sqlite.database import open_database
from jobs.store.store import Store
from jobs.views import FRONT, QueuedJob
from runner.limits.brake import Brake, Reach, Stop
from runner.limits.guards import GuardLimits, Guards
from runner.planning.consent import Ask
from runner.providers.base import Unconfirmed
from runner.recovery.recover import recover
from runner.workers.submit import submit
from tests.support.night import night
from tests.support.tables import claimed
from tests.support.virtual_time import virtual
from tests.support.world import world

F = FailureKind
AFTER_ACCEPTANCE = sorted(set(F) - {F.REFUSED})


class Guarded:
    """Guards, and the pauses that they have made."""

    def __init__(self, limits: GuardLimits | None = None, *, total: int = 100, proven: bool = False) -> None:
        self.stops: list[Stop] = []
        self.brake = Brake(self.stops.append)
        self.guards = Guards(limits or GuardLimits(), self.brake, total=total, proven=proven)

    def fail(self, times: int, kind: FailureKind = F.REMOTE_FAILED, *, at_submit: bool = False) -> "Guarded":
        for job_id in range(times):
            self.guards.failed(job_id, kind, at_submit=at_submit)
        return self

    def unconfirmed(self, times: int) -> "Guarded":
        for _ in range(times):
            self.guards.unconfirmed()
        return self

    def pauses_after(self, event: Callable[[Guards], None], at_most: int = 500) -> int | None:
        """How often it must happen until the batch is paused."""
        for times in range(1, at_most + 1):
            event(self.guards)
            if self.stops:
                return times
        return None


def fail(guards: Guards) -> None:
    guards.failed(1, F.REMOTE_FAILED)


# -- a streak of failures --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(F))
def test_twenty_failures_of_one_kind_pause(kind: FailureKind) -> None:
    """Not nineteen; told once, with the kind; submits stop, and what is paid for goes on."""
    w = Guarded().fail(19, kind)
    assert w.stops == []
    w.fail(1, kind)
    assert w.stops == [Stop(PauseReason.GUARD, f"20 jobs in a row ended as {kind}.")]
    assert w.brake.reach is Reach.SUBMITS
    w.fail(5, kind)
    assert len(w.stops) == 1


def test_a_success_breaks_the_streak() -> None:
    """The count begins at nothing again."""
    w = Guarded().fail(19)
    w.guards.succeeded()
    assert w.fail(19).stops == []
    assert len(w.fail(1).stops) == 1


def test_another_kind_breaks_the_streak() -> None:
    """And is the first of its own."""
    w = Guarded().fail(19).fail(1, F.EXPIRED)
    assert w.fail(19).stops == []
    assert w.fail(1).stops[0].detail == "20 jobs in a row ended as remote_failed."
    w = Guarded().fail(19).fail(19, F.EXPIRED)
    assert w.stops == []
    assert w.fail(1, F.EXPIRED).stops[0].detail == "20 jobs in a row ended as expired."


def test_kinds_in_turn_never_pause() -> None:
    """A sheet of mixed trouble is the rows' own."""
    w = Guarded()
    for _ in range(100):
        w.fail(1, F.REMOTE_FAILED).fail(1, F.EXPIRED)
    assert w.stops == []


@pytest.mark.parametrize("kind", [F.REFUSED, F.MODERATED])
def test_an_accepted_submit_breaks_a_streak_of_refusals(kind: FailureKind) -> None:
    """The API does not refuse everything."""
    w = Guarded().fail(19, kind, at_submit=True)
    w.guards.accepted()
    assert w.fail(19, kind, at_submit=True).stops == []
    assert len(w.fail(1, kind, at_submit=True).stops) == 1


def test_moderated_at_its_submit_and_moderated_at_its_end_are_two_things() -> None:
    """The first is free, the second is paid for."""
    w = Guarded().fail(19, F.MODERATED, at_submit=True).fail(19, F.MODERATED)
    assert w.stops == []
    assert len(w.fail(1, F.MODERATED).stops) == 1


def test_what_recovery_found_does_not_count() -> None:
    """An earlier run sent it: it says nothing about this one, and its canaries are this run's first."""
    stops: list[Stop] = []
    recovered = frozenset(range(25))
    guards = Guards(GuardLimits(), Brake(stops.append), total=2000, proven=False, recovered=recovered)
    for job_id in recovered:
        guards.failed(job_id, F.REMOTE_FAILED)
    assert stops == []
    assert not guards.holds_back
    for job_id in range(100, 103):
        guards.failed(job_id, F.REMOTE_FAILED)
    assert len(stops) == 1


@pytest.mark.parametrize("kind", AFTER_ACCEPTANCE)
def test_an_accepted_submit_says_nothing_of_what_comes_after_it(kind: FailureKind) -> None:
    """Else eight jobs in flight would hide that all of them fail."""
    w = Guarded()
    for _ in range(20):
        w.guards.accepted()
        w.fail(1, kind)
    assert len(w.stops) == 1


def test_a_doubt_does_not_break_the_streak() -> None:
    """It is neither a success nor another failure."""
    assert len(Guarded().fail(19).unconfirmed(1).fail(1).stops) == 1


# -- doubts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "allowed"), [(0, 20), (100, 20), (1000, 20), (1049, 20), (1050, 21), (5000, 100)]
)
def test_doubts_above_twenty_and_two_percent_pause(total: int, allowed: int) -> None:
    """The higher of the two, and one more than that; with the number in it."""
    w = Guarded(total=total, proven=True).unconfirmed(allowed)
    assert w.stops == []
    w.unconfirmed(1)
    assert [stop.reason for stop in w.stops] == [PauseReason.GUARD]
    assert w.stops[0].detail.startswith(f"{allowed + 1} submits of this run")


def test_successes_do_not_take_doubts_back() -> None:
    """Each is a submit that may be paid, and that nobody has."""
    w = Guarded()
    for _ in range(21):
        w.guards.accepted()
        w.guards.succeeded()
        w.unconfirmed(1)
    assert len(w.stops) == 1


# -- the canary ------------------------------------------------------------------------------------------


def test_a_batch_of_a_thousand_has_no_canary() -> None:
    """Only one of more jobs than that."""
    for total, held in ((1000, False), (1001, True)):
        w = Guarded(total=total)
        for _ in range(3):
            assert not w.guards.holds_back
            w.guards.sent()
        assert w.guards.holds_back is held


def test_the_first_three_go_alone() -> None:
    """The fourth waits until one of them has succeeded, and then no other one ever does."""
    w = Guarded(total=1001)
    for _ in range(3):
        assert not w.guards.holds_back
        w.guards.sent()
    w.fail(2)
    assert w.guards.holds_back
    w.guards.succeeded()
    for _ in range(10):
        w.guards.sent()
        assert not w.guards.holds_back
    assert w.fail(10).stops == []


def test_three_that_fail_pause() -> None:
    """However they end, and be it of three different kinds; not a moment before the third is back."""
    w = Guarded(total=1001)
    for _ in range(3):
        w.guards.sent()
    w.fail(1).unconfirmed(1)
    assert w.stops == []
    w.fail(1, F.EXPIRED)
    assert w.stops == [
        Stop(PauseReason.GUARD, "None of the first 3 jobs succeeded. The others were not sent.")
    ]


def test_two_that_fail_after_one_that_succeeded_do_not_pause() -> None:
    """In whatever order they come home."""
    for order in ("sff", "fsf", "ffs"):
        w = Guarded(total=1001)
        for letter in order:
            w.guards.sent()
            w.guards.succeeded() if letter == "s" else w.fail(1)
        assert w.stops == []
        assert not w.guards.holds_back


def test_a_batch_that_has_succeeded_before_needs_no_canary() -> None:
    """`nightsheet resume` goes on at full pace."""
    w = Guarded(total=5000, proven=True)
    for _ in range(10):
        w.guards.sent()
    assert not w.guards.holds_back
    assert w.fail(10).stops == []


# -- settings --------------------------------------------------------------------------------------------


def changed(**limits: float) -> GuardLimits:
    return dataclasses.replace(GuardLimits(), **limits)  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", [1, 5])
def test_every_figure_is_a_setting(limit: int) -> None:
    """Each changes its own guard."""
    assert Guarded(changed(failures_in_a_row=limit)).pauses_after(fail) == limit
    unconfirmed = changed(unconfirmed=limit, unconfirmed_percent=0)
    assert Guarded(unconfirmed).pauses_after(Guards.unconfirmed) == limit + 1
    percent = changed(unconfirmed_percent=30.0 + limit)
    assert Guarded(percent, total=100).pauses_after(Guards.unconfirmed) == 30 + limit + 1
    assert Guarded(changed(canary=limit), total=1001).pauses_after(fail) == limit
    assert Guarded(changed(canary_above=limit), total=limit + 1).pauses_after(fail) == 3
    assert Guarded(changed(canary_above=limit), total=limit).pauses_after(fail) == 20


def test_zero_turns_a_guard_off() -> None:
    """Each by itself."""
    assert Guarded(changed(failures_in_a_row=0)).pauses_after(fail) is None
    assert Guarded(changed(unconfirmed=0)).pauses_after(Guards.unconfirmed) is None
    w = Guarded(changed(canary=0), total=5000)
    for _ in range(10):
        assert not w.guards.holds_back
        w.guards.sent()
    assert w.pauses_after(fail) == 20


# -- in a run --------------------------------------------------------------------------------------------


@virtual
async def test_what_recovery_found_is_not_counted(tmp_path: Path) -> None:
    """Doubts of the last run are not this one's: twenty new ones are allowed."""
    keys = [f"{number:02}" for number in range(30)]
    async with world(tmp_path, *keys) as w:
        for key in keys:
            assert await w.store.jobs.claim(claimed((await w.queued(key)).id, w.clock.now(), None))
        assert (await recover(w.store, w.run.batch, w.run.spool)).unconfirmed == 30
        assert w.stops == []
        for _ in range(20):
            w.run.limits.guards.unconfirmed()
        assert w.stops == []
        w.run.limits.guards.unconfirmed()
        assert [stop.reason for stop in w.stops] == [PauseReason.GUARD]


@virtual
async def test_a_run_goes_on_after_a_crash_that_left_many_in_doubt(tmp_path: Path) -> None:
    """They wait for a person, and the rest of the sheet waits for nobody."""
    async with night(tmp_path) as w:
        sheet = w.sheet(30)
        with pytest.raises(UsageProblem):
            await w.run(sheet, consent=refuses)
        async with open_database(w.database) as database:
            store = Store(database, w.clock.now)
            batch = await store.batches.named("sheet")
            await store.batches.agree(batch.id)
            for job in (await store.jobs.queued(batch.id, after=FRONT, limit=30))[:25]:
                assert await store.jobs.claim(claimed(job.id, w.clock.now(), None))
        report = await w.run(sheet)
        assert report.paused is None
        assert w.states() == {JobState.UNCONFIRMED: 25, JobState.SUCCEEDED: 5}


async def refuses(_ask: Ask) -> bool:
    """Somebody who only wants the sheet loaded."""
    return False


@virtual
async def test_every_run_counts_for_itself(tmp_path: Path) -> None:
    """After a `resume` it takes twenty failures again, and not one."""
    async with night(tmp_path, failed_share=1.0) as w:
        assert (await w.run(w.sheet(80), concurrency=1)).exit_code == 75
        assert len(w.service.ledger) == 20
        report = await w.resume(concurrency=1)
        assert report is not None
        assert report.exit_code == 75
        assert len(w.service.ledger) == 40


@virtual
async def test_a_run_goes_by_the_settings(tmp_path: Path) -> None:
    """The streak of a run is as long as they say."""
    async with night(tmp_path, failed_share=1.0) as w:
        report = await w.run(w.sheet(80), concurrency=1, guard_failures=4)
        assert report.paused is not None
        assert report.paused.detail == "4 jobs in a row ended as remote_failed."
        assert len(w.service.ledger) == 4


@virtual
async def test_a_large_batch_of_failures_costs_three_jobs(tmp_path: Path) -> None:
    """The others were not sent, however many may be in flight."""
    async with night(tmp_path, failed_share=1.0) as w:
        report = await w.run(w.sheet(30), canary_above=20, concurrency=16)
        assert report.paused is not None
        assert (report.exit_code, report.paused.reason) == (75, PauseReason.GUARD)
        assert len(w.service.ledger) == 3
        assert w.states() == {JobState.FAILED: 3, JobState.QUEUED: 27}


@virtual
async def test_a_large_batch_waits_for_its_first_success_once(tmp_path: Path) -> None:
    """Three submits, then a success, then the others; in the next run there is nothing to prove."""
    async with night(tmp_path, median_seconds=30, sigma=0) as w:
        assert (await w.run(w.sheet(24), canary_above=20)).exit_code == 0
        w.everything_once(24)
        submits = [at for at, method, _path in w.transport.calls if method == "POST"]
        assert submits[2] < 10
        assert submits[3] > 30
        begun = w.clock.monotonic()
        assert (await w.run(w.sheet(48), canary_above=20)).exit_code == 0
        w.everything_once(48)
        submits = [at - begun for at, method, _path in w.transport.calls if method == "POST"]
        assert submits[24 + 7] < 10


@virtual
async def test_doubts_of_a_night_stop_it(tmp_path: Path) -> None:
    """The first one above what the settings allow."""
    keys = [f"{number:02}" for number in range(12)]
    limits = changed(unconfirmed=3, unconfirmed_percent=0)
    async with world(tmp_path, *keys, guard_limits=limits) as w:
        w.provider.says("submit", Unconfirmed("no answer"))
        while isinstance(job := await w.run.queue.jobs.next(), QueuedJob):
            await submit(w.run, job)
            w.run.queue.jobs.release(job.id)
        assert len(w.provider.asked("submit")) == 4
        assert [stop.detail for stop in w.stops] == ["4 submits of this run got no readable answer."]
        assert list((await w.states()).values()).count(JobState.UNCONFIRMED) == 4
