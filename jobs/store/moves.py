"""Moves: each is a compare-and-set on the job's state, and an update of the job's newest attempt.

The number of the newest attempt is the job's `attempts`.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import ScalarSelect, Update, case, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.attempts import SubmitOutcome
from jobs.failures import Failure, FailureKind
from jobs.outcomes import (
    Accepted,
    Attached,
    Cancelled,
    Claimed,
    Discarded,
    Fetched,
    FetchFailed,
    LeftUnconfirmed,
    Linked,
    LinksExpired,
    NotAccepted,
    Outcome,
    Refused,
    RemoteCancelled,
    RemoteDone,
    RemoteFailed,
    Reopened,
    Requeued,
    Resubmitted,
    Unsendable,
)
from jobs.states import MOVES, JobState, Move
from jobs.store.schema import ATTEMPT, JOB, TWIN

_NO_ERROR: dict[str, Any] = {"error_kind": None, "error_code": None, "error_message": None}

_NEWEST_HAS_AN_ID = exists().where(
    ATTEMPT.c.job_id == JOB.c.id, ATTEMPT.c.number == JOB.c.attempts, ATTEMPT.c.request_id.is_not(None)
)

_TWIN_HAS_SUCCEEDED = exists().where(TWIN.c.id == JOB.c.same_as, TWIN.c.state == JobState.SUCCEEDED)
_TWIN_MAY_SUCCEED = exists().where(
    TWIN.c.id == JOB.c.same_as, TWIN.c.state.not_in([JobState.FAILED, JobState.CANCELLED])
)


def _error(failure: Failure) -> dict[str, Any]:
    return {"error_kind": failure.kind, "error_code": failure.code, "error_message": failure.message}


NEVER_SENT = _error(Failure(FailureKind.CANCELLED, "Cancelled before it was sent: nothing was paid."))
"""The error columns of a job that a person cancelled while it was queued."""


def _guarded(move: Move, job_id: int) -> Update:
    """UPDATE of a job that takes effect only in one of the move's source states."""
    sources, target = MOVES[move]
    guarded = update(JOB).where(JOB.c.id == job_id, JOB.c.state.in_(sorted(sources))).values(state=target)
    match move:
        case Move.REOPEN:  # a running job without a request_id would never be polled, and never end
            return guarded.where(_NEWEST_HAS_AN_ID)
        case Move.LINK:
            return guarded.where(_TWIN_HAS_SUCCEEDED)
        case _:
            return guarded


