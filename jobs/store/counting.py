"""Counts and sums over a batch: how far it got, and what it has cost or may have cost."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.attempts import SubmitOutcome
from jobs.states import JobState
from jobs.store.schema import ATTEMPT, JOB
from jobs.views import Account

_PAID_OR_MAYBE = (
    SubmitOutcome.INTENT,
    SubmitOutcome.ACCEPTED,
    SubmitOutcome.UNANSWERED,
    SubmitOutcome.RESUBMITTED,
    SubmitOutcome.DISCARDED,
)


async def counts(connection: AsyncConnection, batch_id: int) -> dict[JobState, int]:
    """How many jobs of the sheet are in each of the eight states."""
    found = await connection.execute(
        select(JOB.c.state, func.count())
        .where(JOB.c.batch_id == batch_id, JOB.c.current)
        .group_by(JOB.c.state)
    )
    counted = {JobState(state): int(many) for state, many in found}
    return {state: counted.get(state, 0) for state in JobState}


async def warned(connection: AsyncConnection, batch_id: int) -> int:
    """How many jobs of the sheet succeeded with a warning."""
    found = await connection.execute(
        select(func.count()).where(
            JOB.c.batch_id == batch_id,
            JOB.c.current,
            JOB.c.state == JobState.SUCCEEDED,
            func.json_array_length(JOB.c.warnings) > 0,
        )
    )
    return int(found.scalar_one())


async def account(connection: AsyncConnection, batch_id: int) -> Account:
    """What the batch has cost so far, jobs that left the sheet included."""
    told = func.coalesce(func.sum(ATTEMPT.c.cost_usd), 0)
    accepted_untold = and_(ATTEMPT.c.outcome == SubmitOutcome.ACCEPTED, ATTEMPT.c.cost_usd.is_(None))
    guessed = func.coalesce(func.sum(case((accepted_untold, ATTEMPT.c.estimate_usd))), 0)
    row = (
        await connection.execute(
            select(told, guessed, func.count())
            .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
            .where(JOB.c.batch_id == batch_id, ATTEMPT.c.outcome.in_(_PAID_OR_MAYBE))
        )
    ).one()
    return Account(_usd(row[0]), _usd(row[1]), int(row[2]))


async def doubtful_usd(connection: AsyncConnection, batch_id: int) -> Decimal:
    """The most that submits without an answer may have cost, settled by a person or not."""
    doubtful = (
        SubmitOutcome.INTENT,
        SubmitOutcome.UNANSWERED,
        SubmitOutcome.RESUBMITTED,
        SubmitOutcome.DISCARDED,
    )
    found = await connection.execute(
        select(func.coalesce(func.sum(ATTEMPT.c.estimate_usd), 0))
        .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
        .where(JOB.c.batch_id == batch_id, ATTEMPT.c.outcome.in_(doubtful))
    )
    return _usd(found.scalar_one())


def _usd(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(int(value)) / 1_000_000


def to_send(batch_id: int) -> list[ColumnElement[Any]]:
    """What is queued and would be sent: in the sheet, and not waiting for another's result."""
    return [
        JOB.c.batch_id == batch_id,
        JOB.c.state == JobState.QUEUED,
        JOB.c.current,
        JOB.c.same_as.is_(None),
    ]


async def queued_pictures(connection: AsyncConnection, batch_id: int) -> dict[str, tuple[int, int]]:
    """By model: how many jobs are queued, and how many pictures they ask for at most."""
    found = await connection.execute(
        select(JOB.c.model, func.count(), func.sum(JOB.c.pictures))
        .where(*to_send(batch_id))
        .group_by(JOB.c.model)
    )
    return {str(model): (int(many), int(pictures)) for model, many, pictures in found}


async def unagreed(connection: AsyncConnection, batch_id: int) -> dict[str, tuple[int, int]]:
    """By model: queued jobs that nobody has agreed to pay for yet, and their pictures."""
    found = await connection.execute(
        select(JOB.c.model, func.count(), func.sum(JOB.c.pictures))
        .where(*to_send(batch_id), ~JOB.c.agreed)
        .group_by(JOB.c.model)
    )
    return {str(model): (int(many), int(pictures)) for model, many, pictures in found}


async def ended_since(connection: AsyncConnection, batch_id: int, moment: datetime) -> int:
    """How many jobs of the sheet have come to an end since `moment`: not cancelled, and not by another's."""
    found = await connection.execute(
        select(func.count()).where(
            JOB.c.batch_id == batch_id,
            JOB.c.current,
            JOB.c.finished_at >= moment,
            JOB.c.state != JobState.CANCELLED,
            JOB.c.same_as.is_(None),
        )
    )
    return int(found.scalar_one())


async def revisions(connection: AsyncConnection, batch_id: int) -> list[tuple[int, str, int, bool]]:
    """Job, key, revision and whether the sheet has it, of all but the first revisions that it has."""
    found = await connection.execute(
        select(JOB.c.id, JOB.c.key, JOB.c.revision, JOB.c.current)
        .where(JOB.c.batch_id == batch_id, (JOB.c.revision > 1) | ~JOB.c.current)
        .order_by(JOB.c.id)
    )
    return [(int(job_id), str(key), int(revision), bool(current)) for job_id, key, revision, current in found]


async def models_in_use(connection: AsyncConnection, batch_id: int) -> list[str]:
    """The models of the batch's jobs."""
    found = await connection.execute(
        select(JOB.c.model).where(JOB.c.batch_id == batch_id).distinct().order_by(JOB.c.model)
    )
    return [model for (model,) in found]


async def automatic_resubmits(connection: AsyncConnection, batch_id: int) -> int:
    """How many doubtful submits a setting has had sent again so far."""
    found = await connection.execute(
        select(func.count())
        .select_from(ATTEMPT)
        .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
        .where(
            JOB.c.batch_id == batch_id,
            ATTEMPT.c.outcome == SubmitOutcome.RESUBMITTED,
            ATTEMPT.c.automatic,
        )
    )
    return int(found.scalar_one())
