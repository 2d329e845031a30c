"""Moves: each is a compare-and-set on the job's state, and an update of the job's newest attempt.

The number of the newest attempt is the job's `attempts`.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ScalarSelect, Update, case, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.attempts import RawAnswer, SubmitOutcome
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

_NEWEST_IS = exists().where(ATTEMPT.c.job_id == JOB.c.id, ATTEMPT.c.number == JOB.c.attempts)
_NEWEST_HAS_AN_ID = _NEWEST_IS.where(ATTEMPT.c.request_id.is_not(None))
_TWIN_HAS_SUCCEEDED = exists().where(TWIN.c.id == JOB.c.same_as, TWIN.c.state == JobState.SUCCEEDED)
_TWIN_MAY_SUCCEED = exists().where(
    TWIN.c.id == JOB.c.same_as, TWIN.c.state.not_in([JobState.FAILED, JobState.CANCELLED])
)

_ATTACHABLE = (FailureKind.LOST, FailureKind.DISCARDED)
"""Of the jobs that failed, those to which a person may attach a request_id."""


def _error(failure: Failure) -> dict[str, Any]:
    return {"error_kind": failure.kind, "error_code": failure.code, "error_message": failure.message}


NEVER_SENT = _error(Failure(FailureKind.CANCELLED, "Cancelled before it was sent: nothing was paid."))
"""The error columns of a job that a person cancelled while it was queued."""


def _guarded(outcome: Outcome) -> Update:
    """UPDATE of a job that takes effect only where the outcome's move may be made."""
    guarded = _from_its_sources(outcome.move, outcome.job_id)
    match outcome:
        case Reopened():  # a running job without a request_id would never be polled, and never end
            return guarded.where(_NEWEST_HAS_AN_ID)
        case Linked():
            return guarded.where(_TWIN_HAS_SUCCEEDED)
        case Requeued(waits=True):
            return guarded.where(_TWIN_MAY_SUCCEED)
        case NotAccepted(told=None):  # nothing was sent: that is known before there is a doubt
            return guarded.where(JOB.c.state == JobState.SUBMITTING)
        case Accepted(uid=str() as uid) | Attached(uid=str() as uid):
            return guarded.where(_NEWEST_IS.where(ATTEMPT.c.uid == uid))
        case Attached():
            return guarded.where(or_(JOB.c.state != JobState.FAILED, JOB.c.error_kind.in_(_ATTACHABLE)))
        case _:
            return guarded


def _from_its_sources(move: Move, job_id: int) -> Update:
    """UPDATE of a job that takes effect only in one of the move's source states."""
    sources, target = MOVES[move]
    return update(JOB).where(JOB.c.id == job_id, JOB.c.state.in_(sorted(sources))).values(state=target)


