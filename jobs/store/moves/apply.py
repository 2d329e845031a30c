"""Moves: each is a compare-and-set on the job's state, and an update of the job's newest attempt."""

from collections.abc import Sequence

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.outcomes import Accepted, Attached, NotAccepted, Outcome, Requeued, Resubmitted
from jobs.states import Move
from jobs.store.moves.attach import attach, is_taken
from jobs.store.moves.conditions import from_its_sources, guarded, newest_attempt, update_newest
from jobs.store.moves.values import LEFT_UNSENT, NEVER_SENT, attempt_values, job_values
from jobs.store.schema import ATTEMPT, JOB


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
    if isinstance(outcome, Accepted | Attached) and await is_taken(connection, outcome):
        return False
    if isinstance(outcome, Attached):
        return await attach(connection, outcome)
    moved = await connection.execute(guarded(outcome).values(**job_values(outcome)))
    if moved.rowcount == 0:
        return False
    if isinstance(outcome, NotAccepted) and outcome.told is None:
        await connection.execute(delete(ATTEMPT).where(ATTEMPT.c.id == newest_attempt(job_id)))
    elif values := attempt_values(outcome):
        await connection.execute(update_newest(job_id, **values))
    if isinstance(outcome, NotAccepted):
        for nobody_wants_it, why in ((JOB.c.cancel_requested, NEVER_SENT), (~JOB.c.current, LEFT_UNSENT)):
            await connection.execute(
                from_its_sources(Move.CANCEL, job_id)
                .where(nobody_wants_it)
                .values(finished_at=outcome.at, cancel_requested=False, **why)
            )
    return True
