"""Whole runs: to their end, once more, paused and gone on with, and refused before anything is paid."""

import os
import signal
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from jobs.errors import CannotWrite, LockHeld, UsageProblem
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.store.sqlite.database import open_database
from jobs.store.store import Store
from runner.planning.consent import Ask
from runner.recovery.lock import holding, try_holding
from tests.support.night import SERIES, SINGLE, TOKEN, night
from tests.support.tables import select
from tests.support.virtual_time import virtual

ROWS = 12


async def refuse(_ask: Ask) -> bool:
    return False


@virtual
async def test_a_sheet_runs_to_its_end(tmp_path: Path) -> None:
    """Every row once; its pictures, its record and its price."""
    async with night(tmp_path) as w:
        report = await w.run(w.sheet(ROWS))
        assert (report.exit_code, report.paused, report.interrupted) == (0, None, False)
        w.everything_once(ROWS)
        records = w.manifest()
        assert [record["key"] for record in records] == [f"row-{row}" for row in range(ROWS)]
        assert report.account.spent_usd == sum(submit.cost for submit in w.service.ledger)
        assert report.account.spent_usd == Decimal(1000) - w.service.balance_usd
        assert report.images == sum(len(record["images"]) for record in records)
        assert w.watching.notices == ["To be sent: 12 jobs, at most 16 pictures, for $0.48 to $0.64."]
        assert w.watching.progresses[-1].counts[JobState.SUCCEEDED] == ROWS


