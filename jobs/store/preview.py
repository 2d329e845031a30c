"""What a run would do, before anything is paid: changes, workload, repeats, warnings and throughput.

And what its guards have to know of earlier runs, at one look at each job and submit of the batch.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.attempts import SubmitOutcome
from jobs.failures import BY_A_PERSON, FailureKind
from jobs.row_change import Claims, RowChange
from jobs.sheets.planned import PlannedJob
from jobs.states import JobState
from jobs.store.intake.comparing import compare
from jobs.store.part import StorePart, reads
from jobs.store.rows import NEWEST
from jobs.store.schema import AGAIN, ATTEMPT, BATCH, JOB, RUN, to_send
from jobs.track_record import EndedJob, TrackRecord
from jobs.views import Warned
from jobs.workload import Amount, Workload

_ENOUGH = 5
"""The fewest jobs to compute a throughput from: among fewer, one slow job weighs too much."""
_LOOKED_AT = 5
"""The most runs to search for one with enough jobs."""
_LATELY = timedelta(days=7)
"""How long a success speaks for its model, and a failure against it."""
_SENT = JOB.c.same_as.is_(None)
_SENT_AGAIN = and_(
    ATTEMPT.c.automatic, ATTEMPT.c.outcome == SubmitOutcome.ACCEPTED, ATTEMPT.c.ended_at.is_not(None)
)
"""Of attempts: its run failed, and a setting queued its job again. The job itself tells no more of it."""
_OWN_FAILURE = and_(JOB.c.state == JobState.FAILED, JOB.c.error_kind.not_in(sorted(BY_A_PERSON)))


class Preview(StorePart):
    """What a run would do. Read-only."""

    @reads
    async def compare(
        self,
        connection: AsyncConnection,
        batch_id: int,
        jobs: Sequence[PlannedJob],
        claims: Claims | None = None,
    ) -> list[RowChange]:
        """How loading would change each job, in order; by the same rules as `loading`.

        Without `claims`, `jobs` are a whole sheet. With them they are a part of it, and each part is compared
        twice if any row may adopt a job: once to see what all rows claim, then again with `all_seen` set.
        """
        if claims is None:
            claims = Claims()
            await compare(connection, batch_id, jobs, claims)
            claims.all_seen = True
        return await compare(connection, batch_id, jobs, claims)

    @reads
    async def to_send(self, connection: AsyncConnection, batch_id: int) -> Workload:
        """The workload of the queued jobs."""
        found = await connection.execute(
            select(JOB.c.model, func.count(), func.sum(JOB.c.pictures))
            .where(*to_send(batch_id))
            .group_by(JOB.c.model)
        )
        return _workload(found)

    @reads
    async def unagreed(self, connection: AsyncConnection, batch_id: int) -> Workload:
        """The workload of the queued jobs that nobody consented to pay for yet."""
        found = await connection.execute(
            select(JOB.c.model, func.count(), func.sum(JOB.c.pictures))
            .where(*to_send(batch_id), ~JOB.c.agreed)
            .group_by(JOB.c.model)
        )
        return _workload(found)

    @reads
    async def repeats(self, connection: AsyncConnection, batch_id: int) -> Workload:
        """The workload of the queued jobs that repeat another job of the sheet.

        The first job of each group is no repeat, unless one of the group was sent before. Failed and
        cancelled jobs do not count: they have no result to share.
        """
        is_queued = JOB.c.state == JobState.QUEUED
        queued = func.count().filter(is_queued)
        first = case((queued == func.count(), 1), else_=0)
        alike = (
            select(JOB.c.model, JOB.c.pictures, (queued - first).label("more"))
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
        found = await connection.execute(
            select(alike.c.model, func.sum(alike.c.more), func.sum(alike.c.more * alike.c.pictures))
            .where(alike.c.more > 0)
            .group_by(alike.c.model)
        )
        return _workload(found)

    @reads
    async def warnings(self, connection: AsyncConnection, batch_id: int, limit: int) -> Warned:
        """Warnings of queued jobs without consent: how many jobs have one, and the first `limit` of them."""
        about = [*to_send(batch_id), ~JOB.c.agreed, func.json_array_length(JOB.c.warnings) > 0]
        many = (await connection.execute(select(func.count()).where(*about))).scalar_one()
        if not many:
            return Warned(0, ())
        first = (
            select(JOB.c.row, JOB.c.key, JOB.c.warnings).where(*about).order_by(JOB.c.position).limit(limit)
        )
        found = await connection.execute(first)
        return Warned(int(many), tuple((row, key, text) for row, key, texts in found for text in texts[:1]))

    @reads
    async def throughput(self, connection: AsyncConnection, origin: str) -> float | None:
        """Jobs a minute in the last run at this API that ended enough jobs; None if there is none."""
        latest = (
            select(RUN.c.batch_id, RUN.c.started_at, RUN.c.ended_at)
            .join(BATCH, BATCH.c.id == RUN.c.batch_id)
            .where(RUN.c.ended_at.is_not(None), BATCH.c.origin == origin)
            .order_by(RUN.c.id.desc())
            .limit(_LOOKED_AT)
        )
        for batch_id, started_at, ended_at in (await connection.execute(latest)).all():
            ended = await _ended(connection, batch_id, started_at, ended_at)
            minutes = (ended_at - started_at).total_seconds() / 60
            if ended >= _ENOUGH and minutes > 0:
                return float(ended / minutes)
        return None

    @reads
    async def track_record(self, connection: AsyncConnection, batch_id: int, *, ended: int) -> TrackRecord:
        """What the guards have to know of earlier runs, with the last `ended` jobs that ended."""
        batch = select(BATCH.c.origin, BATCH.c.guards_since).where(BATCH.c.id == batch_id)
        origin, since = (await connection.execute(batch)).one()
        lately = max(filter(None, (since, self._now() - _LATELY)))
        found = await _last_ended(connection, batch_id, since, ended)
        accepted_at = await _accepted_at(connection, batch_id) if found and found[-1][1].at_submit else None
        return TrackRecord(
            total=await _total(connection, batch_id),
            ended=tuple(job for _, job in found),
            since_accepted=sum(accepted_at is None or at > accepted_at for at, _ in found),
            unanswered=await _unanswered(connection, batch_id, since),
            fruitless=await _fruitless(connection, batch_id, lately),
            proven=await _proven(connection, origin, lately),
        )


async def _ended(connection: AsyncConnection, batch_id: int, first: datetime, last: datetime) -> int:
    found = await connection.execute(
        select(func.count()).where(
            JOB.c.batch_id == batch_id, JOB.c.attempts > 0, JOB.c.finished_at.between(first, last)
        )
    )
    return int(found.scalar_one())


def _workload(found: Iterable[Any]) -> Workload:
    return Workload({str(model): Amount(int(jobs), int(images)) for model, jobs, images in found})


def _after(column: ColumnElement[Any], since: datetime | None) -> list[ColumnElement[bool]]:
    return [] if since is None else [column > since]


async def _total(connection: AsyncConnection, batch_id: int) -> int:
    found = await connection.execute(select(func.count()).where(JOB.c.batch_id == batch_id, JOB.c.current))
    return int(found.scalar_one())


async def _last_ended(
    connection: AsyncConnection, batch_id: int, since: datetime | None, many: int
) -> list[tuple[datetime, EndedJob]]:
    """The last jobs that ended and runs that were followed by another, oldest first, each with its time."""
    last = (
        select(JOB.c.id)
        .where(
            JOB.c.batch_id == batch_id,
            JOB.c.state.in_([JobState.FAILED, JobState.SUCCEEDED]),
            or_(JOB.c.state == JobState.SUCCEEDED, _OWN_FAILURE),
            _SENT,
            *_after(JOB.c.finished_at, since),
        )
        .order_by(JOB.c.finished_at.desc(), JOB.c.id.desc())
        .limit(many)
        .scalar_subquery()
    )
    found = await connection.execute(
        select(JOB.c.finished_at, JOB.c.id, JOB.c.error_kind, ATTEMPT.c.outcome)
        .outerjoin(ATTEMPT, NEWEST)
        .where(JOB.c.id.in_(last))
        .order_by(JOB.c.finished_at, JOB.c.id)
    )
    jobs = [(at, job_id, _ended_job(kind, outcome)) for at, job_id, kind, outcome in found]
    again = await connection.execute(
        select(ATTEMPT.c.ended_at, ATTEMPT.c.job_id, ATTEMPT.c.ended)
        .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
        .where(JOB.c.batch_id == batch_id, _SENT_AGAIN, *_after(ATTEMPT.c.ended_at, since))
        .order_by(ATTEMPT.c.ended_at.desc(), ATTEMPT.c.id.desc())
        .limit(many)
    )
    jobs += [(at, job_id, EndedJob(FailureKind(ended))) for at, job_id, ended in again]
    jobs.sort(key=lambda one: one[:2])
    return [(at, job) for at, _, job in jobs[max(0, len(jobs) - many) :]]


def _ended_job(kind: str | None, outcome: str | None) -> EndedJob:
    if kind is None:
        return EndedJob()
    refused = kind == FailureKind.REFUSED  # also a row that could not be sent at all: it has no submit
    moderated = kind == FailureKind.MODERATED and outcome == SubmitOutcome.REFUSED
    return EndedJob(FailureKind(kind), at_submit=refused or moderated)


async def _accepted_at(connection: AsyncConnection, batch_id: int) -> datetime | None:
    found = await connection.execute(
        select(func.max(ATTEMPT.c.answered_at))
        .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
        .where(JOB.c.batch_id == batch_id, ATTEMPT.c.outcome == SubmitOutcome.ACCEPTED)
    )
    value: datetime | None = found.scalar_one()
    return value


async def _unanswered(connection: AsyncConnection, batch_id: int, since: datetime | None) -> int:
    """A repeat that a setting allowed is no decision about what became of the submit before it."""
    undecided = or_(
        ATTEMPT.c.outcome == SubmitOutcome.UNCONFIRMED,
        and_(ATTEMPT.c.outcome == SubmitOutcome.RESUBMITTED, ATTEMPT.c.automatic),
    )
    found = await connection.execute(
        select(func.count())
        .select_from(ATTEMPT)
        .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
        .where(JOB.c.batch_id == batch_id, undecided, *_after(ATTEMPT.c.started_at, since))
    )
    return int(found.scalar_one())


async def _fruitless(connection: AsyncConnection, batch_id: int, since: datetime) -> dict[str, int]:
    found = await connection.execute(
        select(JOB.c.model, func.count())
        .where(
            JOB.c.batch_id == batch_id,
            JOB.c.state.in_([JobState.FAILED, JobState.UNCONFIRMED]),
            or_(
                and_(_OWN_FAILURE, JOB.c.finished_at > since),
                and_(JOB.c.state == JobState.UNCONFIRMED, JOB.c.submitted_at > since),
            ),
            _SENT,
            JOB.c.current,
        )
        .group_by(JOB.c.model)
    )
    again = await connection.execute(
        select(JOB.c.model, func.count())
        .select_from(ATTEMPT)
        .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
        .where(JOB.c.batch_id == batch_id, _SENT_AGAIN, ATTEMPT.c.ended_at > since, JOB.c.current)
        .group_by(JOB.c.model)
    )
    total: Counter[str] = Counter()
    for model, many in (*found, *again):
        total[str(model)] += int(many)
    return dict(total)


async def _proven(connection: AsyncConnection, origin: str, since: datetime) -> frozenset[str]:
    batches = select(BATCH.c.id).where(BATCH.c.origin == origin).scalar_subquery()
    found = await connection.execute(
        select(JOB.c.model)
        .distinct()
        .where(
            JOB.c.batch_id.in_(batches),
            JOB.c.state == JobState.SUCCEEDED,
            JOB.c.finished_at > since,
            _SENT,
        )
    )
    return frozenset(str(model) for (model,) in found)