def _newest_attempt(job_id: int) -> ScalarSelect[Any]:
    return (
        select(ATTEMPT.c.id)
        .where(ATTEMPT.c.job_id == job_id)
        .order_by(ATTEMPT.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )


def _update_attempt(job_id: int, **values: Any) -> Update:
    return update(ATTEMPT).where(ATTEMPT.c.id == _newest_attempt(job_id)).values(**values)


async def claim(connection: AsyncConnection, claimed: Claimed) -> int | None:
    """Record the intent to submit; return the attempt's id, None if the job must not be sent any more."""
    moved = await connection.execute(
        _guarded(Move.CLAIM, claimed.job_id)
        .where(JOB.c.current, JOB.c.agreed, ~JOB.c.cancel_requested)
        .values(attempts=JOB.c.attempts + 1, submitted_at=claimed.at, agreed=False)
    )
    if moved.rowcount == 0:
        return None
    number = select(JOB.c.attempts).where(JOB.c.id == claimed.job_id).scalar_subquery()
    made = await connection.execute(
        insert(ATTEMPT).values(
            job_id=claimed.job_id,
            number=number,
            payload_sha256=claimed.payload_sha256,
            started_at=claimed.at,
            outcome=SubmitOutcome.INTENT,
            automatic=False,
            estimate_usd=claimed.estimate_usd,
        )
    )
    (attempt_id,) = made.inserted_primary_key or (None,)
    return int(attempt_id) if attempt_id is not None else None


async def apply_all(connection: AsyncConnection, outcomes: Sequence[Outcome]) -> bool:
    """Apply all outcomes or none; False if a job is in no source state of its move.

    An automatic repeat is skipped if meanwhile a person requested a cancel or removed the row.
    """
    wanted = [outcome for outcome in outcomes if not await _is_unwanted(connection, outcome)]
    if not wanted:
        return False
    savepoint = await connection.begin_nested()
    for outcome in wanted:
        if not await apply(connection, outcome):
            await savepoint.rollback()
            return False
    await savepoint.commit()
    return True


async def _is_unwanted(connection: AsyncConnection, outcome: Outcome) -> bool:
    if not (isinstance(outcome, Resubmitted | Requeued) and outcome.automatic):
        return False
    unwanted = select(or_(JOB.c.cancel_requested, ~JOB.c.current)).where(JOB.c.id == outcome.job_id)
    return bool((await connection.execute(unwanted)).scalar_one_or_none())


async def apply(connection: AsyncConnection, outcome: Outcome) -> bool:
    """Apply an outcome to its job.

    False, without any change, if the job is in no source state of the move, or another attempt has the
    request_id.
    """
    job_id = outcome.job_id
    if isinstance(outcome, Accepted | Attached) and await is_held(connection, outcome.request_id):
        return False
    guarded = _guarded(outcome.move, job_id)
    if isinstance(outcome, Requeued) and outcome.waits:
        guarded = guarded.where(_TWIN_MAY_SUCCEED)
    moved = await connection.execute(guarded.values(**_job_values(outcome)))
    if moved.rowcount == 0:
        return False
    match outcome:
        case NotAccepted():
            await connection.execute(delete(ATTEMPT).where(ATTEMPT.c.id == _newest_attempt(job_id)))
            await connection.execute(
                _guarded(Move.CANCEL, job_id)
                .where(JOB.c.cancel_requested)
                .values(finished_at=outcome.at, cancel_requested=False, **NEVER_SENT)
            )
        case Accepted() | Attached():
            await connection.execute(
                _update_attempt(
                    job_id,
                    outcome=SubmitOutcome.ACCEPTED,
                    request_id=outcome.request_id,
                    answered_at=outcome.at,
                )
            )
        case Refused():
            await connection.execute(
                _update_attempt(
                    job_id,
                    outcome=SubmitOutcome.REFUSED,
                    answered_at=outcome.at,
                    ended=outcome.failure.kind,
                    detail=outcome.failure.message,
                )
            )
        case LeftUnconfirmed():
            await connection.execute(
                _update_attempt(job_id, outcome=SubmitOutcome.UNCONFIRMED, detail=outcome.failure.message)
            )
        case RemoteDone():
            await connection.execute(
                _update_attempt(
                    job_id, urls=list(outcome.urls), ended="done", **_known_cost(outcome.cost_usd)
                )
            )
        case RemoteFailed():
            await connection.execute(
                _update_attempt(
                    job_id,
                    ended=outcome.failure.kind,
                    detail=outcome.failure.message,
                    **_known_cost(outcome.cost_usd),
                )
            )
        case RemoteCancelled():
            await connection.execute(_update_attempt(job_id, ended=outcome.failure.kind))
        case LinksExpired() | Reopened():
            await connection.execute(_update_attempt(job_id, urls=None, ended=None))
        case Resubmitted():
            await connection.execute(
                _update_attempt(job_id, outcome=SubmitOutcome.RESUBMITTED, automatic=outcome.automatic)
            )
        case Requeued():
            await connection.execute(_update_attempt(job_id, automatic=outcome.automatic))
        case Discarded():
            await connection.execute(_update_attempt(job_id, outcome=SubmitOutcome.DISCARDED))
        case Unsendable() | Linked() | Fetched() | FetchFailed() | Cancelled():
            pass  # these add nothing to an attempt
    return True


def _known_cost(cost_usd: Decimal | None) -> dict[str, Any]:
    """Keep a cost that is known: a result that is requested again may not repeat it."""
    return {} if cost_usd is None else {"cost_usd": cost_usd}


async def is_held(connection: AsyncConnection, request_id: str) -> bool:
    """Whether an attempt has this request_id."""
    found = await connection.execute(select(ATTEMPT.c.id).where(ATTEMPT.c.request_id == request_id))
    return found.first() is not None


def _job_values(outcome: Outcome) -> dict[str, Any]:
    """The columns of the job's row that a move sets, besides the state."""
    match outcome:
        case NotAccepted():
            earlier = (
                select(func.max(ATTEMPT.c.started_at))
                .where(ATTEMPT.c.job_id == outcome.job_id, ATTEMPT.c.outcome != SubmitOutcome.INTENT)
                .scalar_subquery()
            )
            return {
                "attempts": JOB.c.attempts - 1,
                "available_at": outcome.available_at,
                "submitted_at": earlier,
                "agreed": True,
            }
        case LeftUnconfirmed():
            return _error(outcome.failure)
        case Unsendable() | Refused() | FetchFailed() | Discarded() | RemoteCancelled():
            return _error(outcome.failure) | {"finished_at": outcome.at, "cancel_requested": False}
        case Cancelled():
            return _error(outcome.failure) | {"finished_at": outcome.at, "cancel_requested": False}
        case RemoteFailed():
            return _error(outcome.failure) | {
                "finished_at": outcome.at,
                "cancel_requested": False,
                "failed_runs": JOB.c.failed_runs + 1,
            }
        case Fetched() | Linked():
            return {"finished_at": outcome.at, "warnings": list(outcome.warnings), "cancel_requested": False}
        case Resubmitted() | Requeued():
            waits = isinstance(outcome, Requeued) and outcome.waits
            return _NO_ERROR | {
                "agreed": not waits,
                "same_as": JOB.c.same_as if waits else None,
                "authorised": case((JOB.c.attempts > 0, JOB.c.authorised + 1), else_=JOB.c.authorised),
                "available_at": outcome.at,
                "finished_at": None,
                "cancel_requested": False,
            }
        case Attached():
            return _NO_ERROR
        case Reopened():
            return _NO_ERROR | {"finished_at": None, "cancel_requested": False}
        case Accepted() | RemoteDone() | LinksExpired():
            return {}
