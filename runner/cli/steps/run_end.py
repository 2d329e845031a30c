"""The end of `run` and `resume`: the summary, whatever has happened to the terminal."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from anyio import to_thread

from jobs.errors import NightsheetError
from jobs.exit_codes import ExitCode
from runner.cli.console import console
from runner.cli.console.progress import Display
from runner.cli.reports import status as status_report
from runner.cli.reports import summary
from runner.cli.reports.status import BatchStatus
from runner.cli.steps.open import execute, opened_batch
from runner.cli.steps.standing import standing
from runner.cli.steps.summary_files import write_summaries
from runner.environment import Environment
from runner.events.report import RunReport
from runner.settings import Settings


def show(report: RunReport, settings: Settings, environment: Environment) -> int:
    """Print the summary of a run, and write it beside the manifests; returns the run's exit code, even if
    nobody reads, or the disk is full."""
    status = _standing(report, settings, environment)
    breakdown = summary.FailureBreakdown() if status is None else status.failures
    try:
        files = () if status is None else write_summaries(status, settings, report.exit_code)
        if settings.as_json:
            console.as_json(summary.as_json(report, breakdown))
        else:
            for line, style in summary.lines(report, settings, breakdown, files):
                console.result(line, style)
    except OSError as error:
        console.forget_output()
        if not isinstance(error, BrokenPipeError):
            with suppress(OSError):
                console.message(f"The summary could not be written: {error.strerror}.", "bold red")
    return report.exit_code


def last_words(
    settings: Settings, environment: Environment, display: Display
) -> Callable[[str], Awaitable[None]]:
    """Says how a batch stands, and what to type, where its process is about to end at once."""

    async def say(batch: str) -> None:
        left = (await _read(batch, settings, environment, files=False)).as_left_behind()

        def write() -> None:
            with display.aside():  # takes the bar off the screen
                _show_left(left, settings)

        await to_thread.run_sync(write, abandon_on_cancel=True)  # a terminal may stand still

    return say


def interrupted(settings: Settings, environment: Environment, display: Display) -> ExitCode:
    """The same after a second Ctrl-C that came while the run was ending already.

    Raises:
        KeyboardInterrupt: no batch ran yet, or its table cannot be read.
    """
    batch = display.batch
    if batch is None:
        raise KeyboardInterrupt
    try:
        status = execute(lambda: _read(batch, settings, environment, files=False))
    except NightsheetError as error:
        raise KeyboardInterrupt from error
    _show_left(status.as_left_behind(), settings)
    return ExitCode.INTERRUPTED


def _show_left(left: BatchStatus, settings: Settings) -> None:
    write_summaries(left, settings, ExitCode.INTERRUPTED)
    for line, style in status_report.lines(left, settings):
        console.message(line, style)


def _standing(report: RunReport, settings: Settings, environment: Environment) -> BatchStatus | None:
    """How the table says the batch stands; None where it cannot be read any more."""
    with suppress(NightsheetError):
        return execute(lambda: _read(report.batch, settings, environment))
    return None


async def _read(
    name: str, settings: Settings, environment: Environment, *, files: bool = True
) -> BatchStatus:
    async with opened_batch(settings, environment.clock, name) as (store, batch):
        return await standing(store, batch.id, settings, environment.clock.now(), files=files)
