"""`nightsheet run`: load what is new in a sheet, and run until nothing is left to do."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli import closing
from runner.cli.asking import consent_of
from runner.cli.opening import execute, surroundings
from runner.cli.options import RUNNING
from runner.cli.options import command as made
from runner.cli.rehearsing import check_rehearsal

if TYPE_CHECKING:
    from runner.report import RunReport
    from runner.settings import Settings

EXAMPLE = "nightsheet run sample_batches/first-night.csv --emulator"


@made(*RUNNING)
def command(
    sheet: Annotated[Path, typer.Argument(metavar="SHEET", help="The sheet: CSV, YAML or JSONL.")],
    settings: "Settings",
    batch: Annotated[
        str | None, typer.Option("--batch", metavar="NAME", help="The batch; the sheet's own, or its stem.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="MODEL", help="The model of rows that name none.")
    ] = None,
) -> int:
    """Load what is new in the sheet, and run until nothing is left to do.

    Running the same sheet again goes on where the last run ended: nothing is paid twice.
    """
    check_rehearsal(settings)
    from runner.cli.progress import Display
    from runner.run import run_sheet

    around = surroundings()

    async def work(display: Display) -> "RunReport":
        consent = consent_of(settings, display)
        return await run_sheet(
            sheet,
            batch=batch,
            model=model,
            settings=settings,
            around=around,
            consent=consent,
            watcher=display,
        )

    with Display(around.clock.now, quiet=settings.quiet) as display:
        report = execute(lambda: work(display))
    return closing.show(report, settings, around)
