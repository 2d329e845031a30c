"""Lists. Long ones come in pages, by sheet order or by id, so that memory does not grow."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, and_, case, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.attempts import SubmitOutcome
from jobs.failures import Failure, FailureKind
from jobs.states import JobState
from jobs.store.schema import ARTIFACT, ATTEMPT, BATCH, JOB, SAYS_THE_SAME, TWIN
from jobs.views import ArtifactView, AttemptView, JobView, OpenJob, Place, QueuedJob, Twin

_NEWEST = and_(ATTEMPT.c.job_id == JOB.c.id, ATTEMPT.c.number == JOB.c.attempts)

_TWINS = ATTEMPT.alias("twins")
"""The newest submit of the job that is sent in a linked one's stead."""
_WHOSE_PICTURES = case(
    (JOB.c.same_as.is_(None), ATTEMPT.c.id), (JOB.c.state == JobState.SUCCEEDED, _TWINS.c.id)
)

_EACH = ATTEMPT.alias()
_SENT = (
    select(func.count())
    .where(_EACH.c.job_id == JOB.c.id, _EACH.c.outcome != SubmitOutcome.REFUSED)
    .correlate(JOB)
    .scalar_subquery()
)
"""Submits that were or may have been accepted; a refused one is numbered, and none of these."""


async def queued(
    connection: AsyncConnection, batch_id: int, *, after: Place, limit: int, now: datetime
) -> list[QueuedJob]:
    """Jobs that may be claimed now, in their turn and in the order of loading, beyond the place `after`."""
    found = await connection.execute(
        select(JOB.c.id, JOB.c.key, JOB.c.row, JOB.c.model, JOB.c.inputs, JOB.c.pictures, JOB.c.turn)
        .where(
            JOB.c.batch_id == batch_id,
            JOB.c.state == JobState.QUEUED,
            JOB.c.agreed.is_(True),  # as the index has it
            tuple_(JOB.c.turn, JOB.c.id) > tuple_(*map(literal, after)),
            JOB.c.current,
            JOB.c.available_at <= now,
        )
        .order_by(JOB.c.turn, JOB.c.id)
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
            ATTEMPT.c.cost_usd,
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
        cost_usd=row.cost_usd,
    )


async def images_of(connection: AsyncConnection, attempt_id: int) -> dict[int, ArtifactView]:
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


async def those_in(connection: AsyncConnection, state: JobState, job_ids: Sequence[int]) -> list[int]:
    """Those of these jobs that are in `state`; a run holds no more than some hundred."""
    found = await connection.execute(select(JOB.c.id).where(JOB.c.id.in_(job_ids), JOB.c.state == state))
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
    """The revision of a key that the sheet has, or the newest where the sheet has none any more."""
    wanted = _jobs().where(JOB.c.batch_id == batch_id, JOB.c.key == key)
    newest = wanted.order_by(JOB.c.current.desc(), JOB.c.revision.desc())
    views = await _job_views(connection, newest.limit(1))
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
        select(ATTEMPT, JOB.c.key, JOB.c.row, JOB.c.state, JOB.c.authorised)
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
            automatic=row.automatic,
            state=JobState(row.state),
            authorised=row.authorised,
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
            ATTEMPT.c.request_id,
            ATTEMPT.c.cost_usd,
            ATTEMPT.c.estimate_usd,
            _SENT.label("sent"),
            TWIN.c.key.label("twin_key"),
            TWIN.c.state.label("twin_state"),
            TWIN.c.current.label("twin_current"),
            SAYS_THE_SAME.label("twin_alike"),
            _WHOSE_PICTURES.label("pictures_by"),
        )
        .join(BATCH, BATCH.c.id == JOB.c.batch_id)
        .outerjoin(ATTEMPT, _NEWEST)
        .outerjoin(TWIN, TWIN.c.id == JOB.c.same_as)
        .outerjoin(_TWINS, and_(_TWINS.c.job_id == TWIN.c.id, _TWINS.c.number == TWIN.c.attempts))
    )


async def _job_views(connection: AsyncConnection, wanted: Select[Any]) -> list[JobView]:
    return await _with_pictures(connection, (await connection.execute(wanted)).all())


async def _with_pictures(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[JobView]:
    attempts = list({row.pictures_by for row in rows if row.pictures_by is not None})
    pictures: dict[int, list[ArtifactView]] = defaultdict(list)
    for first in range(0, len(attempts), 500):
        found = await connection.execute(
            select(ARTIFACT)
            .where(ARTIFACT.c.attempt_id.in_(attempts[first : first + 500]))
            .order_by(ARTIFACT.c.attempt_id, ARTIFACT.c.number)
        )
        for row in found:
            pictures[row.attempt_id].append(_artifact(row))
    return [_job_view(row, tuple(pictures.get(row.pictures_by, ()))) for row in rows]


def _artifact(row: Row[Any]) -> ArtifactView:
    return ArtifactView(
        row.number, row.path, row.url, row.sha256, row.bytes, row.width, row.height, row.content_type
    )


def _job_view(row: Row[Any], images: tuple[ArtifactView, ...]) -> JobView:
    failure = None
    if row.error_kind is not None:
        failure = Failure(FailureKind(row.error_kind), row.error_message or "", row.error_code)
    twin = None
    if row.same_as is not None:
        twin = Twin(
            row.same_as,
            row.twin_key,
            JobState(row.twin_state),
            current=bool(row.twin_current),
            alike=bool(row.twin_alike),
        )
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
        attempts=row.sent,
        request_id=row.request_id,
        cost_usd=row.cost_usd if twin is None or row.state != JobState.SUCCEEDED else Decimal(0),
        estimate_usd=row.estimate_usd,
        failure=failure,
        warnings=tuple(row.warnings),
        columns=dict(row.columns),
        created_at=row.created_at,
        submitted_at=row.submitted_at,
        finished_at=row.finished_at,
        images=images,
        turn=row.turn,
        agreed=row.agreed,
        fingerprint=row.fingerprint,
        twin=twin,
    )
