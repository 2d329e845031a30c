"""Finds images that were fetched and are no longer on disk as they were."""

from typing import TYPE_CHECKING

from jobs.states import JobState
from jobs.stored_files import missing_files
from runner.cli.reports.audit import MissingImages

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView


async def missing_images(store: "Store", batch: "BatchView") -> list[MissingImages]:
    """Images that somebody has deleted, moved or changed; a linked job has its images from another."""
    lost = []
    shared = set()
    async for job in store.jobs.each(batch.id, everything=True, states=[JobState.SUCCEEDED]):
        if job.twin is None:
            if paths := missing_files(job):
                lost.append((job, paths))
        elif job.current:
            shared.add(job.twin.id)
    return [MissingImages(job, paths, job.current or job.id in shared) for job, paths in lost]
