"""Whole runs in trouble: the token, the balance, an outage, a clock that jumps, runs that fail."""

import os
import signal
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from jobs.pauses import PauseReason
from jobs.states import JobState
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from runner.events.report import RunReport
from runner.recovery.lock import waiting_of
from tests.support.night import TOKEN, night
from tests.support.virtual_time import virtual

ROWS = 12


@virtual
async def test_a_token_that_is_refused_costs_nothing(tmp_path: Path) -> None:
    """Found with the first free question; with a new one the batch goes on."""
    async with night(tmp_path, tokens=frozenset({"another"})) as w:
        report = await w.run(w.sheet(ROWS))
        assert (report.exit_code, w.service.ledger) == (77, [])
        assert {method for _at, method, _path in w.transport.calls} == {"GET"}
        w.service.accept_tokens(frozenset({TOKEN}))
        resumed = await w.resume()
        assert resumed is not None
        assert resumed.exit_code == 0
        w.everything_once(ROWS)


@virtual
async def test_a_token_that_is_revoked_in_the_night(tmp_path: Path) -> None:
    """Submits and polls stop at once; nothing is in doubt, nothing is lost."""
    async with night(tmp_path, median_seconds=30, sigma=0) as w:

        async def revoke() -> None:
            await w.clock.sleep(6)
            w.service.revoke(TOKEN)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(revoke)
            report = await w.run(w.sheet(ROWS))
        assert report.exit_code == 77
        assert w.clock.monotonic() < 20
        assert w.states() == {JobState.RUNNING: 8, JobState.QUEUED: ROWS - 8}
        w.service.accept_tokens(frozenset({TOKEN}))
        resumed = await w.resume()
        assert resumed is not None
        assert resumed.exit_code == 0
        w.everything_once(ROWS)


@virtual
async def test_a_balance_that_is_used_up(tmp_path: Path) -> None:
    """No row is to blame: what is paid for comes home, the others wait."""
    async with night(tmp_path, balance_usd=Decimal("0.20")) as w:
        report = await w.run(w.sheet(ROWS))
        assert report.paused is not None
        assert (report.exit_code, report.paused.reason) == (75, PauseReason.BALANCE)
        assert set(w.states()) == {JobState.SUCCEEDED, JobState.QUEUED}
        w.service.set_balance(Decimal(5))
        resumed = await w.resume()
        assert resumed is not None
        assert resumed.exit_code == 0
        w.everything_once(ROWS)


@virtual
async def test_no_network_at_all(tmp_path: Path) -> None:
    """Asked now and then for as long as the limit; nothing is sent, nothing in doubt."""
    async with night(tmp_path) as w:
        w.transport.offline = True
        report = await w.run(w.sheet(ROWS), outage_limit=600)
        assert (report.exit_code, w.states()) == (69, {JobState.QUEUED: ROWS})
        assert len(w.transport.calls) < 60
        w.transport.offline = False
        resumed = await w.resume()
        assert resumed is not None
        assert resumed.exit_code == 0
        w.everything_once(ROWS)


@virtual
async def test_an_outage_at_the_start_is_shown_from_the_first_second(tmp_path: Path) -> None:
    """Nothing is sent yet, and a log must not be silent; other processes know what is waited for."""
    async with night(tmp_path) as w:
        w.transport.offline = True

        async def look() -> None:
            await w.clock.sleep(300)
            (first, *_), last = w.watching.progresses, w.watching.progresses[-1]
            assert first.seconds <= 3  # the first probe may take a second
            assert 290 <= last.seconds <= 300
            assert last.waiting_for is not None
            assert last.to_come_usd is None  # nobody could be asked for a price
            told = waiting_of(w.database)
            assert told is not None
            assert told.reason == "outage"
            assert told.until - told.since == timedelta(seconds=600)
            w.transport.offline = False

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look)
            report = await w.run(w.sheet(ROWS), outage_limit=600)
        assert report.exit_code == 0
        seconds = [progress.seconds for progress in w.watching.progresses]
        assert seconds == sorted(seconds), "the clock of a run never goes back"
        assert waiting_of(w.database) is None
        assert w.watching.progresses[-1].to_come_usd == 0
        w.everything_once(ROWS)


@virtual
async def test_a_network_that_is_gone_for_a_while(tmp_path: Path) -> None:
    """Ridden out in one run, with few requests, and then at its old pace within a minute."""
    async with night(tmp_path) as w:

        async def cut() -> None:
            await w.clock.sleep(6)
            w.transport.offline = True
            await w.clock.sleep(600)
            w.transport.offline = False

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cut)
            report = await w.run(w.sheet(ROWS), outage_limit=1800)
        assert report.exit_code == 0
        w.everything_once(ROWS)
        during = [at for at, _method, _path in w.transport.calls if 6 < at < 606]
        assert len(during) < 60
        assert w.clock.monotonic() < 606 + 90


@pytest.mark.parametrize("years", [10, -10])
def test_a_wall_clock_that_jumps_in_the_night(tmp_path: Path, years: int) -> None:
    """Nothing that matters goes by it; a person is told."""

    @virtual
    async def test() -> None:
        async with night(tmp_path) as w:

            async def jump() -> None:
                await w.clock.sleep(6)
                w.clock.jump(timedelta(days=365 * years))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(jump)
                report = await w.run(w.sheet(ROWS))
            assert report.exit_code == 0
            assert w.clock.monotonic() < 120
            w.everything_once(ROWS)

    test()


