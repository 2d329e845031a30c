"""The images of an attempt that are on disk, each with its place, its hash and its size."""

from dataclasses import asdict, fields

from sqlalchemy import Connection, delete, insert, select

from jobs.store.rows import view_of
from jobs.store.schema import ARTIFACT
from jobs.store.sqlite.prepared import Prepared, given
from jobs.views import ArtifactView

_FIELDS = [field.name for field in fields(ArtifactView)]
_OF_ATTEMPT = Prepared(select(ARTIFACT).where(ARTIFACT.c.attempt_id == given("attempt_id")))
_DELETE = Prepared(
    delete(ARTIFACT).where(ARTIFACT.c.attempt_id == given("attempt_id"), ARTIFACT.c.number == given("number"))
)
_INSERT = Prepared(
    insert(ARTIFACT).values({name: given(name) for name in ("job_id", "attempt_id", *_FIELDS)})
)


def images_of(connection: Connection, attempt_id: int) -> dict[int, ArtifactView]:
    """The images of an attempt that are recorded so far, by number."""
    found = _OF_ATTEMPT.rows(connection, attempt_id=attempt_id)
    return {row.number: view_of(ArtifactView, row) for row in found}


def record(connection: Connection, job_id: int, attempt_id: int, image: ArtifactView) -> None:
    """Record an image that is on disk under its final name. A record of the same number is replaced."""
    _DELETE.change(connection, attempt_id=attempt_id, number=image.number)
    _INSERT.change(connection, job_id=job_id, attempt_id=attempt_id, **asdict(image))
