"""Attaching: a request_id that was found finds its attempt."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from jobs.attempts import IN_DOUBT
from jobs.outcomes import Attached
from jobs.states import JobState
from jobs.store.moves.conditions import NEWEST_ATTEMPT, condition_of, make_move, update_newest, values_of
from jobs.store.moves.values import ONE_MORE, job_values, receipt_values
from jobs.store.schema import ATTEMPT, JOB
from jobs.store.sqlite.prepared import Prepared, given

_HOLDER = Prepared(select(ATTEMPT.c.id).where(ATTEMPT.c.request_id == given("request_id")))
_JOB_OF = Prepared(select(ATTEMPT.c.job_id).where(ATTEMPT.c.id == given("attempt_id")))
_NEWEST = Prepared(select(ATTEMPT).where(ATTEMPT.c.id == NEWEST_ATTEMPT))
_IS_DECIDED = JOB.c.state != JobState.UNCONFIRMED
_AUTHORISED = JOB.c.authorised + 1


def attach(connection: Connection, outcome: Attached) -> bool:
    """Give the id to the attempt that has it already, else to the newest in doubt, else to a new one.

    The attempt becomes the job's newest. A receipt goes to the newest alone.
    """
    row = _NEWEST.first(connection, job_id=outcome.job_id)
    target = _target(connection, outcome)
    if target is None:
        return _attach_new(connection, outcome, row)
    if row is not None and target != row.id:
        return outcome.uid is None and _attach_earlier(connection, outcome, target, row.id)
    if not _moved(connection, outcome, job_values(outcome)):
        return False
    _get_back(connection, outcome)
    return True


def _moved(connection: Connection, outcome: Attached, columns: Mapping[str, Any]) -> bool:
    condition, values = condition_of(outcome), values_of(outcome)
    return make_move(connection, outcome.move, outcome.job_id, columns, condition=condition, **values)


def _target(connection: Connection, outcome: Attached) -> int | None:
    held_by = holder_of(connection, outcome.request_id)
    if held_by is not None:
        return held_by
    in_doubt = (
        select(ATTEMPT.c.id)
        .where(ATTEMPT.c.job_id == outcome.job_id, ATTEMPT.c.outcome.in_(sorted(IN_DOUBT)))
        .order_by(ATTEMPT.c.number.desc())
        .limit(1)
    )
    if outcome.uid is not None:
        in_doubt = in_doubt.where(ATTEMPT.c.uid == outcome.uid)
    return (connection.execute(in_doubt)).scalar_one_or_none()


def _attach_new(connection: Connection, outcome: Attached, newest: Row[Any] | None) -> bool:
    """A person says that the job was sent once more."""
    job_id = outcome.job_id
    values = job_values(outcome) | {"attempts": ONE_MORE, "submitted_at": outcome.at}
    if newest is not None:
        values |= {"authorised": _AUTHORISED}
    if not _moved(connection, outcome, values):
        return False
    number = select(JOB.c.attempts).where(JOB.c.id == job_id).scalar_subquery()
    connection.execute(
        insert(ATTEMPT).values(
            uid=f"attached {outcome.request_id}",
            job_id=job_id,
            number=number,
            payload_sha256="",
            started_at=outcome.at,
            automatic=False,
            estimate_usd=None if newest is None else newest.estimate_usd,  # else the next run reckons it
            **receipt_values(outcome.request_id, outcome.at),
        )
    )
    return True


def _attach_earlier(connection: Connection, outcome: Attached, earlier_id: int, newest_id: int) -> bool:
    """Let an earlier attempt change places with the newest, unless a person has yet to decide about that.

    Whatever the newest came to: it may change places again.
    """
    both = select(ATTEMPT).where(ATTEMPT.c.id.in_([earlier_id, newest_id]))
    found = {row.id: row for row in connection.execute(both)}
    values = job_values(outcome) | {"submitted_at": found[earlier_id].started_at}
    if not make_move(connection, outcome.move, outcome.job_id, values, condition=_IS_DECIDED):
        return False
    # A number is one attempt's at any time: that of the earlier one is let go first.
    places = ((earlier_id, 0), (newest_id, found[earlier_id].number), (earlier_id, found[newest_id].number))
    for attempt_id, number in places:
        connection.execute(update(ATTEMPT).where(ATTEMPT.c.id == attempt_id).values(number=number))
    _get_back(connection, outcome)
    return True


def _get_back(connection: Connection, outcome: Attached) -> None:
    receipt = receipt_values(outcome.request_id, outcome.at)
    update_newest(connection, outcome.job_id, receipt | {"ended": None, "urls": None})


def holder_of(connection: Connection, request_id: str) -> int | None:
    """The attempt that has this request_id."""
    row = _HOLDER.first(connection, request_id=request_id)
    return None if row is None else int(row.id)


def is_taken(connection: Connection, outcome: Attached) -> bool:
    """Whether another attempt has the id. A person may attach an id of this very job once more."""
    holder = holder_of(connection, outcome.request_id)
    if holder is None:
        return False
    if outcome.uid is None:
        row = _JOB_OF.first(connection, attempt_id=holder)
        return row is None or row.job_id != outcome.job_id
    newest = _NEWEST.first(connection, job_id=outcome.job_id)
    return newest is None or bool(newest.id != holder)
