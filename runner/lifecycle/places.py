"""Where a batch's images are: its output folder is kept with it, and what was moved is found again."""

from dataclasses import replace
from pathlib import Path

from anyio import to_thread

from jobs.images.stored import Whereabouts, kept_folder, kept_path
from jobs.views import ArtifactView
from runner.lifecycle.order import Order
from runner.settings import as_kept

_PAGE = 5000


async def settled_places(order: Order) -> Order:
    """The order with the folder and the way of uploads that its batch has, or is to have from now on.

    Where the folder is another one than before, or none was known, each image is looked for below it. One
    that stayed in the old folder is kept there.
    """
    batch, settings = order.batch, as_kept(order.settings, order.batch)
    upload = batch.upload if settings.emulator else settings.upload
    database = order.store.database.path
    folder = kept_folder(settings.output_root, database)
    root = database.parent / folder  # as the table tells it
    order = replace(order, settings=settings.model_copy(update={"output_dir": root}))
    if batch.output_root == str(root) and batch.upload == upload:
        return order
    before = None if batch.output_root is None else Path(batch.output_root)
    moved = Whereabouts(root, before)
    places: dict[int, str] = {}
    after = 0
    while page := await order.store.overview.images(batch.id, after=after, limit=_PAGE, everything=True):
        after = page[-1][0]
        places |= await to_thread.run_sync(_places, page, moved, before, root, database)
    await order.store.batches.place(batch.id, folder, upload, places)
    return replace(order, batch=await order.store.batches.get(batch.id))


def _places(
    page: list[tuple[int, ArtifactView]], moved: Whereabouts, before: Path | None, root: Path, database: Path
) -> dict[int, str]:
    """Each image as the table keeps it, told from `root`. One that is nowhere keeps its place below it."""
    places = {}
    for artifact_id, image in page:
        path, found = Path(image.path), moved.of(image)
        if found is None and before is not None and path.is_relative_to(before):
            found = root / path.relative_to(before)
        places[artifact_id] = kept_path(found or path, root, database)
    return places
