"""Runs that a timer starts again and again, behind a gateway that says "later" after each accepted submit."""

import os
import signal
from pathlib import Path
from typing import Any

import anyio

from jobs.states import JobState
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from runner.events.report import RunReport
from tests.support.night import Night, night
from tests.support.virtual_time import virtual

ROWS = 3
LATER = Fault(
    endpoint=Endpoint.SUBMIT, kind=FaultKind.HTTP, status=503, retry_after=600, accepted=True, times=None
)
"""An error of the API's own that says "later", for a submit that was accepted all the same."""


async def run_by_a_timer(w: Night, sheet: Path, **settings: Any) -> RunReport:
    """`timeout 300 nightsheet run SHEET --yes`: each run hears "later" once, and is ended."""

    async def end() -> None:
        await w.clock.sleep(300)
        os.kill(os.getpid(), signal.SIGTERM)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end)
        report = await w.run(sheet, **settings)
        tasks.cancel_scope.cancel()
    return report


@virtual
async def test_a_later_that_nothing_proves_is_believed_three_times_over_all_runs(tmp_path: Path) -> None:
    """The fourth in a row leaves the row unconfirmed, whichever run hears it."""
    async with night(tmp_path, faults=(LATER,), look_seconds=60.0) as w:
        sheet = w.sheet(ROWS)
        ends = [await run_by_a_timer(w, sheet) for _ in range(12)]
        assert w.submits() == {f"A boat no. {row}": 4 for row in range(ROWS)}
        assert w.states() == {JobState.UNCONFIRMED: ROWS}
        assert {report.exit_code for report in ends} == {130, 1}


@virtual
async def test_a_repeat_that_is_allowed_is_one_submit_and_not_four(tmp_path: Path) -> None:
    """Nothing but a proof ends the count: a repeat of a doubted row may be answered so once."""
    async with night(tmp_path, faults=(LATER,), look_seconds=60.0) as w:
        sheet = w.sheet(ROWS)
        for _ in range(12):
            await run_by_a_timer(w, sheet, resubmit_unconfirmed=2)
        assert sum(w.submits().values()) == 4 * ROWS + 2
        assert w.states() == {JobState.UNCONFIRMED: ROWS}
