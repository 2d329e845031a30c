"""Links between identical jobs: one is sent, and the others wait for its result.

`same_as` is the job that is sent. It is never linked itself, so there are no chains. A linked job has no
consent, which a CHECK in the table enforces, so it cannot be claimed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, case, exists, func, or_, select, update

from jobs.failures import Failure, FailureKind
from jobs.outcomes import Linked, Unsendable
from jobs.states import AT_THE_API, JobState
from jobs.store.moves.apply import apply
from jobs.store.part import StorePart, reads, writes
from jobs.store.schema import AGAIN, IS_IDENTICAL, JOB, TWIN
from jobs.views import Alike, LinkCounts, LinkedJob

_AT_ONCE = 500
_SENT = (JobState.SUBMITTING, *sorted(AT_THE_API), JobState.SUCCEEDED, JobState.UNCONFIRMED)
"""States of a job whose result others may share: it has one, is in flight, or is unconfirmed."""
_IS_LINKED = JOB.c.same_as.is_not(None)
"""The index's own condition, given wherever it holds: few of a million jobs are linked."""


class Links(StorePart):
    """Links between identical jobs: one of them is sent, and the others share its result."""

    @reads
    def alike(self, connection: Connection, batch_id: int) -> list[list[Alike]]:
        """Groups of two or more jobs that send the same bytes: queued jobs, and those sent before.

        A job that was sent counts even if it is removed from the sheet: its images are paid.
        """
        kind = (JOB.c.model, JOB.c.inputs, AGAIN)
        each = (
            select(
                *(JOB.c.id, JOB.c.key, JOB.c.model, JOB.c.pictures, JOB.c.state, JOB.c.turn, JOB.c.agreed),
                (JOB.c.attempts == 0).label("unsent"),
                func.min(JOB.c.id).over(partition_by=kind).label("kind"),
                func.count().over(partition_by=kind).label("many"),
            )
            .where(
                JOB.c.batch_id == batch_id,
                JOB.c.same_as.is_(None),
                or_(and_(JOB.c.state == JobState.QUEUED, JOB.c.current), JOB.c.state.in_(_SENT)),
            )
            .subquery()
        )
        found = connection.execute(
            select(each).where(each.c.many > 1).order_by(each.c.kind, each.c.turn, each.c.id)
        )
        kinds: dict[int, list[Alike]] = {}
        for row in found:
            unsent = bool(row.unsent) and row.state == JobState.QUEUED
            job = Alike(
                row.id, row.key, row.model, row.pictures, JobState(row.state), bool(row.agreed), unsent
            )
            kinds.setdefault(row.kind, []).append(job)
        return list(kinds.values())

    @writes
    def link(self, connection: Connection, pairs: Sequence[tuple[int, int]]) -> None:
        """Link the first job of each pair to the second, unless the first was sent meanwhile."""
        if not pairs:
            return
        connection.execute(
            update(JOB)
            .where(JOB.c.id == bindparam("job_id"), JOB.c.state == JobState.QUEUED, JOB.c.attempts == 0)
            .values(same_as=bindparam("twin_id"), agreed=False, held=None),
            [{"job_id": job_id, "twin_id": twin_id} for job_id, twin_id in pairs],
        )
        # A job may wait for one that is linked itself from now on: no chains.
        connection.execute(
            update(JOB)
            .where(
                _IS_LINKED,
                exists().where(TWIN.c.id == JOB.c.same_as, TWIN.c.same_as.is_not(None)),
            )
            .values(same_as=select(TWIN.c.same_as).where(TWIN.c.id == JOB.c.same_as).scalar_subquery())
        )

    @writes
    def unlink(self, connection: Connection, batch_id: int) -> int:
        """Unlink the jobs that wait; return how many these are. They need consent of their own again."""
        done = connection.execute(
            update(JOB)
            .where(JOB.c.batch_id == batch_id, _IS_LINKED, JOB.c.state == JobState.QUEUED)
            .values(same_as=None)
        )
        return int(done.rowcount)

    async def settle(self, batch_id: int) -> int:
        """End the jobs that wait for a job that has ended; return how many take a cancelled job's place."""
        successors, ended = 0, 1
        while ended and (await self.count(batch_id)).waiting:
            ended, more = await self._settle_some(batch_id)
            successors += more
        return successors

    @writes
    def _settle_some(self, connection: Connection, batch_id: int) -> tuple[int, int]:
        """One round of `settle`, over a limited number of jobs: (how many ended, how many took a place).

        Where the other job was cancelled or is no longer identical, one of those that wait takes its place,
        with its consent.
        """
        now = self._now()
        took_over = 0
        gone = or_(TWIN.c.state == JobState.CANCELLED, ~IS_IDENTICAL)
        while successors := (connection.execute(_waiting(batch_id).where(gone).limit(_AT_ONCE))).all():
            first = {successor.id: successor for successor in reversed(successors)}
            for successor in first.values():
                agreed = successor.agreed and successor.alike
                _take_over(connection, batch_id, successor.job_id, successor.id, agreed=agreed)
            took_over += len(first)
        over = TWIN.c.state.in_([JobState.SUCCEEDED, JobState.FAILED])
        found = (connection.execute(_waiting(batch_id).where(over).limit(_AT_ONCE))).all()
        for row in found:
            apply(connection, _end(row.job_id, row, now))
        return len(found), took_over

    @reads
    def count(self, connection: Connection, batch_id: int) -> LinkCounts:
        """Counts of the sheet's linked jobs."""
        waits = JOB.c.state == JobState.QUEUED
        idle = waits & (TWIN.c.state == JobState.QUEUED) & ~TWIN.c.agreed
        succeeded = JOB.c.state == JobState.SUCCEEDED
        found = connection.execute(
            select(
                *(func.coalesce(func.sum(case((which, 1), else_=0)), 0) for which in (succeeded, waits, idle))
            )
            .join(TWIN, TWIN.c.id == JOB.c.same_as)
            .where(JOB.c.batch_id == batch_id, _IS_LINKED, JOB.c.current)
        )
        return LinkCounts(*map(int, found.one()))

    @reads
    def listed(self, connection: Connection, batch_id: int) -> list[LinkedJob]:
        """Every linked job, in sheet order, with the key of the job sent instead of it."""
        found = connection.execute(
            select(JOB.c.key, JOB.c.row, JOB.c.state, TWIN.c.key)
            .join(TWIN, TWIN.c.id == JOB.c.same_as)
            .where(JOB.c.batch_id == batch_id, _IS_LINKED)
            .order_by(JOB.c.position, JOB.c.id)
        )
        return [LinkedJob(key, row, JobState(state), twin) for key, row, state, twin in found]


