"""`nightsheet run`: load what is new in a sheet, and run until nothing is left to do."""

from typing import TYPE_CHECKING, Annotated

import typer

from jobs.sheets import SheetSource
from runner.cli.console.progress import Display
from runner.cli.options.command import with_settings
from runner.cli.options.selection import SelectionOptions
from runner.cli.options.settings import RUNNING
from runner.cli.options.sheet import SheetOptions
from runner.cli.steps import run_end
from runner.cli.steps.consent import consent_of
from runner.cli.steps.new_database import make_another
from runner.cli.steps.open import execute, process_environment
from runner.cli.steps.open_files import within_open_files
from runner.cli.steps.rehearsal import check_rehearsal
from runner.settings import Settings

if TYPE_CHECKING:
    from runner.events.report import RunReport

EXAMPLE = "nightsheet run my.csv --emulator"


@with_settings(*RUNNING, first=("emulator", "model", "sample", "budget", "yes", "output_dir"))
def command(
    settings: Settings,
    sheet: SheetOptions,
    *,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Cancel waiting jobs that left the sheet.",
            rich_help_panel="The sheet",
        ),
    ] = False,
    selected: SelectionOptions,
) -> int:
    """Load what is new in the sheet, and run until nothing is left to do.

    Run the same sheet again to go on where the last run ended: nothing is paid twice.
    With --only, --where, --limit or --sample, the other jobs stay queued for a later run.
    If a guard or a person paused the batch, a run only fetches what is paid for; `resume` sends the rest.
    """
    check_rehearsal(settings)
    settings = within_open_files(settings)
    selection = selected.selection()
    # Late: SQLAlchemy and the API's clients come along; `--help` needs none.
    from runner.lifecycle.order import LoadOptions
    from runner.run import run_sheet

    environment = process_environment()

    async def work(source: SheetSource, display: Display) -> "RunReport":
        return await run_sheet(
            source,
            LoadOptions(sheet.batch, sheet.model, sheet.priority_by, sheet.dedupe, prune),
            settings=settings,
            environment=environment,
            consent=consent_of(settings, display),
            observer=display,
            selection=selection,
            last_words=run_end.last_words(settings, environment, display),
        )

    with sheet.source() as source:
        make_another(settings, source, *sheet.words())
        display = Display(environment.clock.now, quiet=settings.quiet)
        try:
            with display:
                report = execute(lambda: work(source, display))
        except KeyboardInterrupt:
            return run_end.interrupted(settings, environment, display)
    return run_end.show(report, settings, environment)
