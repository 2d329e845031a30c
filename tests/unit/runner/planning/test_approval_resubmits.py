"""`--resubmit-unconfirmed`: so many doubtful submits of a batch are sent again unasked, over all its runs."""

from collections import Counter
from pathlib import Path

import pytest

from jobs.errors import UsageProblem
from jobs.failures import Failure, FailureKind
from jobs.ledger import balance
from jobs.outcomes import Discarded, LeftUnconfirmed, Resubmitted
from jobs.pauses import PauseReason
from jobs.sheets.planned import PlannedJob
from jobs.states import JobState
from jobs.views import BatchView, QueuedJob
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from runner.planning.consent import Ask
from runner.planning.resubmits import allowed_resubmits, resubmit_allowed
from runner.planning.selection import Selection
from runner.providers.base import Taken, Unconfirmed
from runner.settings import Settings
from runner.workers.edge.submit import submit
from tests.support.night import Night, night
from tests.support.scripted import PRICE, Call
from tests.support.tables import ESTIMATE, ORIGIN, SHEET, claimed, planned, rows, select
from tests.support.virtual_time import virtual
from tests.support.world import World, world

UNCONFIRMED = Failure(FailureKind.UNCONFIRMED, "silence")
S = JobState


async def unconfirmed(w: World, *keys: str) -> None:
    """Leave submits without an answer."""
    for key in keys:
        job = await w.queued(key)
        assert await w.store.jobs.claim(claimed(job.id, w.clock.now(), ESTIMATE))
        assert await w.store.jobs.apply(LeftUnconfirmed(job.id, UNCONFIRMED, w.clock.now()))


async def allow(w: World, many: int) -> int:
    """What the beginning of a run does with this setting; returns how many it has left."""
    return await allow_in(w, w.run.batch, Settings(resubmit_unconfirmed=many))


async def allow_in(w: World, batch: BatchView, settings: Settings) -> int:
    allowed = await allowed_resubmits(w.store, batch, settings)
    return await resubmit_allowed(w.store, batch, settings, allowed, w.clock.now())


# -- at the beginning of a run ---------------------------------------------------------------------------


@virtual
async def test_nothing_is_sent_again_where_nobody_allows_it(tmp_path: Path) -> None:
    """The setting is zero unless somebody sets it."""
    async with world(tmp_path, "a") as w:
        await unconfirmed(w, "a")
        assert await allow_in(w, w.run.batch, Settings()) == 0
        assert await w.states() == {"a": S.UNCONFIRMED}


@virtual
async def test_the_first_of_the_sheet_go_first(tmp_path: Path) -> None:
    """In its order, whatever the order of the doubts."""
    async with world(tmp_path, "a", "b", "c", "d") as w:
        await unconfirmed(w, "d", "c", "b")
        assert await allow(w, 2) == 0
        assert await w.states() == {"a": S.QUEUED, "b": S.QUEUED, "c": S.QUEUED, "d": S.UNCONFIRMED}


@virtual
async def test_it_is_agreed_to_and_in_the_ledger(tmp_path: Path) -> None:
    """Marked as the setting's own doing: the books allow it, and it may be claimed."""
    async with world(tmp_path, "a", "b") as w:
        await unconfirmed(w, "a")
        assert await allow(w, 5) == 4
        (first,) = w.attempts()
        assert (first["outcome"], first["automatic"]) == ("resubmitted", 1)
        assert w.attempts("b") == []
        assert await w.store.jobs.claim(claimed((await w.queued()).id, w.clock.now(), ESTIMATE))
        books = balance(await w.store.ledger.attempts(w.run.batch.id))
        assert (books.balanced, books.submits, books.repeats_allowed) == (True, 2, 1)


@virtual
async def test_it_is_counted_over_runs_and_for_the_same_job_as_well(tmp_path: Path) -> None:
    """A job that falls in doubt again and again uses up the same number."""
    async with world(tmp_path, "a") as w:
        await unconfirmed(w, "a")
        for left in (2, 1, 0):
            assert await allow(w, 3) == left
            await unconfirmed(w, "a")
        assert await allow(w, 3) == 0
        assert await w.states() == {"a": S.UNCONFIRMED}
        assert len(w.attempts()) == 4
        assert await allow(w, 4) == 0
        assert await w.states() == {"a": S.QUEUED}


@virtual
async def test_a_smaller_number_takes_nothing_back(tmp_path: Path) -> None:
    """What went, went: none are left, and never fewer than none."""
    async with world(tmp_path, "a", "b", "c") as w:
        await unconfirmed(w, "a", "b", "c")
        await allow(w, 2)
        assert await allow(w, 1) == 0
        assert Counter((await w.states()).values()) == {S.QUEUED: 2, S.UNCONFIRMED: 1}


@virtual
async def test_what_a_person_decided_is_not_counted(tmp_path: Path) -> None:
    """`review --resubmit` is that person's money, and not the setting's."""
    async with world(tmp_path, "a", "b", "c") as w:
        await unconfirmed(w, "a", "b", "c")
        now = w.clock.now()
        await w.store.jobs.apply(Resubmitted((await w.job("a")).id, now))
        discarded = Failure(FailureKind.DISCARDED, "let go")
        await w.store.jobs.apply(Discarded((await w.job("b")).id, discarded, now))
        assert await allow(w, 1) == 0
        assert await w.states() == {"a": S.QUEUED, "b": S.FAILED, "c": S.QUEUED}


