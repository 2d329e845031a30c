"""A sheet held against its batch without loading it: what running it now would do with each job."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.row_change import NEW, RowChange
from jobs.sheets.planned import PlannedJob
from jobs.states import AT_THE_API, JobState
from jobs.store.loading import ROW_GONE, Revision, revisions_of

_SHARED = frozenset({JobState.SUCCEEDED, JobState.FAILED})
_ON_ITS_WAY = AT_THE_API | {JobState.SUBMITTING, JobState.UNCONFIRMED}
"""States of a job whose result another gets, and of one that it waits for, wherever its row is by now."""


async def compare(connection: AsyncConnection, batch_id: int, jobs: Sequence[PlannedJob]) -> list[RowChange]:
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
            fates.append(RowChange("changed", JobState.QUEUED, stays))
        else:
            fates.append(_unchanged(same, stays=stays))
    return fates


def _unchanged(same: Revision, *, stays: bool) -> RowChange:
    """A linked job ends with the other as soon as it is run; what has left its place to it is no matter."""
    returns = same.error_code == ROW_GONE and same.state == JobState.CANCELLED
    state = JobState.QUEUED if returns else JobState(same.state)
    if state is not JobState.QUEUED or same.twin is None:
        return RowChange("unchanged", state, stays)
    twin = JobState(same.twin)
    return RowChange("unchanged", twin if twin in _SHARED else state, stays, waits=twin in _ON_ITS_WAY)