@virtual
async def test_the_token_is_nowhere(tmp_path: Path) -> None:
    """Not in the database, not in a manifest, not with the pictures' addresses."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(ROWS))
        assert w.service.media_with_token == 0
        assert all(TOKEN.encode() not in data for data in files(tmp_path).values())


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@virtual
async def test_running_again_asks_nothing_and_changes_nothing(tmp_path: Path) -> None:
    """Whether by the sheet or by the batch."""
    async with night(tmp_path) as w:
        sheet = w.sheet(ROWS)
        await w.run(sheet)
        calls = list(w.transport.calls)
        before = w.jobs()
        for again in (await w.run(sheet), await w.resume()):
            assert again is not None
            assert (again.exit_code, again.images) == (0, 0)
        assert w.transport.calls == calls
        assert [{**job, "generation": 0} for job in w.jobs()] == [{**job, "generation": 0} for job in before]
        w.everything_once(ROWS)


@virtual
async def test_only_what_is_new_is_sent(tmp_path: Path) -> None:
    """Rows that were added to the sheet since."""
    async with night(tmp_path) as w:
        await w.run(w.sheet(ROWS - 4))
        asked: list[Ask] = []

        async def agree(ask: Ask) -> bool:
            asked.append(ask)
            return True

        await w.run(w.sheet(ROWS), agree)
        w.everything_once(ROWS)
        assert [ask.jobs for ask in asked] == [4]


@virtual
async def test_without_agreement_nothing_is_sent(tmp_path: Path) -> None:
    """The sheet is loaded; agreeing later goes on from there."""
    async with night(tmp_path) as w:
        sheet = w.sheet(ROWS)
        with pytest.raises(UsageProblem) as refused:
            await w.run(sheet, refuse)
        assert refused.value.exit_code == 2
        assert w.service.ledger == []
        assert {method for _at, method, _path in w.transport.calls} == {"GET"}
        assert w.states() == {JobState.QUEUED: ROWS}
        report = await w.run(sheet)
        assert report.exit_code == 0
        assert await w.resume(refuse) is not None  # nothing new: nobody is asked
        w.everything_once(ROWS)


@virtual
async def test_what_is_asked(tmp_path: Path) -> None:
    """Jobs, pictures at most, and the price from the API itself."""
    async with night(tmp_path, price_usd={SINGLE: "0.05", SERIES: "0.04"}) as w:
        asked: list[Ask] = []

        async def agree(ask: Ask) -> bool:
            asked.append(ask)
            return False

        with pytest.raises(UsageProblem):
            await w.run(w.sheet(3), agree)
        (ask,) = asked
        assert (ask.batch, ask.jobs, ask.images) == ("sheet", 3, 4)
        assert (ask.low_usd, ask.high_usd) == (Decimal("0.14"), Decimal("0.18"))


@virtual
async def test_a_budget_is_kept_to_the_cent(tmp_path: Path) -> None:
    """What does not fit stays queued; with a larger budget the batch goes on."""
    async with night(tmp_path) as w:
        sheet = w.sheet(ROWS)
        report = await w.run(sheet, budget="0.30")
        assert report.paused is not None
        assert (report.exit_code, report.paused.reason) == (75, PauseReason.BUDGET)
        spent = Decimal(1000) - w.service.balance_usd
        assert Decimal("0.22") < spent <= Decimal("0.30")
        assert set(w.states()) == {JobState.SUCCEEDED, JobState.QUEUED}
        assert (await w.run(sheet, budget="5")).exit_code == 0
        w.everything_once(ROWS)


@virtual
async def test_a_budget_needs_a_price(tmp_path: Path) -> None:
    """One that nothing can be held against is none."""
    async with night(tmp_path, price_unit="second") as w:
        with pytest.raises(UsageProblem, match="has none for"):
            await w.run(w.sheet(ROWS), budget="5")
        assert w.service.ledger == []
        assert (await w.run(w.sheet(ROWS))).exit_code == 0


@virtual
async def test_a_pause_by_hand_and_a_resume(tmp_path: Path) -> None:
    """From a second process: what is paid for comes home, the rest waits for the resume."""
    async with night(tmp_path, median_seconds=30, sigma=0) as w:

        async def pause() -> None:
            await w.clock.sleep(5)
            async with open_database(w.database) as database:
                other = Store(database, w.clock.now)
                await other.batches.pause(
                    (await other.batches.named("sheet")).id, PauseReason.PERSON, "paused by hand"
                )

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pause)
            report = await w.run(w.sheet(ROWS))
        assert report.paused is not None
        assert (report.exit_code, report.paused.detail) == (75, "paused by hand")
        assert w.states() == {JobState.SUCCEEDED: 8, JobState.QUEUED: ROWS - 8}
        resumed = await w.resume()
        assert resumed is not None
        assert (resumed.exit_code, resumed.paused) == (0, None)
        w.everything_once(ROWS)


@virtual
async def test_an_interruption_and_a_resume(tmp_path: Path) -> None:
    """Ctrl-C in the middle: nothing is lost, nothing is paid twice."""
    async with night(tmp_path, median_seconds=30, sigma=0) as w:

        async def interrupt() -> None:
            await w.clock.sleep(5)
            os.kill(os.getpid(), signal.SIGINT)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(interrupt)
            report = await w.run(w.sheet(ROWS))
        assert (report.exit_code, report.interrupted) == (130, True)
        assert w.states() == {JobState.RUNNING: 8, JobState.QUEUED: ROWS - 8}
        resumed = await w.resume()
        assert resumed is not None
        assert resumed.exit_code == 0
        w.everything_once(ROWS)


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("place", ["before intent", "before submit", "after submit", "after commit"])
def test_a_kill_in_the_middle_of_submits(tmp_path: Path, place: str) -> None:
    """At most the gate is in doubt, and nothing is sent again by itself."""

    @virtual
    async def test() -> None:
        async with night(tmp_path) as w:
            passed = 0

            def probe(name: str) -> None:
                nonlocal passed
                passed += name == place
                if name == place and passed > 5:
                    raise Killed

            w.probe = probe
            with pytest.raises(BaseException) as ended:  # noqa: PT011 - a group with the kill in it
                await w.run(w.sheet(ROWS))
            assert "Killed" in repr(ended.value)
            w.probe = lambda _name: None
            report = await w.run(w.sheet(ROWS))
            doubts = w.states()[JobState.UNCONFIRMED]
            assert doubts <= 4
            assert report.exit_code == (1 if doubts else 0)
            assert w.states()[JobState.SUCCEEDED] == ROWS - doubts
            assert max(w.submits().values()) == 1

    test()


@virtual
async def test_a_second_runner_is_kept_out(tmp_path: Path) -> None:
    """`run` is refused; `resume` clears the pause and leaves the work to the other one."""
    async with night(tmp_path) as w:
        sheet = w.sheet(ROWS)
        w.service.set_balance(Decimal(0))
        assert (await w.run(sheet)).exit_code == 75
        calls = len(w.transport.calls)
        with try_holding(w.database) as held:
            assert held
            with pytest.raises(LockHeld) as refused:
                await w.run(sheet)
            assert refused.value.exit_code == 73
            assert refused.value.message == f"Another runner holds {w.database}."
            assert await w.resume() is None
            assert w.watching.notices[-1] == "It goes on by itself."
        assert select(w.database, "SELECT paused_reason FROM batch") == [{"paused_reason": None}]
        assert len(w.transport.calls) == calls


@virtual
async def test_a_runner_of_another_batch_does_not_go_on_with_this_one(tmp_path: Path) -> None:
    """The pause is cleared, and it is said that this is not enough."""
    async with night(tmp_path) as w:
        w.service.set_balance(Decimal(0))
        await w.run(w.sheet(ROWS))
        w.service.set_balance(Decimal(100))
        await w.run(w.sheet(ROWS, "other.csv"))
        async with holding(w.database, command="run", batch="other", clock=w.clock, notice=print) as before:
            assert before is None
            with pytest.raises(LockHeld, match="and works on batch 'other'"):
                await w.run(tmp_path / "sheet.csv")
            assert await w.resume(name="sheet") is None
        assert w.watching.notices[-1] == (
            "It works on batch 'other': resume 'sheet' again when that has ended."
        )
        assert select(w.database, "SELECT DISTINCT paused_reason FROM batch") == [{"paused_reason": None}]


@virtual
async def test_a_command_that_hangs_is_named(tmp_path: Path) -> None:
    """Nothing of it is sent, and nobody is told that a runner goes on with it."""
    async with night(tmp_path) as w:
        sheet = w.sheet(ROWS)
        w.service.set_balance(Decimal(0))
        await w.run(sheet)
        async with holding(w.database, command="cancel", batch="sheet", clock=w.clock, notice=print):
            with pytest.raises(LockHeld, match="`nightsheet cancel`") as refused:
                await w.run(sheet)
            assert "try again when it has ended" in refused.value.hint
            with pytest.raises(LockHeld, match="`nightsheet cancel`"):
                await w.resume()


@virtual
async def test_a_database_library_with_a_bug_is_told_once(tmp_path: Path) -> None:
    """By the first run that has work; not by the next, and not at all where it has no bug."""
    async with night(tmp_path) as w:
        w.sqlite_version = (3, 51, 3)
        await w.run(w.sheet(1))
        w.sqlite_version = (3, 40, 1)
        await w.run(w.sheet(1))
        assert not any("SQLite" in notice for notice in w.watching.notices)
        for rows in (2, 3):
            await w.run(w.sheet(rows))
        (told,) = [notice for notice in w.watching.notices if "SQLite" in notice]
        assert "SQLite 3.40.1, which has a rare bug" in told


@virtual
async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Found before anything is asked or sent."""
    (tmp_path / "outputs").write_text("a file")
    async with night(tmp_path) as w:
        with pytest.raises(CannotWrite, match="Nothing was sent"):
            await w.run(w.sheet(ROWS))
        assert w.transport.calls == []


@virtual
async def test_another_origin_is_refused(tmp_path: Path) -> None:
    """Its request_ids mean nothing elsewhere."""
    async with night(tmp_path) as w:
        sheet = w.sheet(ROWS)
        await w.run(sheet)
        with pytest.raises(UsageProblem, match="belongs to"):
            await w.run(sheet, emulator=True)
