"""The intent to submit: committed before the POST leaves, or put back from the journal after it had left."""

from typing import Any

from sqlalchemy import Update, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.attempts import SubmitOutcome
from jobs.outcomes import Claimed
from jobs.states import MOVES, JobState, Move
from jobs.store.schema import ATTEMPT, JOB


async def claim(connection: AsyncConnection, claimed: Claimed) -> int | None:
    """Record the intent to submit; return the attempt's id, None if the job must not be sent any more."""
    may_be_sent = _to_submitting(claimed).where(JOB.c.current, JOB.c.agreed, ~JOB.c.cancel_requested)
    return await _record(connection, claimed, may_be_sent)


async def put_back(connection: AsyncConnection, claimed: Claimed, inputs: str) -> None:
    """Record the intent of a submit that has left already, with the `inputs` that were sent."""
    await _record(connection, claimed, _to_submitting(claimed).values(inputs=inputs, same_as=None))


def _to_submitting(claimed: Claimed) -> Update:
    sources, target = MOVES[Move.CLAIM]
    assert target is JobState.SUBMITTING
    values: dict[str, Any] = {
        "state": target,
        "attempts": JOB.c.attempts + 1,
        "submitted_at": claimed.at,
        "agreed": False,
    }
    return update(JOB).where(JOB.c.id == claimed.job_id, JOB.c.state.in_(sorted(sources))).values(**values)


async def _record(connection: AsyncConnection, claimed: Claimed, moving: Update) -> int | None:
    moved = await connection.execute(moving)
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
