"""Passes on the records of what a search finds: few of a batch's jobs, each with some of its images."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from anyio import to_thread

from jobs.images.stored import Whereabouts
from jobs.manifests.formats import ManifestWriter
from jobs.manifests.record import record
from jobs.views import JobView

_AT_ONCE = 100

Sinks = Sequence[tuple[Callable[[bytes], object], ManifestWriter]]


async def pass_found(jobs: AsyncIterator[JobView], sinks: Sinks, folder: Path, places: Whereabouts) -> None:
    """Encode the records of these jobs and write them, in a worker thread. Paths are relative to `folder`."""
    some: list[JobView] = []
    async for job in jobs:
        some.append(job)
        if len(some) == _AT_ONCE:
            await to_thread.run_sync(_pass_on, some, sinks, folder, places)
            some = []
    await to_thread.run_sync(_pass_on, some, sinks, folder, places)


def _pass_on(jobs: Sequence[JobView], sinks: Sinks, folder: Path, places: Whereabouts) -> None:
    records = [record(job, folder, places.of) for job in jobs]
    for write, writer in sinks:
        write(b"".join(map(writer.line, records)))
