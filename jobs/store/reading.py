"""Lists and counts. Long lists come in pages, by sheet order or by id, so that memory does not grow."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.failures import Failure, FailureKind
from jobs.states import JobState
from jobs.store.schema import ARTIFACT, ATTEMPT, BATCH, JOB
from jobs.tables import SubmitOutcome
from jobs.views import Account, ArtifactView, AttemptView, JobView, OpenJob, QueuedJob

_PAID_OR_MAYBE = (
    SubmitOutcome.INTENT,
    SubmitOutcome.ACCEPTED,
    SubmitOutcome.UNANSWERED,
    SubmitOutcome.RESUBMITTED,
    SubmitOutcome.DISCARDED,
)

_NEWEST = and_(ATTEMPT.c.job_id == JOB.c.id, ATTEMPT.c.number == JOB.c.attempts)


async def counts(connection: AsyncConnection, batch_id: int) -> dict[JobState, int]:
    """How many jobs of the sheet are in each of the eight states."""
    found = await connection.execute(
        select(JOB.c.state, func.count())
        .where(JOB.c.batch_id == batch_id, JOB.c.current)
        .group_by(JOB.c.state)
    )
    counted = {JobState(state): int(many) for state, many in found}
    return {state: counted.get(state, 0) for state in JobState}


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


async def queued_pictures(connection: AsyncConnection, batch_id: int) -> dict[str, tuple[int, int]]:
    """By model: how many jobs are queued, and how many pictures they ask for at most."""
    found = await connection.execute(
        select(JOB.c.model, func.count(), func.sum(JOB.c.pictures))
        .where(JOB.c.batch_id == batch_id, JOB.c.state == JobState.QUEUED, JOB.c.current)
        .group_by(JOB.c.model)
    )
    return {str(model): (int(many), int(pictures)) for model, many, pictures in found}


async def unagreed(connection: AsyncConnection, batch_id: int) -> dict[str, tuple[int, int]]:
    """By model: queued jobs that nobody has agreed to pay for yet, and their pictures."""
    found = await connection.execute(
        select(JOB.c.model, func.count(), func.sum(JOB.c.pictures))
        .where(JOB.c.batch_id == batch_id, JOB.c.state == JobState.QUEUED, JOB.c.current, ~JOB.c.agreed)
        .group_by(JOB.c.model)
    )
    return {str(model): (int(many), int(pictures)) for model, many, pictures in found}


async def ended_since(connection: AsyncConnection, batch_id: int, moment: datetime) -> int:
    """How many jobs of the sheet have come to an end since `moment`."""
    found = await connection.execute(
        select(func.count()).where(JOB.c.batch_id == batch_id, JOB.c.current, JOB.c.finished_at >= moment)
    )
    return int(found.scalar_one())


async def models_in_use(connection: AsyncConnection, batch_id: int) -> list[str]:
    """The models of the batch's jobs."""
    found = await connection.execute(
        select(JOB.c.model).where(JOB.c.batch_id == batch_id).distinct().order_by(JOB.c.model)
    )
    return [model for (model,) in found]


async def queued(
    connection: AsyncConnection, batch_id: int, *, after: int, limit: int, now: datetime
) -> list[QueuedJob]:
    """Jobs that may be claimed now, in the order of loading, beyond the id `after`."""
    found = await connection.execute(
        select(JOB.c.id, JOB.c.key, JOB.c.row, JOB.c.model, JOB.c.inputs, JOB.c.pictures)
        .where(
            JOB.c.batch_id == batch_id,
            JOB.c.state == JobState.QUEUED,
            JOB.c.id > after,
            JOB.c.current,
            JOB.c.agreed,
            JOB.c.available_at <= now,
        )
        .order_by(JOB.c.id)
        .limit(limit)
    )
    return [QueuedJob(*row) for row in found]


async def next_available(connection: AsyncConnection, batch_id: int) -> datetime | None:
    """When the next queued job may be claimed; None if none is queued."""
    found = await connection.execute(
        select(func.min(JOB.c.available_at)).where(
            JOB.c.batch_id == batch_id, JOB.c.state == JobState.QUEUED, JOB.c.current, JOB.c.agreed
        )
    )
    value: datetime | None = found.scalar_one()
    return value


