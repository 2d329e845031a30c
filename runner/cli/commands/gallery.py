"""`nightsheet gallery`: a folder of pictures to share, which opens from a disk."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from jobs.errors import UsageProblem
from runner.cli.console import console
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.options.picking import Picking
from runner.cli.options.settings import CONTROLLING, FINDING
from runner.cli.reports.jobs import conditions_of, fits
from runner.cli.steps.open import execute, opened_batch, system_clock
from runner.gallery.order import LARGEST_PREVIEW, PREVIEW_SIDE, SMALLEST_PREVIEW, GalleryOrder, ShownAs
from runner.humanize import count_of
from runner.settings import Settings

_ZIP, _PAGE = ".zip", "index.html"
EXAMPLE = "nightsheet gallery first-night --output first-night-gallery --only accepted"


@with_settings(*CONTROLLING, *FINDING)
def command(
    settings: Settings,
    output: Annotated[
        Path, typer.Option("--output", metavar="DIR", help="The folder, a new one; or the archive.")
    ],
    batch: BatchName = None,
    picking: Picking = Picking(),  # noqa: B008 - frozen
    pictures: Annotated[
        ShownAs,
        typer.Option(
            "--pictures",
            help="What one picture alone is shown from: a preview, its file, or none.",
        ),
    ] = ShownAs.PREVIEW,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            metavar="PIXELS",
            min=SMALLEST_PREVIEW,
            max=LARGEST_PREVIEW,
            help=f"The longer side of a preview; {PREVIEW_SIDE}.",
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="COLUMN=VALUE", help="Only jobs with this value; may be repeated."),
    ] = None,
    prompts: Annotated[
        bool, typer.Option("--prompts/--no-prompts", help="With the prompts; without.")
    ] = False,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="Its title; the batch's name.")
    ] = None,
    zipped: Annotated[
        bool, typer.Option("--zip", help="Write one zip archive of the folder: DIR.zip.")
    ] = False,
) -> int:
    """Write a folder of pictures to share: index.html in it opens in any browser, without a server.

    It has thumbnails, previews and keys, prompts only with --prompts, and never a cost or an id of the API.
    What is there already is replaced only if an export wrote it and nobody has touched it since.
    """
    if size is not None and pictures is not ShownAs.PREVIEW:
        raise UsageProblem("--size goes with --pictures preview. Nothing was written.")
    target = _target(output.absolute(), zipped=zipped)
    order = partial(GalleryOrder, shown=pictures, prompts=prompts, side=size or PREVIEW_SIDE, zipped=zipped)
    return execute(lambda: _gallery(settings, batch, target, picking, where or (), title, order))


def _target(output: Path, *, zipped: bool) -> Path:
    is_named_so = output.suffix.lower() == _ZIP
    if is_named_so and not zipped:
        raise UsageProblem(
            f"{output.name} is the name of an archive, and a folder was asked for. Nothing was written.",
            hint="Add --zip, or name a folder.",
        )
    return output.with_name(output.name + _ZIP) if zipped and not is_named_so else output


async def _gallery(
    settings: Settings,
    name: str | None,
    target: Path,
    picking: Picking,
    where: Sequence[str],
    title: str | None,
    order_with: Callable[[str], GalleryOrder],
) -> int:
    from jobs.manifests.columns import column_names_of
    from jobs.store.sqlite.thumb_file import ThumbFile
    from runner.cli.steps.exports.data_sets import source_of, told
    from runner.cli.steps.exports.found import jobs_of, search_of
    from runner.gallery.place import inner_folder
    from runner.gallery.writing import write_gallery

    async with opened_batch(settings, system_clock(), name) as (store, batch):
        search = await search_of(store, batch, picking)
        conditions = conditions_of(where, await column_names_of(store, batch.id))
        order = order_with(title or batch.name)
        thumbs, source = ThumbFile.beside(settings.database), source_of(batch, settings)
        jobs = (job async for job in jobs_of(store, batch, search) if fits(job, conditions))
        try:
            images = await write_gallery(jobs, source, thumbs, target, order, _tell)
        finally:
            thumbs.close()
        written = target if order.zipped else target / _PAGE
        console.message(f"Written: {written}, {count_of(images, 'picture')}")
        if order.zipped:
            console.message(f"Unpacked, it is {inner_folder(target)}/{_PAGE}: a browser opens no archive.")
        return told(source, settings, batch, unchanged=order.shown is ShownAs.COPY)


def _tell(images: int) -> None:
    console.message(f"{count_of(images, 'picture')} so far")
