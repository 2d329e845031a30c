"""The end of `run` and `resume`: the summary, whatever has happened to the terminal."""

from collections import Counter
from contextlib import suppress

from jobs.errors import NightsheetError
from jobs.failures import FailureKind
from jobs.states import JobState
from runner.cli.console import console
from runner.cli.reports import summary
from runner.cli.steps.open import execute, opened_batch
from runner.environment import Environment
from runner.events.report import RunReport
from runner.settings import Settings


def show(report: RunReport, settings: Settings, environment: Environment) -> int:
    """Print the summary of a run; returns its exit code, even if nobody reads, or the disk is full."""
    breakdown = _breakdown(report, settings, environment)
    try:
        if settings.as_json:
            console.as_json(summary.as_json(report, breakdown))
        else:
            for line, style in summary.lines(report, settings, breakdown):
                console.result(line, style)
    except OSError as error:
        console.forget_output()
        if not isinstance(error, BrokenPipeError):
            with suppress(OSError):
                console.message(f"The summary could not be written: {error.strerror}.", "bold red")
    return report.exit_code


def _breakdown(report: RunReport, settings: Settings, environment: Environment) -> summary.FailureBreakdown:
    """What the table knows beyond the report; empty where it cannot be read any more."""

    async def read() -> summary.FailureBreakdown:
        async with opened_batch(settings, environment.clock, report.batch) as (store, batch):
            failed = store.jobs.each(batch.id, states=[JobState.FAILED])
            kinds, linked = Counter[FailureKind](), Counter[FailureKind]()
            async for job in failed:
                if job.failure is not None:
                    kinds[job.failure.kind] += 1
                    linked[job.failure.kind] += job.twin is not None
            return summary.FailureBreakdown(kinds, await store.ledger.unconfirmed_usd(batch.id), linked)

    if report.counts[JobState.FAILED] or report.account.submits:
        with suppress(NightsheetError):
            return execute(read)
    return summary.FailureBreakdown()