async def open_jobs(
    connection: AsyncConnection, batch_id: int, state: JobState, *, after: int = 0, limit: int = 1_000_000
) -> list[OpenJob]:
    """Jobs in `state` (running or fetching), oldest first, whether or not the sheet still has them."""
    found = await connection.execute(
        _open()
        .where(JOB.c.batch_id == batch_id, JOB.c.state == state, JOB.c.id > after)
        .order_by(JOB.c.id)
        .limit(limit)
    )
    return [_open_job(row) for row in found]


async def open_job(connection: AsyncConnection, job_id: int) -> OpenJob | None:
    """The job, if the API has it."""
    row = (await connection.execute(_open().where(JOB.c.id == job_id))).one_or_none()
    return None if row is None else _open_job(row)


def _open() -> Select[Any]:
    return (
        select(
            JOB,
            ATTEMPT.c.id.label("attempt_id"),
            ATTEMPT.c.request_id,
            ATTEMPT.c.urls,
            ATTEMPT.c.estimate_usd,
            ATTEMPT.c.started_at,
        )
        .join(ATTEMPT, _NEWEST)
        .where(ATTEMPT.c.request_id.is_not(None))
    )


def _open_job(row: Row[Any]) -> OpenJob:
    return OpenJob(
        id=row.id,
        key=row.key,
        row=row.row,
        model=row.model,
        folder=row.folder,
        pictures=row.pictures,
        state=JobState(row.state),
        attempt_id=row.attempt_id,
        request_id=row.request_id,
        submitted_at=row.started_at,
        failed_runs=row.failed_runs,
        urls=None if row.urls is None else tuple(row.urls),
        estimate_usd=row.estimate_usd,
        warnings=tuple(row.warnings),
    )


async def pictures_of(connection: AsyncConnection, attempt_id: int) -> dict[int, ArtifactView]:
    """The pictures that an attempt has brought home so far, by number."""
    found = await connection.execute(select(ARTIFACT).where(ARTIFACT.c.attempt_id == attempt_id))
    return {row.number: _artifact(row) for row in found}


async def cancel_wanted(connection: AsyncConnection, batch_id: int) -> list[int]:
    """Jobs at the API that a person wants cancelled there."""
    found = await connection.execute(
        select(JOB.c.id).where(
            JOB.c.batch_id == batch_id, JOB.c.state == JobState.RUNNING, JOB.c.cancel_requested
        )
    )
    return [job_id for (job_id,) in found]


async def in_state(
    connection: AsyncConnection, batch_id: int, states: Sequence[JobState], keys: Sequence[str] | None = None
) -> list[JobView]:
    """Jobs in any of `states`, in sheet order; only those of `keys`, if given. Old revisions too."""
    wanted = _jobs().where(JOB.c.batch_id == batch_id, JOB.c.state.in_(states))
    if keys is not None:
        wanted = wanted.where(JOB.c.key.in_(keys))
    return await _job_views(connection, wanted.order_by(JOB.c.position, JOB.c.id))


async def by_key(connection: AsyncConnection, batch_id: int, key: str) -> JobView | None:
    """The newest revision of a key."""
    wanted = _jobs().where(JOB.c.batch_id == batch_id, JOB.c.key == key)
    views = await _job_views(connection, wanted.order_by(JOB.c.revision.desc()).limit(1))
    return views[0] if views else None


async def page(
    connection: AsyncConnection,
    *,
    batch_id: int,
    after: tuple[int, int],
    limit: int,
    everything: bool = False,
    states: Sequence[JobState] = (),
) -> list[tuple[tuple[int, int], JobView]]:
    """The next jobs in sheet order beyond the place `after` (position, id), each with its own place.

    `everything` adds the revisions and rows that the sheet no longer has.
    """
    position, job_id = after
    wanted = _jobs().where(
        JOB.c.batch_id == batch_id,
        (JOB.c.position > position) | and_(JOB.c.position == position, JOB.c.id > job_id),
    )
    if not everything:
        wanted = wanted.where(JOB.c.current)
    if states:
        wanted = wanted.where(JOB.c.state.in_(states))
    rows = (await connection.execute(wanted.order_by(JOB.c.position, JOB.c.id).limit(limit))).all()
    views = await _with_pictures(connection, rows)
    return [((row.position, row.id), view) for row, view in zip(rows, views, strict=True)]


