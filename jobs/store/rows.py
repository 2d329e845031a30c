"""Makes the store's views from rows of its tables."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    cast,
    exists,
    func,
    literal_column,
    select,
    true,
)

from jobs.attempts import PAID_OR_MAYBE, RawAnswer
from jobs.failures import Failure, FailureKind
from jobs.paid import Held
from jobs.review.decisions import DecisionSource, DecisionView, Verdict
from jobs.states import JobState
from jobs.store.schema import ARTIFACT, ATTEMPT, BATCH, DECISION, IS_IDENTICAL, JOB, TWIN
from jobs.store.sql.expressions import json_entries
from jobs.store.sqlite.prepared import Prepared, given
from jobs.store.sqlite.thread import DATABASE
from jobs.views import ArtifactView, AttemptView, BatchView, JobView, OpenJob, RunView, Twin

View = TypeVar("View", bound=BatchView | RunView | JobView | AttemptView | ArtifactView | DecisionView)

NEWEST = and_(ATTEMPT.c.job_id == JOB.c.id, ATTEMPT.c.number == JOB.c.attempts)
"""Joins a job with its newest attempt."""

TWIN_ATTEMPT = ATTEMPT.alias("twins")
"""The newest submit of the job that is sent instead of a linked one."""

IMAGES_OF = case(
    (JOB.c.same_as.is_(None), ATTEMPT.c.id), (JOB.c.state == JobState.SUCCEEDED, TWIN_ATTEMPT.c.id)
)

_MOST_IN_A_ROW = 1 << 20
"""More than the columns of any row."""
FIRST_IN_ITS_ROW = cast(JOB.c.position, BigInteger) * _MOST_IN_A_ROW
"""With the place of a column added, orders columns by the first row that has them, and then within it."""

_EACH = ATTEMPT.alias()
_AT_ONCE = 500

OPEN_JOB = [JOB.c[field.name] for field in fields(OpenJob) if field.name in JOB.c]
"""Its inputs, the largest column, are not among them: they have been sent."""
OPEN_ATTEMPT = [
    ATTEMPT.c.id.label("attempt_id"),
    *(ATTEMPT.c.request_id, ATTEMPT.c.urls, ATTEMPT.c.estimate_usd, ATTEMPT.c.cost_usd, ATTEMPT.c.started_at),
    exists().where(ARTIFACT.c.attempt_id == literal_column("attempt.id")).label("has_images"),
]
"""Of the submit by which the API has it. Its id is in words: where a change tells columns, SQLAlchemy leaves
the table out."""

SENT = (
    select(func.count())
    .where(_EACH.c.job_id == JOB.c.id, _EACH.c.outcome.in_(sorted(PAID_OR_MAYBE)))
    .correlate(JOB)
    .scalar_subquery()
)
"""How many submits were or may have been accepted. A refused one has a number, but is not counted."""


def view_of(view: type[View], row: Row[Any], **given: Any) -> View:
    """A view whose fields are the columns of the same names, except those that are given."""
    return view(**{name: getattr(row, name) for name in _names_of(view) if name not in given}, **given)  # type: ignore[arg-type]


@cache
def _names_of(view: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(view))


def root_of(connection: Connection, output_dir: str | None) -> Path | None:
    """A batch's output folder, absolute, as the table keeps it; None where it is unknown."""
    return None if output_dir is None else _below(database_of(connection), output_dir)


@lru_cache(maxsize=16)
def _below(database: Path, output_dir: str) -> Path:
    return database.parent / output_dir


def database_of(connection: Connection) -> Path:
    """The file of the database."""
    path: Path = connection.info[DATABASE]
    return path


def image_view(row: Row[Any], root: Path | None) -> ArtifactView:
    """An image with its absolute path. One beside the output folder is there before that folder is."""
    path = row.path if root is None else os.path.normpath(os.path.join(root, row.path))  # noqa: PTH118
    size = row.width, row.height
    return ArtifactView(row.number, path, row.url, row.sha256, row.bytes, *size, row.content_type)


def select_open() -> Select[Any]:
    """Jobs that have a request_id, each with its newest attempt."""
    return select(*OPEN_JOB, *OPEN_ATTEMPT).join(ATTEMPT, NEWEST).where(ATTEMPT.c.request_id.is_not(None))


def open_view(row: Row[Any]) -> OpenJob:
    """The view of a row of `select_open`."""
    return open_view_of(row, row)


def open_view_of(job: Any, attempt: Any) -> OpenJob:
    """The view of a job and of its newest attempt."""
    return OpenJob(
        job.id,
        job.key,
        job.row,
        job.model,
        job.folder,
        job.pictures,
        JobState(job.state),
        attempt.attempt_id,
        attempt.request_id,
        attempt.started_at,
        job.failed_runs,
        None if attempt.urls is None else tuple(attempt.urls),
        attempt.estimate_usd,
        tuple(job.warnings),
        attempt.cost_usd,
        bool(attempt.has_images),
    )


