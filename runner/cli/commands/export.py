"""`nightsheet export`: the manifest, in the format and the place that one likes."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.errors import UsageProblem
from runner.cli.console import console
from runner.cli.options import sheet as sheet_options
from runner.cli.options.settings import BatchName
from runner.cli.options.settings import command as made
from runner.cli.steps.open import execute, opened_batch, system_clock
from runner.cli.steps.overwrite import check_target

if TYPE_CHECKING:
    from jobs.sheets import SheetSource
    from runner.settings import Settings

EXAMPLE = "nightsheet export first-night --output night.csv"


class FormatName(StrEnum):
    """The formats of `jobs.manifests`, which is imported late; a test holds the two together."""

    JSONL = "jsonl"
    CSV = "csv"


@made("db", "emulator", "verbose")
def command(
    settings: "Settings",
    batch: BatchName = None,
    form: Annotated[
        FormatName | None, typer.Option("--format", help="As the file's ending says, else jsonl.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Where to; standard output.")
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into",
            metavar="SHEET",
            help="Into a copy of this sheet, beside its rows; my-results.csv for my.csv. One with pictures "
            "of this computer has to stay in the sheet's folder.",
        ),
    ] = None,
    model: sheet_options.Model = None,
    worksheet: sheet_options.Worksheet = None,
    encoding: sheet_options.Encoding = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the jobs that the sheet no longer has.")
    ] = False,
) -> int:
    """Write the manifest: one record a job, in sheet order, whatever happened to it.

    Pictures' paths are relative to the manifest's folder; on standard output, to the current one.
    A file that is there already is replaced only if it is a manifest, too. With --into, results stand in a
    copy of the sheet, which can be run again: what succeeded is not paid again.
    """
    if into is not None:
        if form is not None or everything or str(output) == "-" or str(into) == "-":
            raise UsageProblem("--into makes a copy of a sheet: it goes with --output FILE alone.")
        beside, place = into, None if output is None else output.absolute()
        with sheet_options.source_of(beside, None, worksheet, encoding) as source:
            execute(lambda: _into(settings, batch, source, model, place))
        return 0
    target = None if output is None or str(output) == "-" else output.absolute()
    execute(lambda: _export(settings, batch, form, target, everything=everything))
    return 0


async def _into(
    settings: "Settings", name: str | None, source: "SheetSource", model: str | None, output: Path | None
) -> None:
    from runner.cli.steps.sheet_copy import write_into

    async with opened_batch(settings, system_clock(), name) as (store, batch):
        await write_into(store, batch, settings, source, model, output)


async def _export(
    settings: "Settings", name: str | None, form: FormatName | None, output: Path | None, *, everything: bool
) -> None:
    from jobs.manifests import FORMATS, format_for, write_export, write_to_stream

    chosen = format_for(output) if form is None else FORMATS[form.value]
    async with opened_batch(settings, system_clock(), name) as (store, batch):
        if output is None:
            await write_to_stream(store, batch, chosen, console.raw, folder=Path.cwd(), everything=everything)
        else:
            check_target(output, settings.database, Path(batch.sheet))
            await write_export(store, batch, chosen, output, everything=everything)
            console.message(f"Written: {output}")
