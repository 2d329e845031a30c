"""The guards: streaks, the share of successes, doubts above a limit, and each model's first jobs alone."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import pytest

from jobs.failures import FailureKind
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.track_record import EndedJob, TrackRecord
from jobs.views import QueuedJob
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from runner.limits.guards import GuardLimits, Guards
from runner.providers.base import Unconfirmed
from runner.workers.edge.submit import submit
from tests.support.night import SERIES, SINGLE, Night, night
from tests.support.tables import MODEL
from tests.support.virtual_time import virtual
from tests.support.world import world

F = FailureKind
AFTER_ACCEPTANCE = sorted(set(F) - {F.REFUSED})


class Guarded:
    """Guards, and what they have said. Their canaries are off, unless the limits say other."""

    def __init__(self, record: TrackRecord | None = None, **limits: float) -> None:
        self.said: list[str] = []
        chosen = dataclasses.replace(GuardLimits(canary=0), **limits)  # type: ignore[arg-type]
        self.guards = Guards(chosen, self.said.append, record or TrackRecord(total=100))

    def fail(self, times: int, kind: FailureKind = F.REMOTE_FAILED, *, at_submit: bool = False) -> "Guarded":
        for _ in range(times):
            self.guards.failed(MODEL, kind, at_submit=at_submit)
        return self

    def succeed(self, times: int = 1) -> "Guarded":
        for _ in range(times):
            self.guards.succeeded(MODEL)
        return self

    def doubt(self, times: int) -> "Guarded":
        for _ in range(times):
            self.guards.unconfirmed(MODEL)
        return self

    def trips_after(self, event: Callable[[Guards], None], at_most: int = 500) -> int | None:
        """How often it must happen until the guards trip."""
        for times in range(1, at_most + 1):
            event(self.guards)
            if self.said:
                return times
        return None


def fail(guards: Guards) -> None:
    guards.failed(MODEL, F.REMOTE_FAILED)


def doubt(guards: Guards) -> None:
    guards.unconfirmed(MODEL)


def by_turns(*kinds: FailureKind) -> Callable[[Guards], None]:
    """Failures of these kinds, one after another."""
    turns = cycle(kinds)
    return lambda guards: guards.failed(MODEL, next(turns))


# -- a streak of failures --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(F))
def test_twenty_failures_of_one_kind_trip(kind: FailureKind) -> None:
    """Not nineteen; with the kind."""
    w = Guarded().fail(19, kind)
    assert w.said == []
    w.fail(1, kind)
    assert w.said == [f"20 jobs in a row ended as {kind}."]


def test_a_success_breaks_the_streak() -> None:
    """The count begins at nothing again."""
    w = Guarded(window=0).fail(19).succeed().fail(19)
    assert w.said == []
    assert w.fail(1).said == ["20 jobs in a row ended as remote_failed."]


def test_another_kind_breaks_the_streak() -> None:
    """And is the first of its own."""
    w = Guarded(window=0).fail(19).fail(1, F.EXPIRED).fail(19)
    assert w.said == []
    assert w.fail(1).said == ["20 jobs in a row ended as remote_failed."]


@pytest.mark.parametrize("kind", [F.REFUSED, F.MODERATED])
def test_an_accepted_submit_breaks_a_streak_of_refusals(kind: FailureKind) -> None:
    """The API does not refuse everything."""
    w = Guarded(window=0).fail(19, kind, at_submit=True)
    w.guards.accepted()
    assert w.fail(19, kind, at_submit=True).said == []
    assert len(w.fail(1, kind, at_submit=True).said) == 1


def test_moderated_at_its_submit_and_moderated_at_its_end_are_two_things() -> None:
    """The first is free, the second is paid for."""
    w = Guarded(window=0).fail(19, F.MODERATED, at_submit=True).fail(19, F.MODERATED)
    assert w.said == []
    assert len(w.fail(1, F.MODERATED).said) == 1


@pytest.mark.parametrize("kind", AFTER_ACCEPTANCE)
def test_an_accepted_submit_says_nothing_of_what_comes_after_it(kind: FailureKind) -> None:
    """Else eight jobs in flight would hide that all of them fail."""
    w = Guarded()
    for _ in range(20):
        w.guards.accepted()
        w.fail(1, kind)
    assert len(w.said) == 1


def test_a_doubt_does_not_break_the_streak() -> None:
    """It is neither a success nor another failure."""
    assert len(Guarded().fail(19).doubt(1).fail(1).said) == 1


# -- too few of the last jobs succeeded --------------------------------------------------------------------


def test_kinds_in_turn_trip_by_their_share() -> None:
    """No streak ever comes about, and the sheet would burn to its end; with all figures."""
    w = Guarded()
    assert w.trips_after(by_turns(F.REMOTE_FAILED, F.NO_IMAGES, F.REMOTE_FAILED)) == 30
    assert w.said == ["30 jobs ended, 0 succeeded: 20 remote_failed, 10 no_images."]


@pytest.mark.parametrize(("succeed", "trips"), [(0, True), (2, True), (3, False), (15, False)])
def test_a_tenth_of_the_last_thirty_is_enough(succeed: int, trips: bool) -> None:
    """Two of thirty are not."""
    w = Guarded(failures_in_a_row=0).succeed(succeed).fail(30 - succeed)
    assert bool(w.said) is trips


def test_only_the_last_thirty_count() -> None:
    """A thousand successes say nothing of what has gone wrong since."""
    w = Guarded().succeed(1000)
    assert w.trips_after(by_turns(F.REMOTE_FAILED, F.NO_IMAGES)) == 28
    assert w.said == ["30 jobs ended, 2 succeeded: 14 remote_failed, 14 no_images."]


# -- doubts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "allowed"), [(0, 20), (100, 20), (1000, 20), (1049, 20), (1050, 21), (5000, 100)]
)
def test_doubts_above_twenty_and_two_percent_trip(total: int, allowed: int) -> None:
    """The higher of the two, and one more than that; with the number, and what decides about them."""
    w = Guarded(TrackRecord(total=total)).doubt(allowed)
    assert w.said == []
    w.doubt(1)
    assert w.said == [
        f"{allowed + 1} submits got no readable answer, and nobody has decided about them "
        "(`nightsheet review`)."
    ]


def test_successes_do_not_take_doubts_back() -> None:
    """Each is a submit that may be paid, and that nobody has."""
    w = Guarded()
    for _ in range(21):
        w.guards.accepted()
        w.succeed().doubt(1)
    assert len(w.said) == 1


# -- the canary ------------------------------------------------------------------------------------------


def canaries(record: TrackRecord | None = None, **limits: float) -> Guarded:
    """With the canaries on."""
    return Guarded(record, **({"canary": 3} | limits))


def test_the_first_three_of_a_model_go_alone() -> None:
    """The fourth waits until one of them has succeeded, and then no other one ever does."""
    w = canaries()
    assert [w.guards.admits(MODEL, in_hand) for in_hand in range(5)] == [True, True, True, False, False]
    w.fail(2)
    assert [w.guards.admits(MODEL, in_hand) for in_hand in range(3)] == [True, False, False]
    w.succeed()
    assert all(w.guards.admits(MODEL, in_hand) for in_hand in range(100))
    assert w.fail(10).said == []


@pytest.mark.parametrize("rows", [1, 2, 4, 100, 5000])
def test_at_every_size(rows: int) -> None:
    """A small sheet is a sheet, too."""
    assert not canaries(TrackRecord(total=rows)).guards.admits(MODEL, 3)


def test_three_that_come_to_nothing_trip_where_others_are_left() -> None:
    """However they end, and be it of three different kinds; not before the next one would go."""
    w = canaries().fail(1).doubt(1).fail(1, F.EXPIRED)
    assert w.said == []
    assert not w.guards.admits(MODEL, 0)
    assert w.said == [f"3 tries of {MODEL} went first, and none succeeded; the rest was not sent."]


def test_each_model_has_its_own() -> None:
    """One that works says nothing of another."""
    w = canaries().succeed().fail(3)
    assert w.guards.admits(MODEL, 50)
    assert not w.guards.admits(SERIES, 3)
    assert w.guards.admits(SERIES, 2)
    assert w.said == []


def test_a_proven_model_needs_no_canary() -> None:
    """It made images lately, in whatever batch."""
    w = canaries(TrackRecord(total=5000, proven=frozenset({MODEL}), fruitless={MODEL: 50}))
    assert w.guards.admits(MODEL, 50)
    assert not w.guards.admits(SERIES, 3)


def test_a_canary_that_is_sent_again_has_not_ended() -> None:
    """A setting allowed that; its submit is in doubt all the same."""
    w = canaries(unconfirmed=3, unconfirmed_percent=0)
    for _ in range(3):
        w.guards.unconfirmed(MODEL, sent_again=True)
    assert w.guards.admits(MODEL, 2)
    assert w.said == []
    w.guards.unconfirmed(MODEL, sent_again=True)
    assert len(w.said) == 1


# -- over runs -------------------------------------------------------------------------------------------


def ended(*kinds: FailureKind | None, at_submit: bool = False) -> tuple[EndedJob, ...]:
    return tuple(EndedJob(kind, at_submit=at_submit and kind is not None) for kind in kinds)


def test_the_counts_go_on_where_the_last_run_left_them() -> None:
    """Each guard's."""
    nineteen = ended(*[F.REMOTE_FAILED] * 19)
    assert Guarded(TrackRecord(ended=nineteen, since_accepted=19)).fail(1).said
    mixed = ended(*[F.REMOTE_FAILED, F.EXPIRED] * 14, None)
    assert Guarded(TrackRecord(ended=mixed, since_accepted=29)).fail(1).said
    assert Guarded(TrackRecord(unanswered=20)).doubt(1).said
    w = canaries(TrackRecord(total=9, fruitless={MODEL: 2}))
    assert w.guards.admits(MODEL, 0)
    assert not w.guards.admits(MODEL, 1)


