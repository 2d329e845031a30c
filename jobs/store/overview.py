"""How batches stand: what failed and why, the images that were fetched, the runs. Read-only."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select

from jobs.failures import FailureKind
from jobs.states import JobState
from jobs.store.bulk import counts
from jobs.store.part import StorePart, reads
from jobs.store.rows import image_view, root_of, view_of
from jobs.store.schema import ARTIFACT, ATTEMPT, BATCH, JOB, RUN, of_batch
from jobs.views import ArtifactView, RunView

_ROW = JOB.alias("row")


class Overview(StorePart):
    """What a person asks in the morning."""

    @reads
    def failures(self, connection: Connection, batch_id: int) -> dict[FailureKind, tuple[int, int]]:
        """By kind, how many jobs of the sheet failed, and how many of them share the failure of another."""
        return counts.failures(connection, batch_id)

    @reads
    def image_count(self, connection: Connection, batch_id: int) -> int:
        """How many images rows of the sheet have."""
        return counts.image_count(connection, batch_id)

    @reads
    def images(
        self,
        connection: Connection,
        batch_id: int,
        *,
        after: int = 0,
        limit: int = 5000,
        everything: bool = False,
    ) -> list[tuple[int, ArtifactView]]:
        """These images with their ids, a page at a time; `everything` adds those that no row has any more."""
        wanted = (
            select(ARTIFACT, BATCH.c.output_dir)
            .join(JOB, JOB.c.id == ARTIFACT.c.job_id)
            .join(BATCH, BATCH.c.id == JOB.c.batch_id)
            .where(of_batch(batch_id), ARTIFACT.c.id > after)  # by the images: a page is no look at all jobs
            .order_by(ARTIFACT.c.id)
            .limit(limit)
        )
        if not everything:
            newest = and_(ATTEMPT.c.id == ARTIFACT.c.attempt_id, ATTEMPT.c.number == JOB.c.attempts)
            wanted = wanted.join(ATTEMPT, newest).where(*_with_images())
        found = connection.execute(wanted).all()
        root = root_of(connection, found[0].output_dir) if found else None
        return [(row.id, image_view(row, root)) for row in found]

    @reads
    def batch_ids(self, connection: Connection) -> list[int]:
        """All batches, the one that ran last at the end."""
        order = (BATCH.c.last_run_at.asc().nulls_first(), BATCH.c.id)
        return [int(batch_id) for (batch_id,) in connection.execute(select(BATCH.c.id).order_by(*order))]

    @reads
    def last_run(self, connection: Connection, batch_id: int) -> RunView | None:
        """The batch's newest run; one that was killed has no end."""
        newest = select(RUN, BATCH.c.name.label("batch")).join(BATCH, BATCH.c.id == RUN.c.batch_id)
        row = connection.execute(
            newest.where(RUN.c.batch_id == batch_id).order_by(RUN.c.id.desc()).limit(1)
        ).one_or_none()
        return None if row is None else view_of(RunView, row)


def _with_images() -> Sequence[ColumnElement[bool]]:
    """Jobs that succeeded, and are in the sheet or gave their images to a row of it."""
    shared = exists().where(_ROW.c.same_as == JOB.c.id, _ROW.c.current)
    return (
        JOB.c.state == JobState.SUCCEEDED,
        or_(JOB.c.current, shared),
    )
