"""`nightsheet export`: the manifest, in any format and place; or results in a copy of the sheet."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jobs.errors import UsageProblem
from jobs.manifests import FORMATS, format_for, write_export, write_to_stream
from jobs.sheets import SheetSource
from runner.cli.console import console
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.options.settings import CONTROLLING, FINDING
from runner.cli.options.sheet import Encoding, Model, Subject, Worksheet, source_of
from runner.cli.steps.missing_images import tell_missing
from runner.cli.steps.open import execute, opened_batch, system_clock
from runner.cli.steps.overwrite import check_target
from runner.cli.steps.standing import whereabouts
from runner.settings import Settings

EXAMPLE = "nightsheet export first-night --output night.csv"


class FormatName(StrEnum):
    """The formats of `jobs.manifests`, as choices of an option; a test holds the two together."""

    JSONL = "jsonl"
    CSV = "csv"


@with_settings(*CONTROLLING, *FINDING)
def command(
    settings: Settings,
    batch: BatchName = None,
    form: Annotated[
        FormatName | None,
        typer.Option("--format", help="The format. Default: that of the file's ending, else jsonl."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="The file to write. Default: standard output."),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into",
            metavar="SHEET",
            help="Write the results into a copy of this sheet, beside its rows: my-results.csv for my.csv. "
            "If the sheet names pictures of this computer, keep the copy in the same folder.",
        ),
    ] = None,
    model: Model = None,
    worksheet: Worksheet = None,
    encoding: Encoding = None,
    subject: Subject = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Include jobs that are no longer in the sheet.")
    ] = False,
) -> None:
    """Write the manifest: one record for each job, in sheet order, whatever became of it.

    Paths of pictures are relative to the manifest's folder; on standard output, to the current folder.
    An existing file is replaced only if it is a manifest. --into writes the results into a copy of the sheet,
    which you can run again: what succeeded is not paid again.
    """
    target = None if output is None or str(output) == "-" else output.absolute()
    if into is None:
        execute(lambda: _export(settings, batch, form, target, everything=everything))
        return
    if form is not None or everything or str(output) == "-" or str(into) == "-":
        raise UsageProblem("--into makes a copy of a sheet: it goes with --output FILE alone.")
    with source_of(into, None, worksheet, encoding, subject=subject) as source:
        execute(lambda: _export_into(settings, batch, source, model, target))


async def _export_into(
    settings: Settings, name: str | None, source: SheetSource, model: str | None, output: Path | None
) -> None:
    from runner.cli.steps.sheets.sheet_copy import (
        write_copy,  # late: openpyxl comes along, and few exports need it
    )

    async with opened_batch(settings, system_clock(), name) as (store, batch):
        await write_copy(store, batch, settings, source, model, output)


async def _export(
    settings: Settings, name: str | None, form: FormatName | None, output: Path | None, *, everything: bool
) -> None:
    async with opened_batch(settings, system_clock(), name) as (store, batch):
        if output is not None:
            check_target(output, settings.database, Path(batch.sheet))
        format_ = format_for(output) if form is None else FORMATS[form.value]
        places = whereabouts(batch, settings)
        if output is None:
            await write_to_stream(
                store, batch, format_, console.raw, folder=Path.cwd(), places=places, everything=everything
            )
        else:
            await write_export(store, batch, format_, output, places=places, everything=everything)
            console.message(f"Written: {output}")
        tell_missing(places, settings, batch.name)