@virtual
async def test_every_batch_has_a_number_of_its_own(tmp_path: Path) -> None:
    """Neither the jobs nor the count of another one are touched."""
    async with world(tmp_path, "a") as w:
        other, _ = await w.store.batches.load(name="other", sheet=SHEET, origin=ORIGIN, planned=rows("x"))
        await w.store.batches.agree(other.id)
        await unconfirmed(w, "a")
        (job,) = await w.store.jobs.queued(other.id, limit=9)
        await w.store.jobs.claim(claimed(job.id, w.clock.now(), ESTIMATE))
        await w.store.jobs.apply(LeftUnconfirmed(job.id, UNCONFIRMED, w.clock.now()))
        assert await allow(w, 1) == 0
        assert (await w.store.jobs.by_key(other.id, "x")) is not None
        states = {row["key"]: row["state"] for row in select(w.path, "SELECT key, state FROM job")}
        assert states == {"a": "queued", "x": "unconfirmed"}
        settings = Settings(resubmit_unconfirmed=2)
        assert await allow_in(w, other, settings) == 1


@virtual
async def test_what_is_doubted_after_the_consent_is_not_sent_again(tmp_path: Path) -> None:
    """Nobody was told of it: it is the next run's, within its number."""
    async with world(tmp_path, "a", "b") as w:
        settings = Settings(resubmit_unconfirmed=2)
        await unconfirmed(w, "b")
        shown = await allowed_resubmits(w.store, w.run.batch, settings)
        await unconfirmed(w, "a")
        assert await resubmit_allowed(w.store, w.run.batch, settings, shown, w.clock.now()) == 1
        assert await w.states() == {"a": S.UNCONFIRMED, "b": S.QUEUED}


@pytest.mark.parametrize("left", [[], [planned("a", prompt="another")]])
def test_a_row_that_the_sheet_no_longer_has_is_not_sent_again(tmp_path: Path, left: list[PlannedJob]) -> None:
    """Gone or changed since: nobody would look at its pictures."""

    @virtual
    async def test() -> None:
        async with world(tmp_path, "a", "b") as w:
            await unconfirmed(w, "a", "b")
            sheet = [*left, planned("b", 1)]
            await w.store.batches.load(name="night", sheet=SHEET, origin=ORIGIN, planned=sheet)
            assert await allow(w, 5) == 4
            found = select(w.path, "SELECT key, revision, state FROM job ORDER BY id")
            assert (found[0]["state"], found[1]["state"]) == ("unconfirmed", "queued")

    test()


# -- while a run is on -----------------------------------------------------------------------------------


@virtual
async def test_a_doubt_within_the_number_is_queued_at_once(tmp_path: Path) -> None:
    """One commit: no moment in which it would be a person's to decide; told for what it is."""
    async with world(tmp_path, "a", "b") as w:
        w.run.tally.resubmits_left = 1
        w.provider.says("submit", Unconfirmed("no answer"))
        assert await submit(w.run, await w.queued("a")) is None
        assert (await w.job("a")).state is S.QUEUED
        assert w.run.tally.resubmits_left == 0
        (first,) = w.attempts("a")
        assert (first["outcome"], first["automatic"]) == ("resubmitted", 1)
        assert "perhaps paid twice" in w.notices[0]
        assert await submit(w.run, await w.queued("b")) is None
        assert (await w.job("b")).state is S.UNCONFIRMED
        assert "not sent again" in w.notices[-1]


@virtual
async def test_a_doubt_that_is_cancelled_meanwhile_uses_up_nothing(tmp_path: Path) -> None:
    """It is a person's to decide, and told to be."""
    async with world(tmp_path, "a") as w:
        w.run.tally.resubmits_left = 1

        async def cancelled_meanwhile(_call: Call) -> Unconfirmed:
            await w.store.jobs.cancel(w.run.batch.id)
            return Unconfirmed("no answer")

        w.provider.says("submit", cancelled_meanwhile)
        assert await submit(w.run, await w.queued("a")) is None
        assert ((await w.job("a")).state, w.run.tally.resubmits_left) == (S.UNCONFIRMED, 1)
        assert "not sent again" in w.notices[-1]


@virtual
async def test_it_goes_out_again_once_the_api_has_answered(tmp_path: Path) -> None:
    """Not into the same silence: a free question comes first."""
    async with world(tmp_path, "a") as w:
        w.run.tally.resubmits_left = 1
        w.provider.says("submit", Unconfirmed("no answer"), Taken("req-2"))
        assert await submit(w.run, await w.queued()) is None
        taken = await submit(w.run, await w.queued())
        assert taken is not None
        assert taken.request_id == "req-2"
        assert [call.name for call in w.provider.calls][:3] == ["submit", "price", "submit"]
        assert len(w.attempts()) == 2


