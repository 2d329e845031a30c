"""Where a move may be made: compare-and-set on the job's state, and on what its newest attempt is.

The number of the newest attempt is the job's `attempts`.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, and_, exists, or_, select, update

from jobs.attempts import IN_DOUBT
from jobs.failures import FailureKind
from jobs.outcomes import (
    Accepted,
    Attached,
    LeftUnconfirmed,
    Linked,
    NotAccepted,
    Outcome,
    Refused,
    Reopened,
    Requeued,
    Resubmitted,
)
from jobs.states import MOVES, JobState, Move
from jobs.store.runners.ownership import IS_OWN, RUNNER_ID, columns_of, is_runners_own, is_shared, own_id
from jobs.store.schema import ATTEMPT, JOB, TWIN
from jobs.store.sqlite.prepared import Told, change, change_told, given

Condition = ColumnElement[bool] | None
"""Beyond the state of the job. It is made once: a statement is kept for each."""

_NEWEST_IS = exists().where(ATTEMPT.c.job_id == JOB.c.id, ATTEMPT.c.number == JOB.c.attempts)
_NEWEST_HAS_AN_ID = _NEWEST_IS.where(ATTEMPT.c.request_id.is_not(None))
"""A running job without a request_id would never be polled, and never end."""

_NEWEST_IS_IN_DOUBT = _NEWEST_IS.where(ATTEMPT.c.outcome.in_(sorted(IN_DOUBT)))

_NEWEST_IS_OF_THE_UID = _NEWEST_IS.where(ATTEMPT.c.uid == given("uid"))
_HOLDER = ATTEMPT.alias("holder")
_IS_FREE = ~exists().where(_HOLDER.c.request_id == given("request_id"))
"""No attempt has the id. A receipt is looked up in the very statement that takes it."""
_IS_FREE_AND_OF_THE_UID = and_(_NEWEST_IS_OF_THE_UID, _IS_FREE)
_TWIN_HAS_SUCCEEDED = exists().where(TWIN.c.id == JOB.c.same_as, TWIN.c.state == JobState.SUCCEEDED)
_TWIN_MAY_SUCCEED = exists().where(
    TWIN.c.id == JOB.c.same_as, TWIN.c.state.not_in([JobState.FAILED, JobState.CANCELLED])
)

_ATTACHABLE = (FailureKind.LOST, FailureKind.DISCARDED)
"""Of the jobs that failed, those to which a person may attach any request_id that the API knows."""
_MAY_BE_ATTACHED = or_(JOB.c.state != JobState.FAILED, JOB.c.error_kind.in_(_ATTACHABLE), _NEWEST_IS_IN_DOUBT)
_IS_SUBMITTING = JOB.c.state == JobState.SUBMITTING
"""Nothing was sent: that is known before there is a doubt."""

NEWEST_ATTEMPT = (
    select(ATTEMPT.c.id)
    .where(ATTEMPT.c.job_id == given("job_id"), ATTEMPT.c.number.is_not(None))
    .order_by(ATTEMPT.c.number.desc())
    .limit(1)
    .scalar_subquery()
)
"""The id of a job's newest attempt; one that was turned away is none."""
IS_NEWEST = ATTEMPT.c.id == NEWEST_ATTEMPT
_UPDATE_NEWEST = update(ATTEMPT).where(IS_NEWEST)


def condition_of(outcome: Outcome) -> Condition:
    """What must hold, besides the state, where the outcome's move may be made: `values_of` has its values."""
    match outcome:
        case Reopened():
            return _NEWEST_HAS_AN_ID
        case Linked():
            return _TWIN_HAS_SUCCEEDED
        case Requeued(waits=True):
            return _TWIN_MAY_SUCCEED
        case Accepted(uid=None):
            return _IS_FREE
        case Accepted():
            return _IS_FREE_AND_OF_THE_UID
        case Attached(uid=str()):
            return _NEWEST_IS_OF_THE_UID
        case NotAccepted(uid=str()) | Refused(uid=str()) | LeftUnconfirmed(uid=str()):
            return _NEWEST_IS_OF_THE_UID  # another runner may have taken over, and the job been sent again
        case Resubmitted(uid=str()):
            return _NEWEST_IS_OF_THE_UID  # and what that one doubts is not this one's to send again
        case NotAccepted(told=None):
            return _IS_SUBMITTING
        case Attached():
            return _MAY_BE_ATTACHED
        case _:
            return None


def values_of(outcome: Outcome) -> dict[str, Any]:
    """The values of its condition."""
    uid = getattr(outcome, "uid", None)
    values = {} if uid is None else {"uid": uid}
    return values | {"request_id": outcome.request_id} if isinstance(outcome, Accepted) else values


def make_move(
    connection: Connection,
    move: Move,
    job_id: int,
    columns: Mapping[str, Any],
    *,
    condition: Condition = None,
    **values: Any,
) -> bool:
    """Make a move where the job is in one of its source states, and the condition holds; whether it was made.

    `columns` are those of the job that it sets besides the state. A runner of a server makes moves of jobs at
    the API where they are its own: another one may have taken them over.
    """
    columns, condition = _of_its_runner(connection, move, columns, condition, values)
    return change(connection, _moving(move, condition), columns, job_id=job_id, **values) > 0


def make_told_move(
    connection: Connection,
    move: Move,
    job_id: int,
    columns: Mapping[str, Any],
    told: Told,
    *,
    condition: Condition = None,
    **values: Any,
) -> Any | None:
    """The same; what is `told` of the job as it then is, or None if the move was not made."""
    columns, condition = _of_its_runner(connection, move, columns, condition, values)
    return change_told(connection, _moving(move, condition), columns, told, job_id=job_id, **values)


def _of_its_runner(
    connection: Connection,
    move: Move,
    columns: Mapping[str, Any],
    condition: Condition,
    values: dict[str, Any],
) -> tuple[Mapping[str, Any], Condition]:
    """The columns and the condition, with what the move says of whose the job is; `values` gets its own."""
    if not is_shared(connection):
        return columns, condition
    if is_runners_own(connection, move):
        assert condition is None
        condition, values[RUNNER_ID] = IS_OWN, own_id(connection)
    return {**columns, **columns_of(connection, move)}, condition


@cache
def _moving(move: Move, condition: Condition) -> Update:
    sources, target = MOVES[move]
    moving = update(JOB).where(JOB.c.id == given("job_id"), JOB.c.state.in_(sorted(sources)))
    return (moving if condition is None else moving.where(condition)).values(state=target)


def update_newest(connection: Connection, job_id: int, columns: Mapping[str, Any]) -> None:
    """Set columns of a job's newest attempt."""
    change(connection, _UPDATE_NEWEST, columns, job_id=job_id)


def update_newest_told(
    connection: Connection, job_id: int, columns: Mapping[str, Any], told: Told
) -> Any | None:
    """The same; what is `told` of it as it then is."""
    return change_told(connection, _UPDATE_NEWEST, columns, told, job_id=job_id)
