"""What a run would do, before anything is paid: changes, workload, repeats, warnings and throughput."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, case, func, select

from jobs.row_change import Claims, RowChange
from jobs.states import JobState
from jobs.store.bulk import counts
from jobs.store.part import StorePart, reads
from jobs.store.schema import AGAIN, BATCH, JOB, RUN, to_send
from jobs.views import Warned
from jobs.workload import Amount, Workload

if TYPE_CHECKING:
    from jobs.sheets.planned import PlannedJob

_ENOUGH = 5
"""The fewest jobs to compute a throughput from: among fewer, one slow job weighs too much."""
_LOOKED_AT = 5
"""The most runs to search for one with enough jobs."""


class Preview(StorePart):
    """What a run would do. Read-only."""

    @reads
    def compare(
        self,
        connection: Connection,
        batch_id: int,
        jobs: Sequence["PlannedJob"],
        claims: Claims | None = None,
    ) -> list[RowChange]:
        """How loading would change each job, in order; by the same rules as `loading`.

        Without `claims`, `jobs` are a whole sheet. With them they are a part of it, and each part is compared
        twice if any row may adopt a job: once to see what all rows claim, then again with `all_seen` set.
        """
        from jobs.store.intake.comparing import compare  # only where there is a sheet

        if claims is None:
            claims = Claims()
            compare(connection, batch_id, jobs, claims)
            claims.all_seen = True
        return compare(connection, batch_id, jobs, claims)

    @reads
    def to_send(self, connection: Connection, batch_id: int) -> Workload:
        """The workload of the queued jobs."""
        return counts.to_send(connection, batch_id)

    @reads
    def unagreed(self, connection: Connection, batch_id: int) -> Workload:
        """The workload of the queued jobs that nobody consented to pay for yet."""
        return counts.unagreed(connection, batch_id)

    @reads
    def repeats(self, connection: Connection, batch_id: int) -> Workload:
        """The workload of the queued jobs that repeat another job of the sheet.

        The first job of each group is no repeat, unless one of the group was sent before. Failed and
        cancelled jobs do not count: they have no result to share.
        """
        is_queued = JOB.c.state == JobState.QUEUED
        queued = func.count().filter(is_queued)
        first = case((queued == func.count(), 1), else_=0)
        alike = (
            select(JOB.c.model, func.max(JOB.c.pictures).label("pictures"), (queued - first).label("more"))
            .where(
                JOB.c.batch_id == batch_id,
                JOB.c.current,
                JOB.c.same_as.is_(None),
                JOB.c.held.is_(None),
                JOB.c.state.not_in([JobState.FAILED, JobState.CANCELLED]),
            )
            .group_by(JOB.c.model, JOB.c.inputs, AGAIN)
            .having(func.count() > 1, queued > 0)
            .subquery()
        )
        found = connection.execute(
            select(alike.c.model, func.sum(alike.c.more), func.sum(alike.c.more * alike.c.pictures))
            .where(alike.c.more > 0)
            .group_by(alike.c.model)
        )
        return _workload(found)

    @reads
    def warnings(self, connection: Connection, batch_id: int, limit: int) -> Warned:
        """Warnings of queued jobs without consent: how many jobs have one, and the first `limit` of them."""
        about = [*to_send(batch_id), ~JOB.c.agreed, func.json_array_length(JOB.c.warnings) > 0]
        many = (connection.execute(select(func.count()).where(*about))).scalar_one()
        if not many:
            return Warned(0, ())
        first = (
            select(JOB.c.row, JOB.c.key, JOB.c.warnings).where(*about).order_by(JOB.c.position).limit(limit)
        )
        found = connection.execute(first)
        return Warned(int(many), tuple((row, key, text) for row, key, texts in found for text in texts[:1]))

    @reads
    def throughput(self, connection: Connection, origin: str) -> float | None:
        """Jobs a minute in the last run at this API that ended enough jobs; None if there is none."""
        latest = (
            select(RUN.c.batch_id, RUN.c.started_at, RUN.c.ended_at)
            .join(BATCH, BATCH.c.id == RUN.c.batch_id)
            .where(RUN.c.ended_at.is_not(None), BATCH.c.origin == origin)
            .order_by(RUN.c.id.desc())
            .limit(_LOOKED_AT)
        )
        for batch_id, started_at, ended_at in (connection.execute(latest)).all():
            ended = _ended(connection, batch_id, started_at, ended_at)
            minutes = (ended_at - started_at).total_seconds() / 60
            if ended >= _ENOUGH and minutes > 0:
                return float(ended / minutes)
        return None

    @reads
    def latest_prices(self, connection: Connection, origin: str) -> dict[str, tuple[Decimal, datetime]]:
        """USD an image by model, as this API told it last, and when that run began."""
        began = func.max(RUN.c.started_at)
        found = connection.execute(
            select(BATCH.c.prices, began)
            .join(RUN, RUN.c.batch_id == BATCH.c.id)
            .where(BATCH.c.origin == origin)
            .group_by(BATCH.c.id)
            .order_by(began)
        )
        return {model: (Decimal(usd), at) for prices, at in found for model, usd in (prices or {}).items()}


def _ended(connection: Connection, batch_id: int, first: datetime, last: datetime) -> int:
    found = connection.execute(
        select(func.count()).where(
            JOB.c.batch_id == batch_id, JOB.c.attempts > 0, JOB.c.finished_at.between(first, last)
        )
    )
    return int(found.scalar_one())


def _workload(found: Iterable[Any]) -> Workload:
    return Workload({str(model): Amount(int(jobs), int(images)) for model, jobs, images in found})
