"""`export` of a data set, and of sidecars: what may be asked for, and what is said at the end."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.datasets.columns import columns_of
from jobs.datasets.export import write_imagefolder, write_parquet, write_sidecars, write_webdataset
from jobs.datasets.imagefolder import FolderNotes
from jobs.datasets.pictures import ImageSource
from jobs.datasets.ways import PicturesWay
from jobs.disk.paths import folder_name
from jobs.errors import UsageProblem
from jobs.exit_codes import ExitCode
from jobs.review.search import Search
from runner.cli.console import console
from runner.cli.console.formatting import then
from runner.cli.options.data_sets import DataSetOptions
from runner.cli.steps.exports.found import jobs_of
from runner.cli.steps.overwrite import check_target
from runner.cli.steps.standing import whereabouts
from runner.humanize import count_of
from runner.settings import Settings, as_kept

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView

_SPLIT = "train"
_WORD = re.compile(r"[A-Za-z0-9_]+")


class DataSetName(StrEnum):
    """The formats of a data set."""

    PARQUET = "parquet"
    IMAGEFOLDER = "imagefolder"
    WEBDATASET = "webdataset"


@dataclass(frozen=True, slots=True)
class DataSetOrder:
    """A data set to be written, with options that fit together."""

    form: DataSetName
    output: Path
    way: PicturesWay
    embed: bool
    split: str
    xmp: bool


def data_set_order(form: DataSetName, output: Path | None, options: DataSetOptions) -> DataSetOrder:
    """What was asked for.

    Raises:
        UsageProblem: the options do not fit the format.
    """
    if output is None:
        what = "a file" if form is DataSetName.PARQUET else "a folder"
        raise UsageProblem(f"{form} is written into {what}.", hint="Name it with --output.")
    is_folder, way = form is DataSetName.IMAGEFOLDER, options.pictures or PicturesWay.COPY
    embed = form is DataSetName.PARQUET and options.pictures is PicturesWay.COPY
    if way is not PicturesWay.COPY and not is_folder:
        raise _does_not_fit(f"--pictures {way}", "imagefolder")
    if options.split is not None and not is_folder:
        raise _does_not_fit("--split", "imagefolder")
    if options.metadata and (embed or form is DataSetName.WEBDATASET):
        raise UsageProblem(
            "--metadata xmp is for pictures that are files, not inside of one. Nothing was written.",
            hint="Leave it out, or export as imagefolder.",
        )
    split = options.split or _SPLIT
    if not _WORD.fullmatch(split) or split != folder_name(split):
        raise UsageProblem(
            f"--split {split!r} is no name of a split. Nothing was written.",
            hint="Use letters, digits and _, such as train, test or validation.",
        )
    return DataSetOrder(form, output, way, embed, split, options.metadata is not None)


def check_no_data_set(options: DataSetOptions) -> None:
    """Check that nothing was asked for that a manifest does not have.

    Raises:
        UsageProblem: something was.
    """
    if options.pictures is not None:
        raise _does_not_fit("--pictures", "parquet, imagefolder or webdataset")
    if options.split is not None:
        raise _does_not_fit("--split", "imagefolder")


def _does_not_fit(option: str, formats: str) -> UsageProblem:
    return UsageProblem(f"{option} goes with --format {formats}. Nothing was written.")


async def write_data_set(
    store: "Store", batch: "BatchView", settings: Settings, order: DataSetOrder, search: Search
) -> int:
    """Write it, and say what came of it; the exit code.

    Raises:
        UsageProblem: it would replace something else.
        CannotWrite: it cannot be written.
    """
    columns, source = await columns_of(store, batch.id), source_of(batch, settings)
    notes = FolderNotes()
    jobs, output = jobs_of(store, batch, search), order.output
    match order.form:
        case DataSetName.PARQUET:
            check_target(output, settings.database, Path(batch.sheet))
            images = await write_parquet(jobs, columns, source, output, embed=order.embed)
        case DataSetName.IMAGEFOLDER:
            images, notes = await write_imagefolder(
                jobs, columns, source, output, split=order.split, way=order.way, xmp=order.xmp
            )
        case DataSetName.WEBDATASET:
            images = await write_webdataset(jobs, columns, source, output)
    console.message(f"Written: {output}, {count_of(images, 'picture')}")
    _tell_notes(notes)
    if order.xmp and order.form is DataSetName.PARQUET:
        return await write_all_sidecars(store, batch, settings, search)
    return told(source, settings, batch)


def _tell_notes(notes: FolderNotes) -> None:
    if notes.copied:
        console.message(
            f"{count_of(notes.copied, 'picture')} copied: a hard link was refused ({notes.why_copied}).",
            "yellow",
        )
    if notes.hard_linked:
        console.message(
            f"{count_of(notes.hard_linked, 'picture')} hard linked: the very files of the output folder. "
            "A program that writes into one changes what was paid for."
        )
    if notes.types_are_guessed:
        console.message(
            "metadata.jsonl is larger than 10 MB: `datasets` guesses the types of its columns from the "
            "start, and may stop where they change. With pyarrow beside Nightsheet, the metadata has types: "
            "python -m pip install pyarrow",
            "yellow",
        )


async def write_all_sidecars(store: "Store", batch: "BatchView", settings: Settings, search: Search) -> int:
    """Write sidecars beside the pictures in the output folder, and say so; the exit code."""
    source = source_of(batch, settings)
    counts = await write_sidecars(jobs_of(store, batch, search), source)
    console.message(f"Written: {count_of(counts.written, 'sidecar')} beside the pictures")
    if counts.left:
        console.message(f"{count_of(counts.left, 'sidecar')} of another program left as they are.", "yellow")
    return told(source, settings, batch)


def source_of(batch: "BatchView", settings: Settings) -> ImageSource:
    """The pictures of a batch, in its output folder."""
    return ImageSource(as_kept(settings, batch).output_root, whereabouts(batch, settings))


def told(source: ImageSource, settings: Settings, batch: "BatchView", *, unchanged: bool = True) -> int:
    """Say which pictures are missing, and which break if a program writes into a copy; the exit code."""
    if source.with_credentials and unchanged:
        console.message(
            f"{count_of(source.with_credentials, 'picture')} with Content Credentials (C2PA), unchanged. "
            "A program that writes metadata into a copy breaks its signature."
        )
    if not source.missing:
        return ExitCode.OK
    console.message(
        f"{count_of(source.missing, 'picture')} left out: not below the output folder, or not as recorded. "
        f"Put them back, or fetch them again, free as long as the API has them: "
        f"{then(settings, 'retry', batch.name, '--free')}",
        "yellow",
    )
    return ExitCode.INCOMPLETE
