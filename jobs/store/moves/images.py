"""The images of an attempt that are on disk, each with its place, its hash and its size."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, literal_column, select

from jobs.images.stored import kept_path, plainly_below
from jobs.store.rows import database_of, image_view, root_of
from jobs.store.schema import ARTIFACT, BATCH, JOB
from jobs.store.sqlite.prepared import Prepared, Told, given
from jobs.views import ArtifactView

_OF_IMAGE = tuple(field.name for field in fields(ArtifactView))
_FIELDS = ("job_id", "attempt_id", *_OF_IMAGE)
_OF_ATTEMPT = Prepared(
    select(ARTIFACT, BATCH.c.output_dir)
    .join(JOB, JOB.c.id == ARTIFACT.c.job_id)
    .join(BATCH, BATCH.c.id == JOB.c.batch_id)
    .where(ARTIFACT.c.attempt_id == given("attempt_id"))
)
PLACE = Told(
    JOB.c.id == given("job_id"),
    select(BATCH.c.output_dir)
    .where(BATCH.c.id == literal_column("job.batch_id"))
    .scalar_subquery()
    .label("output_dir"),
    exists()
    .where(ARTIFACT.c.attempt_id == given("attempt_id"), ARTIFACT.c.number == given("number"))
    .label("is_recorded"),
)
"""What has to be known of a job before an image of it is recorded."""
_DELETE = Prepared(
    delete(ARTIFACT).where(ARTIFACT.c.attempt_id == given("attempt_id"), ARTIFACT.c.number == given("number"))
)
_INSERT = Prepared(insert(ARTIFACT).values({name: given(name) for name in _FIELDS}))


def images_of(connection: Connection, attempt_id: int) -> dict[int, ArtifactView]:
    """The images of an attempt that are recorded so far, by number."""
    found = _OF_ATTEMPT.rows(connection, attempt_id=attempt_id)
    return {row.number: image_view(row, root_of(connection, row.output_dir)) for row in found}


def record(connection: Connection, job_id: int, attempt_id: int, image: ArtifactView) -> None:
    """Record an image that is on disk under its final name. A record of the same number is replaced.

    Its path is kept relative to the batch's output folder, so that both can be moved.
    """
    place = PLACE.afterwards.first(connection, job_id=job_id, attempt_id=attempt_id, number=image.number)
    replace_or_add(connection, job_id, attempt_id, image, place)


def replace_or_add(
    connection: Connection, job_id: int, attempt_id: int, image: ArtifactView, place: Any
) -> None:
    """Record an image: `place` has the batch's `output_dir`, and says whether its number `is_recorded`."""
    if place.is_recorded:
        _DELETE.change(connection, attempt_id=attempt_id, number=image.number)
    root = root_of(connection, place.output_dir)
    path: str | None = image.path
    if root is not None:
        path = plainly_below(image.path, root)
        path = kept_path(Path(image.path), root, database_of(connection)) if path is None else path
    kept = {name: getattr(image, name) for name in _OF_IMAGE} | {"path": path}
    _INSERT.change(connection, job_id=job_id, attempt_id=attempt_id, **kept)