def _newest_attempt(job_id: int) -> ScalarSelect[Any]:
    return (
        select(ATTEMPT.c.id)
        .where(ATTEMPT.c.job_id == job_id, ATTEMPT.c.number.is_not(None))
        .order_by(ATTEMPT.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )


def _update_attempt(job_id: int, **values: Any) -> Update:
    return update(ATTEMPT).where(ATTEMPT.c.id == _newest_attempt(job_id)).values(**values)


async def claim(connection: AsyncConnection, claimed: Claimed) -> int | None:
    """Record the intent to submit; return the attempt's id, None if the job must not be sent any more."""
    moved = await connection.execute(
        _from_its_sources(Move.CLAIM, claimed.job_id)
        .where(JOB.c.current, JOB.c.agreed, ~JOB.c.cancel_requested)
        .values(attempts=JOB.c.attempts + 1, submitted_at=claimed.at, agreed=False)
    )
    if moved.rowcount == 0:
        return None
    number = select(JOB.c.attempts).where(JOB.c.id == claimed.job_id).scalar_subquery()
    made = await connection.execute(
        insert(ATTEMPT).values(
            uid=claimed.uid,
            job_id=claimed.job_id,
            number=number,
            payload_sha256=claimed.payload_sha256,
            started_at=claimed.at,
            outcome=SubmitOutcome.INTENT,
            automatic=False,
            estimate_usd=claimed.estimate_usd,
        )
    )
    return int(made.inserted_primary_key[0]) if made.inserted_primary_key else None


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
    if isinstance(outcome, Accepted | Attached) and await _is_taken(connection, outcome):
        return False
    if isinstance(outcome, Attached):
        return await _attach(connection, outcome)
    moved = await connection.execute(_guarded(outcome).values(**_job_values(outcome)))
    if moved.rowcount == 0:
        return False
    if isinstance(outcome, NotAccepted) and outcome.told is None:
        await connection.execute(delete(ATTEMPT).where(ATTEMPT.c.id == _newest_attempt(job_id)))
    elif values := _attempt_values(outcome):
        await connection.execute(_update_attempt(job_id, **values))
    if isinstance(outcome, NotAccepted):
        await connection.execute(
            _from_its_sources(Move.CANCEL, job_id)
            .where(JOB.c.cancel_requested)
            .values(finished_at=outcome.at, cancel_requested=False, **NEVER_SENT)
        )
    return True


async def _attach(connection: AsyncConnection, outcome: Attached) -> bool:
    """Give the id to the attempt that has it already, else to the newest without one, else to a new one."""
    job_id, given = outcome.job_id, _receipt(outcome.request_id, outcome.at)
    newest = select(ATTEMPT).where(ATTEMPT.c.id == _newest_attempt(job_id))
    row = (await connection.execute(newest)).one_or_none()
    held_by = await holder_of(connection, outcome.request_id)
    if row is not None and held_by not in {None, row.id}:
        return await _attach_earlier(connection, outcome, earlier_id=held_by, newest_id=row.id)
    is_new = row is None or row.request_id not in {None, outcome.request_id}
    values = _job_values(outcome)
    if is_new:  # a person says that it was sent once more
        values |= {
            "attempts": JOB.c.attempts + 1,
            "submitted_at": outcome.at,
            "authorised": JOB.c.authorised + (row is not None),
        }
    moved = await connection.execute(_guarded(outcome).values(**values))
    if moved.rowcount == 0:
        return False
    if not is_new:
        await connection.execute(_update_attempt(job_id, **given, ended=None, urls=None))
        return True
    number = select(JOB.c.attempts).where(JOB.c.id == job_id).scalar_subquery()
    await connection.execute(
        insert(ATTEMPT).values(
            uid=f"attached {outcome.request_id}",
            job_id=job_id,
            number=number,
            payload_sha256="",
            started_at=outcome.at,
            automatic=False,
            estimate_usd=None if row is None else row.estimate_usd,  # else the next run reckons it
            **given,
        )
    )
    return True


async def _attach_earlier(
    connection: AsyncConnection, outcome: Attached, *, earlier_id: int, newest_id: int
) -> bool:
    """Let an earlier attempt change places with the newest, unless a person has yet to decide about that."""
    both = select(ATTEMPT).where(ATTEMPT.c.id.in_([earlier_id, newest_id]))
    found = {row.id: row for row in await connection.execute(both)}
    values = _job_values(outcome) | {"submitted_at": found[earlier_id].started_at}
    undoubted = _guarded(outcome).where(JOB.c.state != JobState.UNCONFIRMED)
    moved = await connection.execute(undoubted.values(**values))
    if moved.rowcount == 0:
        return False
    # A number is one attempt's at any time: that of the earlier one is let go first.
    places = ((earlier_id, 0), (newest_id, found[earlier_id].number), (earlier_id, found[newest_id].number))
    for attempt_id, number in places:
        await connection.execute(update(ATTEMPT).where(ATTEMPT.c.id == attempt_id).values(number=number))
    got_back = _receipt(outcome.request_id, outcome.at) | {"ended": None, "urls": None}
    await connection.execute(_update_attempt(outcome.job_id, **got_back))
    return True


def _receipt(request_id: str, at: datetime) -> dict[str, Any]:
    return {"outcome": SubmitOutcome.ACCEPTED, "request_id": request_id, "answered_at": at}


def _attempt_values(outcome: Outcome) -> dict[str, Any]:
    """The columns of the job's newest attempt that a move sets."""
    match outcome:
        case NotAccepted():
            return {
                "number": None,
                "outcome": SubmitOutcome.TURNED_AWAY,
                "answered_at": outcome.at,
                "detail": outcome.told,
                "answer": _as_json(outcome.answer),
            }
        case Accepted():
            return _receipt(outcome.request_id, outcome.at)
        case Refused():
            return {
                "outcome": SubmitOutcome.REFUSED,
                "answered_at": outcome.at,
                "ended": outcome.failure.kind,
                "detail": outcome.failure.message,
                "answer": _as_json(outcome.answer),
            }
        case LeftUnconfirmed():
            return {
                "outcome": SubmitOutcome.UNCONFIRMED,
                "detail": outcome.failure.message,
                "named_id": outcome.named_id,
                "answer": _as_json(outcome.answer),
            }
        case RemoteDone():
            return {"urls": list(outcome.urls), "ended": "done"} | _known_cost(outcome.cost_usd)
        case RemoteFailed():
            why = {
                "ended": outcome.failure.kind,
                "detail": outcome.failure.message,
                "ended_at": outcome.at,
            }
            return why | _known_cost(outcome.cost_usd)
        case RemoteCancelled():
            return {"ended": outcome.failure.kind}
        case LinksExpired() | Reopened():
            return {"urls": None, "ended": None}
        case Resubmitted():
            return {"outcome": SubmitOutcome.RESUBMITTED, "automatic": outcome.automatic}
        case Requeued():
            return {"automatic": outcome.automatic}
        case Discarded():
            return {"outcome": SubmitOutcome.DISCARDED}
        case Attached() | Unsendable() | Linked() | Fetched() | FetchFailed() | Cancelled():
            return {}


def _as_json(answer: RawAnswer | None) -> dict[str, Any] | None:
    return None if answer is None else asdict(answer)


def _known_cost(cost_usd: Decimal | None) -> dict[str, Any]:
    """Keep a cost that is known: a result that is requested again may not repeat it."""
    return {} if cost_usd is None else {"cost_usd": cost_usd}


async def holder_of(connection: AsyncConnection, request_id: str) -> int | None:
    """The attempt that has this request_id."""
    holder = select(ATTEMPT.c.id).where(ATTEMPT.c.request_id == request_id)
    return (await connection.execute(holder)).scalar_one_or_none()


async def _is_taken(connection: AsyncConnection, outcome: Accepted | Attached) -> bool:
    """Whether an attempt has the id. A person may attach an id of this very job once more."""
    holder = select(ATTEMPT.c.id).where(ATTEMPT.c.request_id == outcome.request_id)
    if isinstance(outcome, Attached) and outcome.uid is None:
        holder = holder.where(ATTEMPT.c.job_id != outcome.job_id)
    elif isinstance(outcome, Attached):
        holder = holder.where(ATTEMPT.c.id != func.coalesce(_newest_attempt(outcome.job_id), 0))
    return (await connection.execute(holder)).first() is not None


def _job_values(outcome: Outcome) -> dict[str, Any]:
    """The columns of the job's row that a move sets, besides the state."""
    match outcome:
        case NotAccepted():
            earlier = (
                select(func.max(ATTEMPT.c.started_at))
                .where(ATTEMPT.c.job_id == outcome.job_id, ATTEMPT.c.number < JOB.c.attempts)
                .scalar_subquery()
            )
            return {
                "attempts": JOB.c.attempts - 1,
                "available_at": outcome.available_at,
                "submitted_at": earlier,
                "agreed": True,
                **_NO_ERROR,
            }
        case LeftUnconfirmed():
            return _error(outcome.failure)
        case RemoteFailed(failure=why):
            runs = {"failed_runs": JOB.c.failed_runs + 1}
            return _error(why) | {"finished_at": outcome.at, "cancel_requested": False} | runs
        case Unsendable() | Refused() | FetchFailed() | Discarded() | RemoteCancelled() | Cancelled():
            return _error(outcome.failure) | {"finished_at": outcome.at, "cancel_requested": False}
        case Fetched() | Linked():
            return {"finished_at": outcome.at, "warnings": list(outcome.warnings), "cancel_requested": False}
        case Resubmitted() | Requeued():
            waits = isinstance(outcome, Requeued) and outcome.waits
            return _NO_ERROR | {
                "agreed": not waits,
                "held": None,
                "same_as": JOB.c.same_as if waits else None,
                "authorised": case((JOB.c.attempts > 0, JOB.c.authorised + 1), else_=JOB.c.authorised),
                "available_at": outcome.at,
                "finished_at": None,
                "cancel_requested": False,
            }
        case Attached():
            return _NO_ERROR | {"finished_at": None, "cancel_requested": False, "same_as": None}
        case Accepted():
            return _NO_ERROR
        case Reopened():
            return _NO_ERROR | {"finished_at": None, "cancel_requested": False}
        case RemoteDone() | LinksExpired():
            return {}