def test_what_is_over_a_limit_already_trips_when_it_is_asked() -> None:
    """The last run died before it had written its pause down."""
    w = Guarded(TrackRecord(ended=ended(*[F.REMOTE_FAILED] * 20), since_accepted=20))
    assert w.said == []
    w.guards.check()
    assert w.said == ["20 jobs in a row ended as remote_failed."]


@pytest.mark.parametrize(("since", "trips"), [(0, 20), (7, 13), (19, 1)])
def test_refusals_before_the_last_acceptance_are_forgotten(since: int, trips: int) -> None:
    """As within a run."""
    refusals = ended(*[F.REFUSED] * 19, at_submit=True)
    w = Guarded(TrackRecord(ended=refusals, since_accepted=since), window=0)
    assert w.trips_after(lambda guards: guards.failed(MODEL, F.REFUSED, at_submit=True)) == trips


def test_a_person_s_resume_begins_all_of_it_anew() -> None:
    """The canaries as well: what worked before the trouble proves nothing now."""
    w = canaries(TrackRecord(total=100, proven=frozenset({MODEL})))
    w.fail(19).doubt(20).guards.start_anew()
    assert w.fail(2).doubt(1).said == []
    assert not w.guards.admits(MODEL, 0)


# -- settings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 5])
def test_every_figure_is_a_setting(limit: int) -> None:
    """Each changes its own guard."""
    assert Guarded(failures_in_a_row=limit).trips_after(fail) == limit
    assert Guarded(window=limit, failures_in_a_row=0).trips_after(fail) == limit
    assert Guarded(unconfirmed=limit, unconfirmed_percent=0).trips_after(doubt) == limit + 1
    assert Guarded(unconfirmed_percent=30.0 + limit).trips_after(doubt) == 30 + limit + 1
    w = Guarded(window=10, window_percent=10.0 * limit, failures_in_a_row=0).succeed(10)
    assert w.trips_after(fail) == 11 - limit
    assert not canaries(canary=limit).guards.admits(MODEL, limit)
    for total, held in ((limit, False), (limit + 1, True)):
        assert canaries(TrackRecord(total=total), canary_above=limit).guards.admits(MODEL, 3) is not held


