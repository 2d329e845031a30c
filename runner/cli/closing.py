"""The end of `run` and `resume`: the summary, whatever has become of the terminal."""

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from jobs.errors import NightsheetError
from jobs.failures import FailureKind
from jobs.states import JobState
from runner.cli import render, summary
from runner.cli.opening import execute, opened_batch

if TYPE_CHECKING:
    from runner.opening import Surroundings
    from runner.report import RunReport
    from runner.settings import Settings


def show(report: "RunReport", settings: "Settings", around: "Surroundings") -> int:
    """Print what the run came to; its exit code, even where nobody reads any more."""
    try:
        if settings.as_json:
            render.as_json(summary.as_json(report))
        else:
            kinds = _kinds(report, settings, around)
            for line, style in summary.lines(report, settings, kinds):
                render.result(line, style)
    except BrokenPipeError:
        render.forget_output()
    return report.exit_code


def _kinds(
    report: "RunReport", settings: "Settings", around: "Surroundings"
) -> "Counter[FailureKind] | None":
    """How many jobs failed for which reason; None where that cannot be told any more."""
    if not report.counts[JobState.FAILED]:
        return None

    async def count() -> Counter[FailureKind]:
        async with opened_batch(settings, around, report.batch) as (store, batch):
            failed = store.jobs(batch.id, states=[JobState.FAILED])
            return Counter([job.failure.kind async for job in failed if job.failure is not None])

    with suppress(NightsheetError):
        return execute(count)
    return None
