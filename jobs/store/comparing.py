"""A sheet held against its batch without loading it: what running it now would do with each job."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.fates import NEW, Fate
from jobs.sheets.planned import PlannedJob
from jobs.states import JobState
from jobs.store.loading import ROW_GONE, revisions_of


async def compare(connection: AsyncConnection, batch_id: int, jobs: Sequence[PlannedJob]) -> list[Fate]:
    """The fate of each job, in their order; the same rules as in `loading`."""
    known = await revisions_of(connection, batch_id, [job.key for job in jobs])
    fates = []
    for job in jobs:
        revisions = known.get(job.key, [])
        same = next((old for old in reversed(revisions) if old.fingerprint == job.fingerprint), None)
        stays = any(old.current for old in revisions)
        if not revisions:
            fates.append(NEW)
        elif same is None:
            fates.append(Fate("changed", JobState.QUEUED, stays))
        else:
            returns = same.error_code == ROW_GONE and same.state == JobState.CANCELLED
            state = JobState.QUEUED if returns else JobState(same.state)
            fates.append(Fate("unchanged", state, stays, state is JobState.QUEUED and same.linked))
    return fates
