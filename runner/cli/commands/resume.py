"""`nightsheet resume`: clear a pause and go on with a batch, without its sheet."""

from typing import TYPE_CHECKING

from jobs.exit_codes import ExitCode
from runner.cli.console import console
from runner.cli.console.progress import Display
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.options.selection import SelectionOptions
from runner.cli.options.settings import RUNNING
from runner.cli.steps import run_end
from runner.cli.steps.consent import consent_of
from runner.cli.steps.open import execute, must_exist, process_environment
from runner.cli.steps.open_files import within_open_files
from runner.cli.steps.rehearsal import check_rehearsal
from runner.settings import Settings

if TYPE_CHECKING:
    from runner.events.report import RunReport

EXAMPLE = "nightsheet resume first-night --budget 20"


@with_settings(*RUNNING)
def command(settings: Settings, selected: SelectionOptions, batch: BatchName = None) -> int:
    """Clear a pause and go on with a batch, without its sheet.

    If another runner works on the batch, only the pause is cleared. If that runner is ending, the command
    waits for it.
    """
    check_rehearsal(settings)
    settings = within_open_files(settings)
    selection = selected.selection()
    must_exist(settings)
    from runner.run import resume_batch  # late: SQLAlchemy and the API's clients come along

    environment = process_environment()

    async def work(display: Display) -> "RunReport | None":
        return await resume_batch(
            batch,
            settings=settings,
            environment=environment,
            consent=consent_of(settings, display),
            observer=display,
            selection=selection,
            last_words=run_end.last_words(settings, environment, display),
        )

    display = Display(environment.clock.now, quiet=settings.quiet)
    try:
        with display:
            report = execute(lambda: work(display))
    except KeyboardInterrupt:
        return run_end.interrupted(settings, environment, display)
    if report is not None:
        return run_end.show(report, settings, environment)
    if settings.as_json:
        console.as_json({"batch": batch, "exit_code": ExitCode.OK, "resumed_by": "another runner"})
    else:
        console.result("Another runner holds this database: the pause is cleared.")
    return ExitCode.OK
