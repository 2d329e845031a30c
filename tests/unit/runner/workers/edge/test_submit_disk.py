"""The submit edge on a disk that refuses: nothing unrecorded is sent, and no receipt is lost."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from jobs.admission import NotAdmitted
from jobs.attempts import Intent
from jobs.errors import CannotWrite, CommitsLost
from jobs.outcomes import Accepted, LeftUnconfirmed, NotAccepted
from jobs.pauses import PauseReason
from jobs.states import JobState
from runner.providers.base import Taken, TurnedAway, Unconfirmed
from runner.recovery.recover import recover
from runner.workers.edge.submit import submit
from tests.support.journals import receipts
from tests.support.tables import select
from tests.support.virtual_time import virtual
from tests.support.world import World, world

FULL = CannotWrite("The database refuses: database or disk is full.")


def refusing(w: World, *kinds: type, error: Exception = FULL) -> Any:
    """A store that cannot write outcomes of these kinds."""

    def refused(real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def written(*outcomes: Any) -> Any:
            if isinstance(outcomes[0], kinds):
                raise error
            return await real(*outcomes)

        return written

    jobs = w.store.jobs
    return mock.patch.multiple(jobs, apply=refused(jobs.apply), advance=refused(jobs.advance))


@virtual
async def test_no_intent_no_submit(tmp_path: Path) -> None:
    """A disk that is full when the intent is to be written."""
    async with world(tmp_path, "a") as w:
        with mock.patch.object(w.store.jobs, "claim", side_effect=FULL):
            assert await submit(w.run, await w.queued()) is None
        assert w.provider.calls == []
        assert [(stop.reason, stop.detail) for stop in w.stops] == [(PauseReason.DISK, FULL.message)]
        assert w.run.limits.budget.committed == 0
        assert (await w.job()).state is JobState.QUEUED


@virtual
async def test_a_database_that_went_back_in_time(tmp_path: Path) -> None:
    """Nothing is sent, and the batch waits for a person, not for room."""
    lost = CommitsLost("The database has lost what it had kept.")
    async with world(tmp_path, "a") as w:
        with mock.patch.object(w.store.jobs, "claim", side_effect=lost):
            assert await submit(w.run, await w.queued()) is None
        assert w.provider.calls == []
        assert [(stop.reason, stop.detail) for stop in w.stops] == [(PauseReason.GUARD, lost.message)]
        assert (await w.job()).state is JobState.QUEUED


@virtual
async def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """SQLite's own refusal, made by a limit on the pages of the file: each submit has its intent on disk."""
    keys = [f"{number:02}" for number in range(60)]
    async with world(tmp_path, *keys) as w:

        def shut(connection: Any) -> None:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")  # no page beyond those in use

        await w.store.database.write(shut)
        for key in keys:
            if w.stops:
                break
            await submit(w.run, await w.queued(key))
        assert [stop.reason for stop in w.stops] == [PauseReason.DISK]
        assert "full" in w.stops[0].detail
        on_disk = select(w.path, "SELECT request_id FROM attempt")
        kept = {row["request_id"] for row in on_disk} | receipts(tmp_path)
        assert len(w.provider.asked("submit")) == len(kept - {None})


@virtual
async def test_no_journal_no_submit(tmp_path: Path) -> None:
    """A disk that is full when the journal is to be written: the intent is taken back."""
    async with world(tmp_path, "a", budget=Decimal("1")) as w:
        with mock.patch("runner.recovery.journal.write_all", side_effect=OSError(28, "No space left")):
            assert await submit(w.run, await w.queued()) is None
        assert w.provider.calls == []
        assert [stop.reason for stop in w.stops] == [PauseReason.DISK]
        assert "journal" in w.stops[0].detail
        assert w.run.limits.budget.committed == 0
        assert (await w.job()).state is JobState.QUEUED
        assert (await w.job()).attempts == 0


@virtual
async def test_nothing_is_sent_once_the_database_was_replaced(tmp_path: Path) -> None:
    """What this process commits from then on, nobody finds again."""
    async with world(tmp_path, "a") as w:
        copy = tmp_path / "copy.db"
        copy.write_bytes(w.path.read_bytes())
        copy.replace(w.path)
        assert await submit(w.run, await w.queued()) is None
        assert w.provider.calls == []
        assert [stop.reason for stop in w.stops] == [PauseReason.DISK]
        assert "was replaced while this run had it open" in w.stops[0].detail