async def ledger(connection: AsyncConnection, batch_id: int) -> list[AttemptView]:
    """Every attempt of the batch, oldest first."""
    found = await connection.execute(
        select(ATTEMPT, JOB.c.key, JOB.c.row)
        .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
        .where(JOB.c.batch_id == batch_id)
        .order_by(ATTEMPT.c.id)
    )
    return [
        AttemptView(
            id=row.id,
            job_id=row.job_id,
            key=row.key,
            row=row.row,
            number=row.number,
            payload_sha256=row.payload_sha256,
            started_at=row.started_at,
            answered_at=row.answered_at,
            outcome=SubmitOutcome(row.outcome),
            request_id=row.request_id,
            cost_usd=row.cost_usd,
            estimate_usd=row.estimate_usd,
            ended=row.ended,
            detail=row.detail,
        )
        for row in found
    ]


async def holder_of(connection: AsyncConnection, request_id: str) -> str | None:
    """The key of the job that has this request_id already."""
    found = await connection.execute(
        select(JOB.c.key)
        .join(ATTEMPT, ATTEMPT.c.job_id == JOB.c.id)
        .where(ATTEMPT.c.request_id == request_id)
    )
    key: str | None = found.scalar_one_or_none()
    return key


def _jobs() -> Select[Any]:
    return (
        select(
            JOB,
            BATCH.c.name.label("batch"),
            ATTEMPT.c.id.label("attempt_id"),
            ATTEMPT.c.request_id,
            ATTEMPT.c.cost_usd,
            ATTEMPT.c.estimate_usd,
        )
        .join(BATCH, BATCH.c.id == JOB.c.batch_id)
        .outerjoin(ATTEMPT, _NEWEST)
    )


async def _job_views(connection: AsyncConnection, wanted: Select[Any]) -> list[JobView]:
    return await _with_pictures(connection, (await connection.execute(wanted)).all())


async def _with_pictures(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[JobView]:
    attempts = [row.attempt_id for row in rows if row.attempt_id is not None]
    pictures: dict[int, list[ArtifactView]] = defaultdict(list)
    for first in range(0, len(attempts), 500):
        found = await connection.execute(
            select(ARTIFACT)
            .where(ARTIFACT.c.attempt_id.in_(attempts[first : first + 500]))
            .order_by(ARTIFACT.c.attempt_id, ARTIFACT.c.number)
        )
        for row in found:
            pictures[row.attempt_id].append(_artifact(row))
    return [_job_view(row, tuple(pictures.get(row.attempt_id, ()))) for row in rows]


def _artifact(row: Row[Any]) -> ArtifactView:
    return ArtifactView(
        row.number, row.path, row.url, row.sha256, row.bytes, row.width, row.height, row.content_type
    )


def _job_view(row: Row[Any], images: tuple[ArtifactView, ...]) -> JobView:
    failure = None
    if row.error_kind is not None:
        failure = Failure(FailureKind(row.error_kind), row.error_message or "", row.error_code)
    return JobView(
        id=row.id,
        batch=row.batch,
        key=row.key,
        revision=row.revision,
        current=row.current,
        row=row.row,
        model=row.model,
        state=JobState(row.state),
        inputs=row.inputs,
        pictures=row.pictures,
        attempts=row.attempts,
        request_id=row.request_id,
        cost_usd=row.cost_usd,
        estimate_usd=row.estimate_usd,
        failure=failure,
        warnings=tuple(row.warnings),
        columns=dict(row.columns),
        created_at=row.created_at,
        submitted_at=row.submitted_at,
        finished_at=row.finished_at,
        images=images,
    )