def test_zero_turns_a_guard_off() -> None:
    """Each by itself."""
    assert Guarded(failures_in_a_row=0).trips_after(fail) == 30
    assert Guarded(window=0).trips_after(fail) == 20
    assert Guarded(window=0).trips_after(by_turns(F.EXPIRED, F.LOST)) is None
    assert Guarded(window_percent=0).trips_after(by_turns(F.EXPIRED, F.LOST)) is None
    assert Guarded(unconfirmed=0).trips_after(doubt) is None
    assert canaries(canary=0).fail(10).guards.admits(MODEL, 50)


# -- in a run --------------------------------------------------------------------------------------------


def singles(w: Night, rows: int, name: str = "sheet.csv") -> Path:
    """A sheet of one model alone."""
    sheet = w.sheet(rows, name)
    sheet.write_text(sheet.read_text().replace(f"{SERIES},", f"{SINGLE},").replace(",2\n", ",\n"))
    return sheet


NOTHING_COMES = (
    Fault(endpoint=Endpoint.RESULT, kind=FaultKind.NO_PICTURES, times=None, chance=0.5),
    Fault(endpoint=Endpoint.RESULT, kind=FaultKind.FAILED, times=None),
)
"""Every job is paid for, and ends as `no_images` or as `remote_failed`."""


