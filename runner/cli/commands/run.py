"""`nightsheet run`: load what is new in a sheet, and run until nothing is left to do."""

from typing import TYPE_CHECKING

from runner.cli.options import selection
from runner.cli.options import sheet as sheet_options
from runner.cli.options.settings import RUNNING
from runner.cli.options.settings import command as made
from runner.cli.steps import run_end
from runner.cli.steps.consent import consent_of
from runner.cli.steps.open import execute, process_environment
from runner.cli.steps.rehearsal import check_rehearsal

if TYPE_CHECKING:
    from jobs.sheets import SheetSource
    from runner.events.report import RunReport
    from runner.settings import Settings

EXAMPLE = "nightsheet run sample_batches/first-night.csv --emulator"


@made(*RUNNING)
def command(
    sheet: sheet_options.SheetPath,
    settings: "Settings",
    batch: sheet_options.Batch = None,
    model: sheet_options.Model = None,
    form: sheet_options.Format = None,
    worksheet: sheet_options.Worksheet = None,
    encoding: sheet_options.Encoding = None,
    priority_by: sheet_options.PriorityBy = None,
    dedupe: sheet_options.Dedupe = None,
    prune: sheet_options.Prune = False,
    only: selection.Only = None,
    where: selection.Where = None,
    limit: selection.Limit = None,
    sample: selection.Sample = None,
) -> int:
    """Load what is new in the sheet, and run until nothing is left to do.

    Running the same sheet again goes on where the last run ended: nothing is paid twice.
    What is left out of a part stays queued, until a run that has it.
    """
    check_rehearsal(settings)
    part = selection.part_of(only, where, limit, sample)
    from runner.cli.console.progress import Display
    from runner.lifecycle.order import LoadOptions
    from runner.run import run_sheet

    environment = process_environment()

    async def work(source: "SheetSource", display: Display) -> "RunReport":
        consent = consent_of(settings, display)
        return await run_sheet(
            source,
            LoadOptions(batch, model, priority_by, dedupe, prune),
            settings=settings,
            environment=environment,
            consent=consent,
            observer=display,
            selection=part,
        )

    with (
        sheet_options.source_of(sheet, form, worksheet, encoding) as source,
        Display(environment.clock.now, quiet=settings.quiet) as display,
    ):
        report = execute(lambda: work(source, display))
    return run_end.show(report, settings, environment)
