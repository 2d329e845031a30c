"""Where a move may be made: compare-and-set on the job's state, and on what its newest attempt is.

The number of the newest attempt is the job's `attempts`.
"""

from typing import Any

from sqlalchemy import ScalarSelect, Update, exists, or_, select, update

from jobs.attempts import IN_DOUBT
from jobs.failures import FailureKind
from jobs.outcomes import Accepted, Attached, Linked, NotAccepted, Outcome, Reopened, Requeued
from jobs.states import MOVES, JobState, Move
from jobs.store.schema import ATTEMPT, JOB, TWIN

_NEWEST_IS = exists().where(ATTEMPT.c.job_id == JOB.c.id, ATTEMPT.c.number == JOB.c.attempts)
_NEWEST_HAS_AN_ID = _NEWEST_IS.where(ATTEMPT.c.request_id.is_not(None))

_NEWEST_IS_IN_DOUBT = _NEWEST_IS.where(ATTEMPT.c.outcome.in_(sorted(IN_DOUBT)))

_TWIN_HAS_SUCCEEDED = exists().where(TWIN.c.id == JOB.c.same_as, TWIN.c.state == JobState.SUCCEEDED)
_TWIN_MAY_SUCCEED = exists().where(
    TWIN.c.id == JOB.c.same_as, TWIN.c.state.not_in([JobState.FAILED, JobState.CANCELLED])
)

_ATTACHABLE = (FailureKind.LOST, FailureKind.DISCARDED)
"""Of the jobs that failed, those to which a person may attach any request_id that the API knows."""


def guarded(outcome: Outcome) -> Update:
    """UPDATE of a job that takes effect only where the outcome's move may be made."""
    moved = from_its_sources(outcome.move, outcome.job_id)
    match outcome:
        case Reopened():  # a running job without a request_id would never be polled, and never end
            return moved.where(_NEWEST_HAS_AN_ID)
        case Linked():
            return moved.where(_TWIN_HAS_SUCCEEDED)
        case Requeued(waits=True):
            return moved.where(_TWIN_MAY_SUCCEED)
        case NotAccepted(told=None):  # nothing was sent: that is known before there is a doubt
            return moved.where(JOB.c.state == JobState.SUBMITTING)
        case Accepted(uid=str() as uid) | Attached(uid=str() as uid):
            return moved.where(_NEWEST_IS.where(ATTEMPT.c.uid == uid))
        case Attached():
            lost = JOB.c.error_kind.in_(_ATTACHABLE)
            return moved.where(or_(JOB.c.state != JobState.FAILED, lost, _NEWEST_IS_IN_DOUBT))
        case _:
            return moved


def from_its_sources(move: Move, job_id: int) -> Update:
    """UPDATE of a job that takes effect only in one of the move's source states."""
    sources, target = MOVES[move]
    return update(JOB).where(JOB.c.id == job_id, JOB.c.state.in_(sorted(sources))).values(state=target)


def newest_attempt(job_id: int) -> ScalarSelect[Any]:
    """The id of a job's newest attempt; one that was turned away is none."""
    return (
        select(ATTEMPT.c.id)
        .where(ATTEMPT.c.job_id == job_id, ATTEMPT.c.number.is_not(None))
        .order_by(ATTEMPT.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )


def update_newest(job_id: int, **values: Any) -> Update:
    """UPDATE of a job's newest attempt."""
    return update(ATTEMPT).where(ATTEMPT.c.id == newest_attempt(job_id)).values(**values)