@virtual
async def test_two_kinds_by_turns_do_not_burn_the_sheet(tmp_path: Path) -> None:
    """The pause says what happened, what it has cost, and how to go on."""
    async with night(tmp_path, faults=NOTHING_COMES) as w:
        report = await w.run(singles(w, 300))
        assert report.paused is not None
        assert (report.exit_code, report.paused.reason) == (75, PauseReason.GUARD)
        assert len(w.service.ledger) <= 30 + 7
        said = report.paused.detail
        assert said.startswith("30 jobs ended, 0 succeeded: ")
        assert "remote_failed" in said
        assert "no_images" in said
        assert "USD are spent or unconfirmed. To go on: `nightsheet resume sheet`." in said


@virtual
async def test_a_run_that_is_started_again_burns_no_more(tmp_path: Path) -> None:
    """By a timer, with `--yes`, however often."""
    async with night(tmp_path, faults=NOTHING_COMES) as w:
        for _ in range(5):
            assert (await w.run(singles(w, 300))).exit_code == 75
        assert len(w.service.ledger) <= 30 + 7


@virtual
async def test_a_pause_that_was_not_written_down_is_made_up_for(tmp_path: Path) -> None:
    """The run was killed in between: the next one counts what the table says, and asks and sends nothing."""
    async with night(tmp_path, failed_share=1.0) as w:
        assert (await w.run(w.sheet(10), concurrency=1)).exit_code == 1
        assert len(w.service.ledger) == 10
        w.transport.calls.clear()
        report = await w.run(w.sheet(80), guard_failures=10)
        assert report.paused is not None
        assert report.paused.detail.startswith("10 jobs in a row ended as remote_failed.")
        assert w.transport.calls == []
        assert (await w.run(w.sheet(80), guard_failures=10)).exit_code == 75
        resumed = await w.resume(guard_failures=10, concurrency=1)
        assert resumed is not None
        assert resumed.exit_code == 75
        assert len(w.service.ledger) == 20


@virtual
async def test_a_resume_counts_anew(tmp_path: Path) -> None:
    """It takes twenty failures again, and not one; a run, in between, sends none."""
    async with night(tmp_path, failed_share=1.0) as w:
        assert (await w.run(w.sheet(80), concurrency=1)).exit_code == 75
        assert (await w.run(w.sheet(80), concurrency=1)).exit_code == 75
        assert len(w.service.ledger) == 20
        report = await w.resume(concurrency=1)
        assert report is not None
        assert report.exit_code == 75
        assert len(w.service.ledger) == 40


