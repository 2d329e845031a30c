"""`nightsheet run`: load what is new in a sheet, and run until nothing is left to do."""

from typing import TYPE_CHECKING

from runner.cli import closing, parts, sheets
from runner.cli.asking import consent_of
from runner.cli.opening import execute, surroundings
from runner.cli.options import RUNNING
from runner.cli.options import command as made
from runner.cli.rehearsing import check_rehearsal

if TYPE_CHECKING:
    from jobs.sheets import Source
    from runner.events.report import RunReport
    from runner.settings import Settings

EXAMPLE = "nightsheet run sample_batches/first-night.csv --emulator"


@made(*RUNNING)
def command(
    sheet: sheets.SheetPath,
    settings: "Settings",
    batch: sheets.Batch = None,
    model: sheets.Model = None,
    form: sheets.Format = None,
    worksheet: sheets.Worksheet = None,
    encoding: sheets.Encoding = None,
    priority_by: sheets.PriorityBy = None,
    dedupe: sheets.Dedupe = None,
    prune: sheets.Prune = False,
    only: parts.Only = None,
    where: parts.Where = None,
    limit: parts.Limit = None,
    sample: parts.Sample = None,
) -> int:
    """Load what is new in the sheet, and run until nothing is left to do.

    Running the same sheet again goes on where the last run ended: nothing is paid twice.
    What is left out of a part stays queued, until a run that has it.
    """
    check_rehearsal(settings)
    part = parts.part_of(only, where, limit, sample)
    from runner.cli.progress import Display
    from runner.run import run_sheet

    around = surroundings()

    async def work(source: "Source", display: Display) -> "RunReport":
        consent = consent_of(settings, display)
        return await run_sheet(
            source,
            batch=batch,
            model=model,
            settings=settings,
            around=around,
            consent=consent,
            watcher=display,
            part=part,
            priority_by=priority_by,
            prune=prune,
            dedupe=dedupe,
        )

    with (
        sheets.source_of(sheet, form, worksheet, encoding) as source,
        Display(around.clock.now, quiet=settings.quiet) as display,
    ):
        report = execute(lambda: work(source, display))
    return closing.show(report, settings, around)
