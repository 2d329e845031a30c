"""The images of an attempt that are on disk, each with its place, its hash and its size."""

from dataclasses import asdict, fields
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select

from jobs.images.stored import kept_path
from jobs.store.rows import database_of, image_view, root_of
from jobs.store.schema import ARTIFACT, BATCH, JOB
from jobs.store.sqlite.prepared import Prepared, given
from jobs.views import ArtifactView

_FIELDS = ("job_id", "attempt_id", *(field.name for field in fields(ArtifactView)))
_OF_ATTEMPT = Prepared(
    select(ARTIFACT, BATCH.c.output_dir)
    .join(JOB, JOB.c.id == ARTIFACT.c.job_id)
    .join(BATCH, BATCH.c.id == JOB.c.batch_id)
    .where(ARTIFACT.c.attempt_id == given("attempt_id"))
)
_ROOT = Prepared(
    select(BATCH.c.output_dir).join(JOB, JOB.c.batch_id == BATCH.c.id).where(JOB.c.id == given("job_id"))
)
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
    _DELETE.change(connection, attempt_id=attempt_id, number=image.number)
    kept = asdict(image)
    row = _ROOT.first(connection, job_id=job_id)
    root = None if row is None else root_of(connection, row.output_dir)
    if root is not None:
        kept["path"] = kept_path(Path(image.path), root, database_of(connection))
    _INSERT.change(connection, job_id=job_id, attempt_id=attempt_id, **kept)
