"""`nightsheet export`: the manifest, in any format and place; or results in a copy of the sheet."""

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from jobs.errors import UsageProblem
from jobs.exit_codes import ExitCode
from jobs.manifests import FORMATS, format_for, write_export, write_to_stream
from jobs.sheets import SheetSource
from runner.cli.console import console
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.options.data_sets import DataSetOptions
from runner.cli.options.picking import Picking
from runner.cli.options.settings import CONTROLLING, FINDING
from runner.cli.options.sheet import Encoding, Model, Subject, Worksheet, source_of
from runner.cli.steps.missing_images import tell_missing
from runner.cli.steps.open import execute, opened_batch, system_clock
from runner.cli.steps.overwrite import check_target
from runner.cli.steps.standing import whereabouts
from runner.settings import Settings

EXAMPLE = "nightsheet export first-night --output night.csv"


class FormatName(StrEnum):
    """The formats of manifests and of data sets, as choices of an option; a test holds them together."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    IMAGEFOLDER = "imagefolder"
    WEBDATASET = "webdataset"


_MANIFESTS = (FormatName.JSONL, FormatName.CSV)


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
        typer.Option(
            "--output",
            metavar="FILE",
            help="The file to write, or the folder of a data set. Default: standard output.",
        ),
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
    picking: Picking = Picking(),  # noqa: B008 - frozen
    options: DataSetOptions = DataSetOptions(),  # noqa: B008 - frozen
) -> int:
    """Write the manifest: one record for each job, in sheet order, whatever became of it.

    Paths of pictures are relative to the manifest's folder; on standard output, to the current folder.
    An existing file is replaced only if it is a manifest. --into writes the results into a copy of the sheet,
    which you can run again: what succeeded is not paid again.

    parquet, imagefolder and webdataset are data sets: a row for each picture, for training or sorting.
    """
    target = None if output is None or str(output) == "-" else output.absolute()
    if into is None:
        if everything and (picking != Picking() or _data_set(form, target)):
            raise UsageProblem("--all goes with a manifest of everything. Nothing was written.")
        return execute(
            lambda: _export(settings, batch, form, target, picking, options, everything=everything)
        )
    other = picking != Picking() or options != DataSetOptions()
    if form is not None or everything or other or str(output) == "-" or str(into) == "-":
        raise UsageProblem("--into makes a copy of a sheet: it goes with --output FILE alone.")
    with source_of(into, None, worksheet, encoding, subject=subject) as source:
        execute(lambda: _export_into(settings, batch, source, model, target))
    return ExitCode.OK


def _data_set(form: FormatName | None, output: Path | None) -> FormatName | None:
    """The data set that was asked for, by its format or the file's ending."""
    if form is None and output is not None and output.suffix.lower() == f".{FormatName.PARQUET}":
        return FormatName.PARQUET
    return None if form in _MANIFESTS else form


async def _export_into(
    settings: Settings, name: str | None, source: SheetSource, model: str | None, output: Path | None
) -> None:
    from runner.cli.steps.sheets.sheet_copy import (
        write_copy,  # late: openpyxl comes along, and few exports need it
    )

    async with opened_batch(settings, system_clock(), name) as (store, batch):
        await write_copy(store, batch, settings, source, model, output)


async def _export(
    settings: Settings,
    name: str | None,
    form: FormatName | None,
    output: Path | None,
    picking: Picking,
    options: DataSetOptions,
    *,
    everything: bool,
) -> int:
    from runner.cli.steps.exports import data_sets
    from runner.cli.steps.exports.found import search_of

    order = None
    if (data_set := _data_set(form, output)) is None:
        data_sets.check_no_data_set(options)
    else:
        order = data_sets.data_set_order(data_sets.DataSetName(data_set.value), output, options)
    async with opened_batch(settings, system_clock(), name) as (store, batch):
        search = await search_of(store, batch, picking)
        if order is not None:
            return await data_sets.write_data_set(store, batch, settings, order, search)
        if output is not None:
            check_target(output, settings.database, Path(batch.sheet))
        format_ = format_for(output) if form is None else FORMATS[form.value]
        places = whereabouts(batch, settings)
        if output is None:
            out = partial(write_to_stream, store, batch, format_, console.raw, folder=Path.cwd())
            await out(places=places, everything=everything, search=search)
        else:
            to_file = partial(write_export, store, batch, format_, output)
            await to_file(places=places, everything=everything, search=search)
            console.message(f"Written: {output}")
        if options.metadata is not None:
            return await data_sets.write_all_sidecars(store, batch, settings, search)
        tell_missing(places, settings, batch.name)
        return ExitCode.OK
