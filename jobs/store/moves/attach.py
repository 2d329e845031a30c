"""Attaching: a request_id that was found finds its attempt."""

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.outcomes import Accepted, Attached
from jobs.states import JobState
from jobs.store.moves.conditions import guarded, newest_attempt, update_newest
from jobs.store.moves.values import job_values, receipt_values
from jobs.store.schema import ATTEMPT, JOB


async def attach(connection: AsyncConnection, outcome: Attached) -> bool:
    """Give the id to the attempt that has it already, else to the newest without one, else to a new one."""
    job_id, given = outcome.job_id, receipt_values(outcome.request_id, outcome.at)
    newest = select(ATTEMPT).where(ATTEMPT.c.id == newest_attempt(job_id))
    row = (await connection.execute(newest)).one_or_none()
    held_by = await holder_of(connection, outcome.request_id)
    if row is not None and held_by not in {None, row.id}:
        return await _attach_earlier(connection, outcome, earlier_id=held_by, newest_id=row.id)
    is_new = row is None or row.request_id not in {None, outcome.request_id}
    values = job_values(outcome)
    if is_new:  # a person says that it was sent once more
        values |= {
            "attempts": JOB.c.attempts + 1,
            "submitted_at": outcome.at,
            "authorised": JOB.c.authorised + (row is not None),
        }
    moved = await connection.execute(guarded(outcome).values(**values))
    if moved.rowcount == 0:
        return False
    if not is_new:
        await connection.execute(update_newest(job_id, **given, ended=None, urls=None))
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
    values = job_values(outcome) | {"submitted_at": found[earlier_id].started_at}
    undoubted = guarded(outcome).where(JOB.c.state != JobState.UNCONFIRMED)
    moved = await connection.execute(undoubted.values(**values))
    if moved.rowcount == 0:
        return False
    # A number is one attempt's at any time: that of the earlier one is let go first.
    places = ((earlier_id, 0), (newest_id, found[earlier_id].number), (earlier_id, found[newest_id].number))
    for attempt_id, number in places:
        await connection.execute(update(ATTEMPT).where(ATTEMPT.c.id == attempt_id).values(number=number))
    got_back = receipt_values(outcome.request_id, outcome.at) | {"ended": None, "urls": None}
    await connection.execute(update_newest(outcome.job_id, **got_back))
    return True


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