@virtual
async def test_runs_that_fail_are_sent_again_only_as_often_as_allowed(tmp_path: Path) -> None:
    """Each may be billed."""
    async with night(tmp_path, failed_share=1.0) as w:
        report = await w.run(w.sheet(5), max_attempts=3)
        assert (report.exit_code, w.states()) == (1, {JobState.FAILED: 5})
        assert set(w.submits().values()) == {3}
        assert report.account.submits == 15


@virtual
async def test_a_batch_of_nothing_but_failures_stops_itself(tmp_path: Path) -> None:
    """The guard: not the whole sheet is burnt."""
    async with night(tmp_path, failed_share=1.0) as w:
        report = await w.run(w.sheet(80))
        assert report.paused is not None
        assert (report.exit_code, report.paused.reason) == (75, PauseReason.GUARD)
        assert len(w.service.ledger) <= 20 + 8


@pytest.mark.parametrize("max_attempts", [1, 2, 5])
def test_three_failed_runs_are_all_that_a_new_model_costs(tmp_path: Path, max_attempts: int) -> None:
    """Also where each may be sent again, and however often the batch is started again."""

    @virtual
    async def test() -> None:
        async with night(tmp_path, failed_share=1.0) as w:
            sheet = w.sheet(60, series_every=1)
            for _ in range(3):
                report = await w.run(sheet, max_attempts=max_attempts, canary=3)
                assert report.paused is not None
                assert (report.exit_code, report.paused.reason) == (75, PauseReason.GUARD)
                assert w.submits().total() == 3

    test()


@virtual
async def test_at_the_deadline_the_run_ends_and_the_next_one_polls_on(tmp_path: Path) -> None:
    """A warning and exit 1, and nothing is sent again."""
    stuck = Fault(endpoint=Endpoint.STATUS, kind=FaultKind.STAYS, times=None, job=3)
    async with night(tmp_path, faults=(stuck,)) as w:
        report = await w.run(w.sheet(ROWS), deadline=300)
        assert (report.exit_code, report.overdue) == (1, 1)
        assert w.states() == {JobState.SUCCEEDED: ROWS - 1, JobState.RUNNING: 1}
        w.service.faults = ()
        resumed = await w.resume()
        assert resumed is not None
        assert resumed.exit_code == 0
        w.everything_once(ROWS)


@virtual
async def test_a_signal_while_an_outage_is_ridden_out_at_the_start(tmp_path: Path) -> None:
    """Nothing was sent, and it ends as an interruption does: with a report and a manifest."""
    async with night(tmp_path) as w:
        w.transport.offline = True
        reports: list[RunReport] = []

        async def run() -> None:
            reports.append(await w.run(w.sheet(4)))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await w.clock.sleep(120)
            os.kill(os.getpid(), signal.SIGTERM)
        (report,) = reports
        assert (report.exit_code, report.interrupted) == (130, True)
        assert report.counts[JobState.QUEUED] == 4
        assert len(w.manifest()) == 4
        w.transport.offline = False
        assert (await w.run(w.sheet(4))).exit_code == 0
        w.everything_once(4)


@virtual
async def test_another_account_s_token_pauses_once(tmp_path: Path) -> None:
    """None of what is under way is known: a person looks at the token, and `resume` polls on."""
    async with night(tmp_path, median_seconds=3600.0) as w:
        sheet = w.sheet(4)
        first = await w.run(sheet, deadline=5.0)
        assert (first.exit_code, w.states()) == (1, {JobState.RUNNING: 4})
        await w.clock.sleep(61)
        w.service.faults = (Fault(endpoint=Endpoint.STATUS, kind=FaultKind.UNKNOWN_ID, times=None),)
        codes = [(await w.run(sheet, deadline=60.0)).exit_code for _ in range(2)]
        assert codes == [77, 77], "a run is nobody's decision"
        resumed = await w.resume(deadline=60.0)
        assert resumed is not None
        assert resumed.exit_code == 1
        assert w.states() == {JobState.RUNNING: 4}
        assert w.submits().total() == 4


@virtual
async def test_a_forgotten_request_holds_up_nobody(tmp_path: Path) -> None:
    """Not even with one job at a time: it is polled apart, and the others come home meanwhile."""
    async with night(tmp_path, median_seconds=2.0) as w:
        forgotten = Fault(endpoint=Endpoint.STATUS, kind=FaultKind.UNKNOWN_ID, times=None, prompt="no. 0")
        w.service.faults = (forgotten,)
        report = await w.run(w.sheet(6), concurrency=1, deadline=300.0)
        assert (report.exit_code, w.states()) == (1, {JobState.SUCCEEDED: 5, JobState.RUNNING: 1})
        finished = [job["finished_at"] for job in w.jobs() if job["finished_at"]]
        begun = min(job["submitted_at"] for job in w.jobs())
        seconds = (datetime.fromisoformat(max(finished)) - datetime.fromisoformat(begun)).total_seconds()
        assert seconds < 200, "nobody waited for its deadline"
