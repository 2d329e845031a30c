"""Attaching: a request_id that was found finds its attempt."""

from typing import Any

from sqlalchemy import Row, Update, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.attempts import IN_DOUBT
from jobs.outcomes import Accepted, Attached
from jobs.states import JobState
from jobs.store.moves.conditions import from_its_sources, guarded, newest_attempt, update_newest
from jobs.store.moves.values import job_values, receipt_values
from jobs.store.schema import ATTEMPT, JOB


async def attach(connection: AsyncConnection, outcome: Attached) -> bool:
    """Give the id to the attempt that has it already, else to the newest in doubt, else to a new one.

    The attempt becomes the job's newest. A receipt goes to the newest alone.
    """
    newest = select(ATTEMPT).where(ATTEMPT.c.id == newest_attempt(outcome.job_id))
    row = (await connection.execute(newest)).one_or_none()
    target = await _target(connection, outcome)
    if target is None:
        return await _attach_new(connection, outcome, row)
    if row is not None and target != row.id:
        return outcome.uid is None and await _attach_earlier(connection, outcome, target, row.id)
    moved = await connection.execute(guarded(outcome).values(**job_values(outcome)))
    if moved.rowcount == 0:
        return False
    await connection.execute(_got_back(outcome))
    return True


async def _target(connection: AsyncConnection, outcome: Attached) -> int | None:
    held_by = await holder_of(connection, outcome.request_id)
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
    return (await connection.execute(in_doubt)).scalar_one_or_none()


async def _attach_new(connection: AsyncConnection, outcome: Attached, newest: Row[Any] | None) -> bool:
    """A person says that the job was sent once more."""
    job_id = outcome.job_id
    values = job_values(outcome) | {
        "attempts": JOB.c.attempts + 1,
        "submitted_at": outcome.at,
        "authorised": JOB.c.authorised + (newest is not None),
    }
    moved = await connection.execute(guarded(outcome).values(**values))
    if moved.rowcount == 0:
        return False
    number = select(JOB.c.attempts).where(JOB.c.id == job_id).scalar_subquery()
    await connection.execute(
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


async def _attach_earlier(
    connection: AsyncConnection, outcome: Attached, earlier_id: int, newest_id: int
) -> bool:
    """Let an earlier attempt change places with the newest, unless a person has yet to decide about that.

    Whatever the newest came to: it may change places again.
    """
    both = select(ATTEMPT).where(ATTEMPT.c.id.in_([earlier_id, newest_id]))
    found = {row.id: row for row in await connection.execute(both)}
    values = job_values(outcome) | {"submitted_at": found[earlier_id].started_at}
    undoubted = from_its_sources(outcome.move, outcome.job_id).where(JOB.c.state != JobState.UNCONFIRMED)
    moved = await connection.execute(undoubted.values(**values))
    if moved.rowcount == 0:
        return False
    # A number is one attempt's at any time: that of the earlier one is let go first.
    places = ((earlier_id, 0), (newest_id, found[earlier_id].number), (earlier_id, found[newest_id].number))
    for attempt_id, number in places:
        await connection.execute(update(ATTEMPT).where(ATTEMPT.c.id == attempt_id).values(number=number))
    await connection.execute(_got_back(outcome))
    return True


def _got_back(outcome: Attached) -> Update:
    receipt = receipt_values(outcome.request_id, outcome.at)
    return update_newest(outcome.job_id, **receipt, ended=None, urls=None)


async def holder_of(connection: AsyncConnection, request_id: str) -> int | None:
    """The attempt that has this request_id."""
    holder = select(ATTEMPT.c.id).where(ATTEMPT.c.request_id == request_id)
    return (await connection.execute(holder)).scalar_one_or_none()


async def is_taken(connection: AsyncConnection, outcome: Accepted | Attached) -> bool:
    """Whether an attempt has the id. A person may attach an id of this very job once more."""
    holder = select(ATTEMPT.c.id).where(ATTEMPT.c.request_id == outcome.request_id)
    if isinstance(outcome, Attached) and outcome.uid is None:
        holder = holder.where(ATTEMPT.c.job_id != outcome.job_id)
    elif isinstance(outcome, Attached):
        holder = holder.where(ATTEMPT.c.id != func.coalesce(newest_attempt(outcome.job_id), 0))
    return (await connection.execute(holder)).first() is not None