@virtual
async def test_unanswered_submits_count_over_runs(tmp_path: Path) -> None:
    """Four a run would else go on for as long as a timer starts runs."""
    lost = Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.HTTP, status=500, accepted=True, times=None)
    async with night(tmp_path, faults=(lost,)) as w:
        for _ in range(4):
            assert (await w.run(w.sheet(40), guard_unconfirmed=6)).exit_code == 75
        assert len(w.service.ledger) <= 6 + 4
        assert w.states()[JobState.UNCONFIRMED] == len(w.service.ledger)


@virtual
async def test_a_batch_of_failures_costs_three_jobs(tmp_path: Path) -> None:
    """The others were not sent, however many may be in flight; a resume sends three again."""
    async with night(tmp_path, failed_share=1.0) as w:
        sheet = singles(w, 30)
        for _ in range(3):
            report = await w.run(sheet, canary=3, concurrency=16)
            assert report.paused is not None
            assert (report.exit_code, report.paused.reason) == (75, PauseReason.GUARD)
            assert w.states() == {JobState.FAILED: 3, JobState.QUEUED: 27}
        assert report.paused is not None
        assert report.paused.detail.startswith(f"3 tries of {SINGLE} went first, and none succeeded")
        resumed = await w.resume(canary=3)
        assert resumed is not None
        assert resumed.exit_code == 75
        assert len(w.service.ledger) == 6


@virtual
async def test_three_rows_that_fail_are_no_pause(tmp_path: Path) -> None:
    """Nothing is left that it would keep back; what is added is."""
    async with night(tmp_path, failed_share=1.0) as w:
        report = await w.run(singles(w, 3), canary=3)
        assert (report.exit_code, report.paused) == (1, None)
        assert (await w.run(singles(w, 3), canary=3)).exit_code == 1
        report = await w.run(singles(w, 5), canary=3)
        assert (report.exit_code, len(w.service.ledger)) == (75, 3)


@virtual
async def test_rows_that_were_edited_are_tried_again(tmp_path: Path) -> None:
    """A person has mended the sheet: the canaries go first again, unasked."""
    async with night(tmp_path, failed_share=1.0) as w:
        assert (await w.run(singles(w, 3), canary=3)).exit_code == 1
        sheet = singles(w, 3)
        sheet.write_text(sheet.read_text().replace("boat", "ship"))
        assert (await w.run(sheet, canary=3)).exit_code == 1
        assert len(w.service.ledger) == 6


@virtual
async def test_a_batch_waits_for_its_first_success_once(tmp_path: Path) -> None:
    """Three submits, then a success, then the others; in the next batch there is nothing to prove."""
    async with night(tmp_path, median_seconds=30, sigma=0) as w:
        assert (await w.run(singles(w, 24), canary=3)).exit_code == 0
        submits = [at for at, method, _path in w.transport.calls if method == "POST"]
        assert submits[2] < 10
        assert submits[3] > 30
        begun = w.clock.monotonic()
        assert (await w.run(singles(w, 24, "other.csv"), canary=3, again=True)).exit_code == 0
        submits = [at - begun for at, method, _path in w.transport.calls if method == "POST"]
        assert submits[24 + 7] < 10
        w.clock.jump(timedelta(days=8))
        begun = w.clock.monotonic()
        assert (await w.run(singles(w, 24, "later.csv"), canary=3, again=True)).exit_code == 0
        submits = [at - begun for at, method, _path in w.transport.calls if method == "POST"]
        assert submits[48 + 3] > 30


@virtual
async def test_doubts_of_a_night_stop_it(tmp_path: Path) -> None:
    """The first one above what the settings allow."""
    keys = [f"{number:02}" for number in range(12)]
    limits = GuardLimits(unconfirmed=3, unconfirmed_percent=0, canary=0)
    async with world(tmp_path, *keys, guard_limits=limits) as w:
        w.provider.says("submit", Unconfirmed("no answer"))
        while isinstance(job := await w.run.queue.jobs.next(), QueuedJob):
            await submit(w.run, job)
            w.run.queue.jobs.release(job.id)
        assert len(w.provider.asked("submit")) == 4
        assert w.stops[0].detail.startswith("4 submits got no readable answer")
        assert list((await w.states()).values()).count(JobState.UNCONFIRMED) == 4
