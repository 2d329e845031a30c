"""What a move writes: the columns of its job and of the job's newest attempt."""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import case, func, select

from jobs.attempts import RawAnswer, SubmitOutcome
from jobs.failures import Failure, FailureKind
from jobs.outcomes import (
    Accepted,
    Attached,
    Cancelled,
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
from jobs.store.schema import ATTEMPT, JOB

_NO_ERROR: dict[str, Any] = {"error_kind": None, "error_code": None, "error_message": None}


def _error(failure: Failure) -> dict[str, Any]:
    return {"error_kind": failure.kind, "error_code": failure.code, "error_message": failure.message}


NEVER_SENT = _error(Failure(FailureKind.CANCELLED, "Cancelled before it was sent: nothing was paid."))
"""The error columns of a job that a person cancelled while it was queued."""
ROW_GONE = "row_gone"
"""`error_code` of a job that was cancelled because its row was removed. It is queued again with the row."""
LEFT_UNSENT = _error(
    Failure(FailureKind.CANCELLED, "Its row left the sheet before it was sent: nothing was paid.", ROW_GONE)
)
"""The error columns of a job whose row was removed while it was queued."""


# Expressions are made once, and so are the statements that have them.
ONE_MORE = JOB.c.attempts + 1
_ONE_LESS = JOB.c.attempts - 1
_FAILED_ONCE_MORE = JOB.c.failed_runs + 1
_UNPROVEN_ONCE_MORE = JOB.c.unproven + 1
_AUTHORISED_IF_SENT = case((JOB.c.attempts > 0, JOB.c.authorised + 1), else_=JOB.c.authorised)
_EARLIER = (
    select(func.max(ATTEMPT.c.started_at))
    .where(ATTEMPT.c.job_id == JOB.c.id, ATTEMPT.c.number < JOB.c.attempts)
    .scalar_subquery()
)
"""When the submit before the newest one left."""


def job_values(outcome: Outcome) -> dict[str, Any]:
    """The columns of the job's row that a move sets, besides the state.

    `unproven` goes on over runs and repeats: nothing but a proof of what became of a submit ends it.
    """
    match outcome:
        case NotAccepted():
            return {
                "attempts": _ONE_LESS,
                "available_at": outcome.available_at,
                "submitted_at": _EARLIER,
                "agreed": True,
                **_NO_ERROR,
                **_unproven(outcome),
            }
        case LeftUnconfirmed():
            return _error(outcome.failure)
        case RemoteFailed(failure=why):
            return _error(why) | _ended(outcome.at) | {"failed_runs": _FAILED_ONCE_MORE}
        case Refused():
            return _error(outcome.failure) | _ended(outcome.at) | {"unproven": 0}
        case Unsendable() | FetchFailed() | Discarded() | RemoteCancelled() | Cancelled():
            return _error(outcome.failure) | _ended(outcome.at)
        case Fetched() | Linked():
            return _ended(outcome.at) | {"warnings": list(outcome.warnings)}
        case Resubmitted() | Requeued():
            waits = isinstance(outcome, Requeued) and outcome.waits
            return _NO_ERROR | {
                "agreed": not waits,
                "held": None,
                "same_as": JOB.c.same_as if waits else None,
                "authorised": _AUTHORISED_IF_SENT,
                "available_at": outcome.at,
                "finished_at": None,
                "cancel_requested": False,
            }
        case Attached():
            return _NO_ERROR | {"finished_at": None, "cancel_requested": False, "same_as": None}
        case Accepted():
            return _NO_ERROR | {"unproven": 0}
        case Reopened():
            return _NO_ERROR | {"finished_at": None, "cancel_requested": False}
        case RemoteDone() | LinksExpired():
            return {}


def _ended(at: datetime) -> dict[str, Any]:
    return {"finished_at": at, "cancel_requested": False}


def _unproven(outcome: NotAccepted) -> dict[str, Any]:
    if outcome.told is None:  # nothing was sent, and nobody answered
        return {}
    return {"unproven": 0 if outcome.proven else _UNPROVEN_ONCE_MORE}


def attempt_values(outcome: Outcome) -> dict[str, Any]:
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
            return receipt_values(outcome.request_id, outcome.at)
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
            when = {} if outcome.at is None else {"ended_at": outcome.at}
            return {"urls": list(outcome.urls), "ended": "done"} | when | _known_cost(outcome.cost_usd)
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


def receipt_values(request_id: str, at: datetime) -> dict[str, Any]:
    """The columns of an attempt that has a receipt."""
    return {"outcome": SubmitOutcome.ACCEPTED, "request_id": request_id, "answered_at": at}
