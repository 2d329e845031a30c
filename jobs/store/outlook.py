"""What is queued, looked at before it is paid: rows that say the same, warnings, how long it may take."""

from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.states import JobState
from jobs.store.counting import to_send
from jobs.store.schema import BATCH, JOB, RUN
from jobs.views import Warned

_ENOUGH = 5
"""Jobs that make a pace: of fewer, one slow one says too much."""
_LOOKED_AT = 5


async def repeats(connection: AsyncConnection, batch_id: int) -> dict[str, tuple[int, int]]:
    """By model: queued jobs that send what another job of the sheet sends too, or has sent; their pictures.

    The first one of each kind is not among them, unless what it says is not queued but dealt with. What has
    failed or was cancelled has nothing that another could get.
    """
    is_queued = JOB.c.state == JobState.QUEUED
    queued = func.count().filter(is_queued)
    first = case((queued == func.count(), 1), else_=0)
    alike = (
        select(JOB.c.model, JOB.c.pictures, (queued - first).label("more"))
        .where(
            JOB.c.batch_id == batch_id,
            JOB.c.current,
            JOB.c.same_as.is_(None),
            JOB.c.state.not_in([JobState.FAILED, JobState.CANCELLED]),
        )
        .group_by(JOB.c.model, JOB.c.inputs)
        .having(func.count() > 1, queued > 0)
        .subquery()
    )
    found = await connection.execute(
        select(alike.c.model, func.sum(alike.c.more), func.sum(alike.c.more * alike.c.pictures))
        .where(alike.c.more > 0)
        .group_by(alike.c.model)
    )
    return {str(model): (int(jobs), int(pictures)) for model, jobs, pictures in found}


async def warned(connection: AsyncConnection, batch_id: int, limit: int) -> Warned:
    """The warnings of what is queued and not agreed to yet: how many jobs have one, and the first of them."""
    about = [*to_send(batch_id), ~JOB.c.agreed, func.json_array_length(JOB.c.warnings) > 0]
    many = (await connection.execute(select(func.count()).where(*about))).scalar_one()
    if not many:
        return Warned(0, ())
    first = select(JOB.c.row, JOB.c.key, JOB.c.warnings).where(*about).order_by(JOB.c.position).limit(limit)
    found = await connection.execute(first)
    return Warned(int(many), tuple((row, key, text) for row, key, texts in found for text in texts[:1]))


async def pace(connection: AsyncConnection, origin: str) -> float | None:
    """Jobs a minute, in the last run at this API that ended enough of them; None where none has."""
    latest = (
        select(RUN.c.batch_id, RUN.c.started_at, RUN.c.ended_at)
        .join(BATCH, BATCH.c.id == RUN.c.batch_id)
        .where(RUN.c.ended_at.is_not(None), BATCH.c.origin == origin)
        .order_by(RUN.c.id.desc())
        .limit(_LOOKED_AT)
    )
    for batch_id, started_at, ended_at in (await connection.execute(latest)).all():
        ended = await _ended(connection, batch_id, started_at, ended_at)
        minutes = (ended_at - started_at).total_seconds() / 60
        if ended >= _ENOUGH and minutes > 0:
            return float(ended / minutes)
    return None


async def _ended(connection: AsyncConnection, batch_id: int, first: datetime, last: datetime) -> int:
    found = await connection.execute(
        select(func.count()).where(
            JOB.c.batch_id == batch_id, JOB.c.attempts > 0, JOB.c.finished_at.between(first, last)
        )
    )
    return int(found.scalar_one())
