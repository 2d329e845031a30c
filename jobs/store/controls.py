"""Moves over many jobs at once, and the small notes that steer a run."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.attempts import SubmitOutcome
from jobs.failures import Failure
from jobs.states import MOVES, JobState, Move
from jobs.store.moves import NEVER_SENT, apply, is_held
from jobs.store.schema import ATTEMPT, JOB
from jobs.views import Cancelling, Receipt, Settled


async def settle_interrupted(
    connection: AsyncConnection, batch_id: int, failure: Failure, receipts: Sequence[Receipt]
) -> Settled:
    """Turn every `submitting` job into an `unconfirmed` one: its run died in between. Then give each its
    receipt, if it has one; in one transaction, so that nobody decides about a job whose receipt we hold."""
    in_doubt = await _doubt(connection, batch_id, failure)
    attached = 0
    left = []
    for receipt in receipts:
        if await _is_of(connection, batch_id, receipt) and await apply(connection, receipt.outcome):
            attached += 1
        elif not await is_held(connection, receipt.outcome.request_id):
            left.append(receipt)
    # A job that an earlier recovery doubted, and did not live to attach, is not one of these doubts.
    return Settled(in_doubt=max(0, in_doubt - attached), attached=attached, left=tuple(left))


async def _is_of(connection: AsyncConnection, batch_id: int, receipt: Receipt) -> bool:
    """Whether the job is the one that the receipt names: ids begin anew in a new database."""
    found = await connection.execute(
        select(JOB.c.id).where(
            JOB.c.id == receipt.outcome.job_id, JOB.c.batch_id == batch_id, JOB.c.key == receipt.key
        )
    )
    return found.first() is not None


async def _doubt(connection: AsyncConnection, batch_id: int, failure: Failure) -> int:
    sources, target = MOVES[Move.UNANSWERED]
    interrupted = (JOB.c.batch_id == batch_id) & JOB.c.state.in_(sorted(sources))
    intents = select(JOB.c.id).where(interrupted)
    await connection.execute(
        update(ATTEMPT)
        .where(ATTEMPT.c.job_id.in_(intents), ATTEMPT.c.outcome == SubmitOutcome.INTENT)
        .values(outcome=SubmitOutcome.UNANSWERED, detail=failure.message)
    )
    moved = await connection.execute(
        update(JOB)
        .where(interrupted)
        .values(state=target, error_kind=failure.kind, error_code=failure.code, error_message=failure.message)
    )
    return int(moved.rowcount)


async def cancel(
    connection: AsyncConnection, batch_id: int, now: datetime, keys: Sequence[str] | None = None
) -> Cancelling:
    """Cancel what is queued, and ask for what is at the API, or on its way there; only `keys` if given."""
    queued = await connection.execute(
        update(JOB)
        .where(*_chosen(batch_id, [JobState.QUEUED], keys))
        .values(state=MOVES[Move.CANCEL][1], finished_at=now, **NEVER_SENT)
    )
    asked = await connection.execute(
        update(JOB)
        .where(*_chosen(batch_id, [JobState.SUBMITTING, JobState.RUNNING], keys))
        .values(cancel_requested=True)
    )
    return Cancelling(queued=int(queued.rowcount), asked=int(asked.rowcount))


async def prune(connection: AsyncConnection, batch_id: int) -> int:
    """Ask for what the sheet has no more, and the API has: what waits there can be cancelled there.

    Not for what a row of the sheet waits for, which says the same.
    """
    row = JOB.alias("row")
    wanted = exists().where(row.c.same_as == JOB.c.id, row.c.current, row.c.state == JobState.QUEUED)
    asked = await connection.execute(
        update(JOB)
        .where(JOB.c.batch_id == batch_id, JOB.c.state == JobState.RUNNING, ~JOB.c.current, ~wanted)
        .values(cancel_requested=True)
    )
    return int(asked.rowcount)


async def drop_cancel_request(connection: AsyncConnection, job_id: int) -> None:
    """Forget that a person wanted a job cancelled."""
    await connection.execute(update(JOB).where(JOB.c.id == job_id).values(cancel_requested=False))


async def warn(connection: AsyncConnection, job_id: int, warnings: Sequence[str]) -> None:
    """Replace a job's warnings."""
    await connection.execute(update(JOB).where(JOB.c.id == job_id).values(warnings=list(warnings)))


def _chosen(
    batch_id: int, states: Sequence[JobState], keys: Sequence[str] | None
) -> list[ColumnElement[Any]]:
    chosen: list[ColumnElement[Any]] = [JOB.c.batch_id == batch_id, JOB.c.state.in_(states)]
    if keys is not None:
        chosen.append(JOB.c.key.in_(keys))
    return chosen
