"""Finds images that somebody moved within the output folder, and keeps their new places in the table."""

from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from jobs.images.stored import Whereabouts, kept_path

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import ArtifactView, BatchView

_PAGE = 5000


async def find_moved(store: "Store", batch: "BatchView", root: Path) -> Whereabouts:
    """Look at each image of the sheet's rows; one that was moved is found below the output folder `root`.

    It is kept there from now on. What is returned has counted the images that are nowhere.
    """
    moved = Whereabouts(root)
    after = 0
    while page := await store.overview.images(batch.id, after=after, limit=_PAGE):
        after = page[-1][0]
        places = await to_thread.run_sync(_changed, page, moved, root, store.database.path)
        if places:
            await store.ledger.move_images(places)
    return moved


def _changed(
    page: list[tuple[int, "ArtifactView"]], moved: Whereabouts, root: Path, database: Path
) -> dict[int, str]:
    found = {artifact_id: (image, moved.of(image)) for artifact_id, image in page}
    moved.nowhere.update(artifact_id for artifact_id, (_, path) in found.items() if path is None)
    return {
        artifact_id: kept_path(path, root, database)
        for artifact_id, (image, path) in found.items()
        if path is not None and str(path) != image.path
    }
