"""Finds images that were fetched and are no longer on disk as they were."""

from typing import TYPE_CHECKING

from anyio import to_thread

from jobs.images.stored import Whereabouts
from jobs.states import JobState
from runner.cli.console import console
from runner.cli.console.formatting import then
from runner.cli.reports.audit import MissingImages
from runner.humanize import count_of
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView


async def missing_images(store: "Store", batch: "BatchView", places: Whereabouts) -> list[MissingImages]:
    """Images that are nowhere in the output folder; a linked job has its images from another."""
    lost = []
    shared = set()
    async for job in store.jobs.each(batch.id, everything=True, states=[JobState.SUCCEEDED]):
        if job.twin is None:
            if paths := await to_thread.run_sync(_nowhere, job, places):
                lost.append((job, paths))
        elif job.current:
            shared.add(job.twin.id)
    return [MissingImages(job, paths, job.current or job.id in shared) for job, paths in lost]


def tell_missing(places: Whereabouts, settings: Settings, batch: str) -> None:
    """Say on standard error that a manifest names images that are nowhere."""
    if places.missing:
        console.message(
            f"{count_of(places.missing, 'picture')} that it names could not be found. Put them back, or "
            f"fetch them again, free as long as the API has them: "
            f"{then(settings, 'retry', batch, '--free')}",
            "yellow",
        )


def _nowhere(job: "JobView", places: Whereabouts) -> tuple[str, ...]:
    return tuple(image.path for image in job.images if places.of(image) is None)