@virtual
async def test_both_submits_are_held_against_the_budget(tmp_path: Path) -> None:
    """The one in doubt may have been paid: with no room for a second one, none is sent."""
    async with world(tmp_path, "a", budget=PRICE * 3 / 2) as w:
        w.run.tally.resubmits_left = 5
        w.provider.says("submit", Unconfirmed("no answer"))
        for _ in range(2):
            assert await submit(w.run, await w.queued()) is None
        assert [stop.reason for stop in w.stops] == [PauseReason.BUDGET]
        assert (len(w.provider.asked("submit")), w.run.limits.budget.committed) == (1, PRICE)


@virtual
async def test_doubts_that_are_sent_again_are_doubts_to_the_guard(tmp_path: Path) -> None:
    """A setting of a thousand does not burn through a night."""
    async with world(tmp_path, "a") as w:
        w.run.tally.resubmits_left = 1000
        w.provider.says("submit", Unconfirmed("no answer"))
        while isinstance(job := await w.run.queue.jobs.next(), QueuedJob):
            await submit(w.run, job)
            w.run.queue.jobs.release(job.id)
        assert [stop.reason for stop in w.stops] == [PauseReason.GUARD]
        assert len(w.provider.asked("submit")) == 21


# -- whole runs ------------------------------------------------------------------------------------------

LOST = Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.DROP, times=5, accepted=True)


def automatic(w: Night) -> int:
    (found,) = select(w.database, "SELECT count(*) AS many FROM attempt WHERE automatic")
    return int(found["many"])


@virtual
async def test_the_number_holds_over_the_runs_of_a_batch(tmp_path: Path) -> None:
    """Five answers are lost; two may be repeated, then one more, and the rest waits for a person."""
    async with night(tmp_path, faults=(LOST,)) as w:
        sheet = w.sheet(6)
        assert (await w.run(sheet, submit_gate=1, resubmit_unconfirmed=2)).exit_code == 1
        assert (automatic(w), w.states()) == (2, {S.SUCCEEDED: 3, S.UNCONFIRMED: 3})
        assert len(w.service.ledger) == 8
        assert (await w.run(sheet, resubmit_unconfirmed=2)).exit_code == 1
        assert (automatic(w), len(w.service.ledger)) == (2, 8)
        resumed = await w.resume(resubmit_unconfirmed=3)
        assert resumed is not None
        assert (automatic(w), len(w.service.ledger)) == (3, 9)
        assert w.states() == {S.SUCCEEDED: 4, S.UNCONFIRMED: 2}


# -- with a person's consent -----------------------------------------------------------------------------

ONE_UNCONFIRMED = [Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.DROP, accepted=True, times=1)]


@virtual
async def test_a_no_leaves_the_doubts_to_review(tmp_path: Path) -> None:
    """Queued again, they were out of `review`, and the next run sent them without a word."""
    async with night(tmp_path, faults=ONE_UNCONFIRMED) as w:
        assert (await w.run(w.sheet(1))).exit_code == 1

        async def no(_ask: Ask) -> bool:
            return False

        with pytest.raises(UsageProblem, match="Not agreed to"):
            await w.run(w.sheet(2), no, resubmit_unconfirmed=1)
        assert w.states() == {S.UNCONFIRMED: 1, S.QUEUED: 1}
        await w.run(w.sheet(2))
        assert w.submits() == {"A boat no. 0": 1, "A boat no. 1": 1}


@virtual
async def test_what_is_sent_again_is_told_first(tmp_path: Path) -> None:
    """Where it is all that there is to do, too."""
    async with night(tmp_path, faults=ONE_UNCONFIRMED) as w:
        await w.run(w.sheet(1))
        assert (await w.run(w.sheet(1), resubmit_unconfirmed=1)).exit_code == 0
        assert (
            "Sent again, as --resubmit-unconfirmed allows: 1 submit without an answer, perhaps paid twice."
            in (w.watching.notices)
        )
        assert w.submits() == {"A boat no. 0": 2}


@virtual
async def test_a_part_leaves_the_doubts_of_others(tmp_path: Path) -> None:
    """They are not in it."""
    async with night(tmp_path, faults=ONE_UNCONFIRMED) as w:
        await w.run(w.sheet(1))
        await w.run(w.sheet(2), selection=Selection(only=("row-1",)), resubmit_unconfirmed=1)
        assert w.states() == {S.UNCONFIRMED: 1, S.SUCCEEDED: 1}


@virtual
async def test_a_row_that_left_the_sheet_is_not_queued_again_when_it_fails(tmp_path: Path) -> None:
    """Nobody would send it: it stood in the queue for ever, and the batch never ended."""
    failing = Fault(endpoint=Endpoint.RESULT, kind=FaultKind.FAILED, times=None, prompt="no. 1")
    async with night(tmp_path, median_seconds=600, sigma=0, slots=9, faults=[failing]) as w:
        assert (await w.run(w.sheet(2), deadline=30)).overdue == 2
        await w.run(w.sheet(1), max_attempts=3)
        assert w.states() == {S.SUCCEEDED: 1, S.FAILED: 1}
        assert w.submits() == {"A boat no. 0": 1, "A boat no. 1": 1}
