"""`nightsheet gallery`: a folder of pictures to share, which opens from a disk."""

from pathlib import Path
from typing import Annotated

import typer

from runner.cli.console import console
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.options.picking import Picking
from runner.cli.options.settings import CONTROLLING, FINDING
from runner.cli.steps.open import execute, opened_batch, system_clock
from runner.gallery.order import GalleryOrder, ShownAs
from runner.humanize import count_of
from runner.settings import Settings

EXAMPLE = "nightsheet gallery first-night --output first-night-gallery --only accepted"


@with_settings(*CONTROLLING, *FINDING)
def command(
    settings: Settings,
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="The folder, a new one.")],
    batch: BatchName = None,
    picking: Picking = Picking(),  # noqa: B008 - frozen
    pictures: Annotated[
        ShownAs,
        typer.Option(
            "--pictures",
            help="What one picture alone is shown from: a preview of 1600 pixels, its file, or none.",
        ),
    ] = ShownAs.PREVIEW,
    prompts: Annotated[
        bool, typer.Option("--prompts/--no-prompts", help="With the prompts; without.")
    ] = False,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="Its title; the batch's name.")
    ] = None,
) -> int:
    """Write a folder of pictures to share: index.html in it opens in any browser, without a server.

    It has thumbnails, previews and keys, prompts only with --prompts, and never a cost or an id of the API.
    A folder that is there already is replaced only if an export wrote it and nobody has touched it since.
    """
    return execute(lambda: _gallery(settings, batch, output.absolute(), picking, pictures, title, prompts))


async def _gallery(
    settings: Settings,
    name: str | None,
    folder: Path,
    picking: Picking,
    pictures: ShownAs,
    title: str | None,
    prompts: bool,
) -> int:
    from jobs.store.sqlite.thumb_file import ThumbFile
    from runner.cli.steps.exports.data_sets import source_of, told
    from runner.cli.steps.exports.found import jobs_of, search_of
    from runner.gallery.writing import write_gallery

    async with opened_batch(settings, system_clock(), name) as (store, batch):
        search = await search_of(store, batch, picking)
        order = GalleryOrder(title or batch.name, pictures, prompts)
        thumbs, source = ThumbFile.beside(settings.database), source_of(batch, settings)
        try:
            images = await write_gallery(jobs_of(store, batch, search), source, thumbs, folder, order, _tell)
        finally:
            thumbs.close()
        console.message(f"Written: {folder / 'index.html'}, {count_of(images, 'picture')}")
        return told(source, settings, batch, unchanged=order.shown is ShownAs.COPY)


def _tell(images: int) -> None:
    console.message(f"{count_of(images, 'picture')} so far")
