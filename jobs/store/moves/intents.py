"""The intent to submit: committed before the POST leaves, or put back from the journal after it had left."""

from sqlalchemy import Update, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.attempts import SubmitOutcome
from jobs.outcomes import Claimed
from jobs.states import Move
from jobs.store.moves.conditions import from_its_sources
from jobs.store.schema import ATTEMPT, JOB
from jobs.views import Intent


async def claim(connection: AsyncConnection, claimed: Claimed) -> Intent | None:
    """Record the intent to submit; None if the job must not be sent any more."""
    may_be_sent = from_its_sources(Move.CLAIM, claimed.job_id).where(
        JOB.c.current, JOB.c.agreed, ~JOB.c.cancel_requested
    )
    return await _record(connection, claimed, may_be_sent)


async def put_back(connection: AsyncConnection, claimed: Claimed, inputs: str) -> None:
    """Record the intent of a submit that has left already, with the `inputs` that were sent."""
    sent = from_its_sources(Move.CLAIM, claimed.job_id).values(inputs=inputs, same_as=None, held=None)
    await _record(connection, claimed, sent)


async def _record(connection: AsyncConnection, claimed: Claimed, moving: Update) -> Intent | None:
    moved = await connection.execute(
        moving.values(attempts=JOB.c.attempts + 1, submitted_at=claimed.at, agreed=False)
    )
    if moved.rowcount == 0:
        return None
    of_the_job = select(JOB.c.attempts, JOB.c.unproven).where(JOB.c.id == claimed.job_id)
    number, unproven = (await connection.execute(of_the_job)).one()
    await connection.execute(
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
    return Intent(unproven)
