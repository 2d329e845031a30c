"""What the manifests of a batch's last run are made of, and which blocks of them have changed since."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, or_, select, update

from jobs.store.part import StorePart, reads, writes
from jobs.store.schema import ARTIFACT, CHANGED_BLOCK, JOB, KEPT_MANIFEST
from jobs.store.sql import blocks as told_in

_AT_ONCE = 500


class LeftManifests(NamedTuple):
    """What the last run left: its manifests, and the blocks that have changed since."""

    written: dict[str, Any] | None
    """None where nothing is known of them."""
    changed: frozenset[int]
    columns_changed: bool
    """Whether the table of all jobs may have other columns."""


class Manifests(StorePart):
    """The manifests that runs write."""

    @writes
    def begin(self, connection: Connection, batch_id: int) -> LeftManifests:
        """Tell what the last run left, and forget it: from now on changes are marked for the next run.

        Whoever dies before `keep` leaves files of which nothing is known.
        """
        of_batch = CHANGED_BLOCK.c.batch_id == batch_id
        written = select(KEPT_MANIFEST.c.written).where(KEPT_MANIFEST.c.batch_id == batch_id)
        found = connection.execute(written).scalar_one_or_none()
        changed = set(connection.execute(select(CHANGED_BLOCK.c.block).where(of_batch)).scalars())
        connection.execute(delete(CHANGED_BLOCK).where(of_batch))
        kept = update(KEPT_MANIFEST).where(KEPT_MANIFEST.c.batch_id == batch_id)
        if connection.execute(kept.values(written=None)).rowcount == 0:
            connection.execute(insert(KEPT_MANIFEST).values(batch_id=batch_id, written=None))
        return LeftManifests(found, frozenset(changed - {told_in.COLUMNS}), told_in.COLUMNS in changed)

    @writes
    def keep(self, connection: Connection, batch_id: int, written: dict[str, Any]) -> None:
        """Remember the manifests that were begun, now that they are in their place."""
        row = update(KEPT_MANIFEST).where(KEPT_MANIFEST.c.batch_id == batch_id)
        connection.execute(row.values(written=written))

    @reads
    def blocks_of(self, connection: Connection, artifact_ids: Iterable[int]) -> frozenset[int]:
        """The blocks that tell of these images, as their job's or as those of a job that shares them."""
        ids = sorted(artifact_ids)
        blocks: set[int] = set()
        for first in range(0, len(ids), _AT_ONCE):
            some = select(ARTIFACT.c.job_id).where(ARTIFACT.c.id.in_(ids[first : first + _AT_ONCE]))
            jobs = list(connection.execute(some.distinct()).scalars())
            tells = or_(JOB.c.id.in_(jobs), JOB.c.same_as.in_(jobs))
            positions = connection.execute(select(JOB.c.position).where(tells)).scalars()
            blocks |= {position // told_in.BLOCK for position in positions}
        return frozenset(blocks)