@virtual
async def test_a_receipt_that_the_database_refuses_is_in_the_journal(tmp_path: Path) -> None:
    """And into the job when the next run begins; told with its id, which is worth money."""
    async with world(tmp_path, "a") as w:
        with refusing(w, Accepted):
            assert await submit(w.run, await w.queued()) is None
        assert [stop.reason for stop in w.stops] == [PauseReason.DISK]
        assert "'a' was accepted as req-1, but the database refuses." in w.notices[0]
        assert "The journal has it, and the next run takes it up." in w.notices[0]
        assert receipts(tmp_path) == {"req-1"}
        assert w.run.limits.budget.committed == Decimal("0.04")
        found = await recover(w.store, w.run.batch, w.places, w.clock.now())
        assert found.unconfirmed == 0
        assert [record.receipt for record in found.healing.healed.completed] == ["req-1"]
        assert [job.request_id for job in found.running] == ["req-1"]


@virtual
async def test_a_receipt_that_nothing_takes_is_told(tmp_path: Path) -> None:
    """The last of all places is the person at the terminal."""
    async with world(tmp_path, "a") as w:
        full = mock.patch.object(w.run.journal, "keep", side_effect=OSError(5, "Input/output error"))
        with refusing(w, Accepted), full:
            assert await submit(w.run, await w.queued()) is None
        assert "req-1" in w.notices[0]
        assert "Even the journal cannot be written: keep this line." in w.notices[0]


@virtual
async def test_a_receipt_survives_a_defect_of_ours(tmp_path: Path) -> None:
    """Whatever goes wrong behind the answer: what is paid for is written down first."""
    async with world(tmp_path, "a") as w:
        with refusing(w, Accepted, error=ZeroDivisionError("a defect")), pytest.raises(ZeroDivisionError):
            await submit(w.run, await w.queued())
        found = await recover(w.store, w.run.batch, w.places, w.clock.now())
        assert [job.request_id for job in found.running] == ["req-1"]


@virtual
async def test_a_receipt_that_is_in_the_database_after_all_is_not_replayed(tmp_path: Path) -> None:
    """Committed, and only what comes after it failed."""
    async with world(tmp_path, "a") as w:
        with mock.patch("runner.workers.edge.submit._count_accepted", side_effect=FULL):
            assert await submit(w.run, await w.queued()) is None
        assert receipts(tmp_path) == {"req-1"}
        found = await recover(w.store, w.run.batch, w.places, w.clock.now())
        assert not found.healing.healed.completed
        assert [job.request_id for job in found.running] == ["req-1"]


@pytest.mark.parametrize("verdict", [Unconfirmed("HTTP 502"), TurnedAway("429", busy=True)])
def test_what_cannot_be_recorded_is_settled_by_the_next_run(tmp_path: Path, verdict: Any) -> None:
    """The intent stands: nothing in doubt is sent again by itself."""

    @virtual
    async def test() -> None:
        async with world(tmp_path, "a") as w:
            w.provider.says("submit", verdict)
            with refusing(w, LeftUnconfirmed, NotAccepted):
                assert await submit(w.run, await w.queued()) is None
            assert [stop.reason for stop in w.stops] == [PauseReason.DISK]
            assert len(w.provider.asked("submit")) == 1
            told = any("may have been accepted and paid for" in notice for notice in w.notices)
            assert told is isinstance(verdict, Unconfirmed)
            found = await recover(w.store, w.run.batch, w.places, w.clock.now())
            in_doubt = isinstance(verdict, Unconfirmed)  # the journal has that the other was turned away
            state = JobState.UNCONFIRMED if in_doubt else JobState.QUEUED
            assert (found.unconfirmed, (await w.job()).state) == (in_doubt, state)

    test()


@virtual
async def test_a_wait_that_cannot_be_told_to_others_costs_nothing(tmp_path: Path) -> None:
    """The submit was turned away, and that is recorded: its money is free, and it is sent in its turn."""
    async with world(tmp_path, "a", budget=Decimal("0.04")) as w:
        w.provider.says("submit", TurnedAway("429", busy=True), Taken("req-a"))
        with mock.patch.object(w.store.accounts, "cool_down", side_effect=FULL):
            assert await submit(w.run, await w.queued()) is not None
        assert w.stops == []
        assert len(w.provider.asked("submit")) == 2
        assert w.run.limits.budget.committed == Decimal("0.04")


@virtual
async def test_money_is_given_back_once(tmp_path: Path) -> None:
    """An intent that is to be taken back, and the disk refuses even that."""
    async with world(tmp_path, "a", budget=Decimal("1")) as w:
        real = w.store.jobs.claim

        async def pause_meanwhile(*intent: Any) -> Intent | NotAdmitted | None:
            attempt = await real(*intent)
            w.run.limits.brake.pause(PauseReason.PERSON, "wait")
            return attempt

        with refusing(w, NotAccepted), mock.patch.object(w.store.jobs, "claim", pause_meanwhile):
            assert await submit(w.run, await w.queued()) is None
        assert w.provider.calls == []
        assert w.run.limits.budget.committed == 0