_OPEN = Prepared(select_open().where(JOB.c.id == given("job_id")))


def open_job(connection: Connection, job_id: int) -> OpenJob | None:
    """The job, if the API has it."""
    row = _OPEN.first(connection, job_id=job_id)
    return None if row is None else open_view(row)


def select_jobs() -> Select[Any]:
    """Jobs with all that a JobView needs but their images."""
    return (
        select(
            JOB,
            BATCH.c.name.label("batch"),
            BATCH.c.output_dir,
            ATTEMPT.c.request_id,
            ATTEMPT.c.named_id,
            ATTEMPT.c.answer,
            ATTEMPT.c.cost_usd,
            ATTEMPT.c.estimate_usd,
            SENT.label("sent"),
            TWIN.c.key.label("twin_key"),
            TWIN.c.state.label("twin_state"),
            TWIN.c.current.label("twin_current"),
            IS_IDENTICAL.label("twin_alike"),
            IMAGES_OF.label("images_of"),
        )
        .join(BATCH, BATCH.c.id == JOB.c.batch_id)
        .outerjoin(ATTEMPT, NEWEST)
        .outerjoin(TWIN, TWIN.c.id == JOB.c.same_as)
        .outerjoin(
            TWIN_ATTEMPT, and_(TWIN_ATTEMPT.c.job_id == TWIN.c.id, TWIN_ATTEMPT.c.number == TWIN.c.attempts)
        )
    )


def job_views(connection: Connection, wanted: Select[Any]) -> list[JobView]:
    """The jobs of a `select_jobs`, with their images."""
    return with_images(connection, (connection.execute(wanted)).all())


def with_images(connection: Connection, rows: Sequence[Row[Any]]) -> list[JobView]:
    """Views of the rows of a `select_jobs`, with images of the attempt, or of the job sent instead."""
    root = root_of(connection, rows[0].output_dir) if rows else None  # they are of one batch
    attempts = list({row.images_of for row in rows if row.images_of is not None})
    images: dict[int, list[ArtifactView]] = defaultdict(list)
    for first in range(0, len(attempts), _AT_ONCE):
        found = connection.execute(
            select(ARTIFACT)
            .where(ARTIFACT.c.attempt_id.in_(attempts[first : first + _AT_ONCE]))
            .order_by(ARTIFACT.c.attempt_id, ARTIFACT.c.number)
        )
        for row in found:
            images[row.attempt_id].append(image_view(row, root))
    decided = decisions_of(connection, [row.id for row in rows])
    return [_job_view(row, tuple(images.get(row.images_of, ())), tuple(decided[row.id])) for row in rows]


def own_names(connection: Connection, which: Sequence[ColumnElement[Any]]) -> tuple[str, ...]:
    """The names of the own columns of such jobs, in the order of the sheet. Looks at each of them."""
    own = json_entries(JOB.c.columns, "own")
    found = connection.execute(
        select(own.c.key)
        .select_from(JOB.join(own, true()))
        .where(*which)
        .group_by(own.c.key)
        .order_by(func.min(FIRST_IN_ITS_ROW + own.c.id))
    )
    return tuple(map(str, found.scalars()))


def decisions_of(connection: Connection, job_ids: Sequence[int]) -> dict[int, list[DecisionView]]:
    """What was decided about the images of these jobs, by job and number."""
    decided: dict[int, list[DecisionView]] = defaultdict(list)
    for first in range(0, len(job_ids), _AT_ONCE):
        found = connection.execute(
            select(DECISION)
            .where(DECISION.c.job_id.in_(job_ids[first : first + _AT_ONCE]))
            .order_by(DECISION.c.job_id, DECISION.c.number)
        )
        for row in found:
            decided[row.job_id].append(decision_view(row))
    return decided


def decision_view(row: Row[Any]) -> DecisionView:
    """What a person decided about an image."""
    verdict = None if row.verdict is None else Verdict(row.verdict)
    return view_of(DecisionView, row, verdict=verdict, source=DecisionSource(row.source))


def _job_view(
    row: Row[Any], images: tuple[ArtifactView, ...], decisions: tuple[DecisionView, ...]
) -> JobView:
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
    return view_of(
        JobView,
        row,
        state=JobState(row.state),
        attempts=row.sent,
        cost_usd=row.cost_usd if twin is None or row.state != JobState.SUCCEEDED else Decimal(0),
        failure=failure,
        warnings=tuple(row.warnings),
        columns=dict(row.columns),
        images=images,
        twin=twin,
        answer=raw_answer_of(row),
        held=_held_by(row),
        decisions=decisions,
    )


def _held_by(row: Row[Any]) -> Held | None:
    if row.held is None:
        return None
    return Held(row.held["batch"], row.held["database"], datetime.fromisoformat(row.held["at"]))


def raw_answer_of(row: Row[Any]) -> RawAnswer | None:
    """The answer in a row of an attempt."""
    return None if row.answer is None else RawAnswer(**row.answer)