def _waiting(batch_id: int) -> Select[Any]:
    """Queued linked jobs, each with the job that it waits for."""
    return (
        select(JOB.c.id.label("job_id"), TWIN, IS_IDENTICAL.label("alike"))
        .join(TWIN, TWIN.c.id == JOB.c.same_as)
        .where(JOB.c.batch_id == batch_id, _IS_LINKED, JOB.c.state == JobState.QUEUED)
        .order_by(JOB.c.turn, JOB.c.id)
    )


def _take_over(connection: Connection, batch_id: int, job_id: int, twin_id: int, *, agreed: bool) -> None:
    """Let a waiting job be sent instead of the other one, and the rest wait for it.

    With `agreed` the other's consent passes to it: only if both are still identical.
    """
    if agreed:
        connection.execute(update(JOB).where(JOB.c.id == twin_id).values(agreed=False))
    connection.execute(update(JOB).where(JOB.c.id == job_id).values(same_as=None, agreed=agreed))
    waits = [JOB.c.batch_id == batch_id, JOB.c.same_as == twin_id, JOB.c.state == JobState.QUEUED]
    connection.execute(update(JOB).where(*waits).values(same_as=job_id))


def _end(job_id: int, twin: Row[Any], now: datetime) -> Linked | Unsendable:
    if twin.state == JobState.SUCCEEDED:
        return Linked(job_id, tuple(twin.warnings), now)
    message = (
        f"Not sent, and not paid: it waited for the identical job {twin.key!r}, which failed. "
        f"The reason there: {twin.error_message}"
    )
    return Unsendable(job_id, Failure(FailureKind(twin.error_kind), message, twin.error_code), now)
