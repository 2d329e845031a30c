"""A sheet compared with its batch: what loading would do with each row, told without loading it."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from jobs.row_change import NEW, Claims, RowChange
from jobs.sheets.planned import PlannedJob
from jobs.states import AT_THE_API, JobState
from jobs.store.intake.adoption import Candidate, candidates
from jobs.store.intake.loading import Revision, revisions_of
from jobs.store.moves.values import ROW_GONE

_SHARED = frozenset({JobState.SUCCEEDED, JobState.FAILED})
_ON_ITS_WAY = AT_THE_API | {JobState.SUBMITTING, JobState.UNCONFIRMED}
"""States of a job whose result an identical job shares at once, and of one that it waits for."""


def compare(
    connection: Connection, batch_id: int, jobs: Sequence[PlannedJob], claims: Claims
) -> list[RowChange]:
    """How loading would change each job. Until all rows are seen, none of them adopts a job."""
    known = revisions_of(connection, batch_id, [job.key for job in jobs])
    changes: list[RowChange] = []
    unsent: dict[int, PlannedJob] = {}
    for place, job in enumerate(jobs):
        revisions = known.get(job.key, [])
        same = next((old for old in reversed(revisions) if old.fingerprint == job.fingerprint), None)
        stays = any(old.current for old in revisions)
        if stays:
            claims.keys.add(job.key)
        if same is not None and not same.is_unsent:
            claims.exact.add(same.id)
        else:
            unsent[place] = job
        if not revisions:
            changes.append(NEW)
        elif same is None:
            changes.append(RowChange("changed", JobState.QUEUED, stays, may_be_held=True))
        else:
            changes.append(_unchanged(same, stays=stays))
    sent = candidates(connection, batch_id, [job.fingerprint for job in unsent.values()])
    claims.may_adopt = claims.may_adopt or bool(sent)
    for place, job in unsent.items() if claims.all_seen else ():
        taken = next((found for found in sent.get(job.fingerprint, ()) if _is_free(found, claims)), None)
        if taken is not None:
            claims.adopted.add(taken.id)
            changes[place] = _adopted(changes[place], taken, claims)
    return changes


def _is_free(job: Candidate, claims: Claims) -> bool:
    return job.id not in claims.exact and job.id not in claims.adopted


def _adopted(change: RowChange, job: Candidate, claims: Claims) -> RowChange:
    keeps = job.current and job.key not in claims.keys
    return replace(
        change, kind="adopted", state=_state(job.state, job.error_code), keeps=keeps, may_be_held=False
    )


def _state(state: str, error_code: str | None) -> JobState:
    """The state of a job whose row is in the sheet."""
    returns = error_code == ROW_GONE and state == JobState.CANCELLED
    return JobState.QUEUED if returns else JobState(state)


def _unchanged(same: Revision, *, stays: bool) -> RowChange:
    """An unchanged job. If it is linked and queued, a run ends it as soon as the other job has ended."""
    state = _state(same.state, same.error_code)
    if state is not JobState.QUEUED or same.twin is None:
        unagreed = same.is_unsent and not same.agreed
        return RowChange("unchanged", state, stays, may_be_held=unagreed)
    twin = JobState(same.twin)
    return RowChange("unchanged", twin if twin in _SHARED else state, stays, waits=twin in _ON_ITS_WAY)
