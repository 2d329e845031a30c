"""How earlier runs went: what guards and polls have to know, at one look at each job of the batch."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, literal_column, or_, select

from jobs.attempts import SubmitOutcome
from jobs.failures import BY_A_PERSON, FailureKind
from jobs.states import JobState
from jobs.store.bulk import counts
from jobs.store.part import StorePart, reads
from jobs.store.rows import NEWEST
from jobs.store.schema import ATTEMPT, BATCH, JOB, of_batch
from jobs.track_record import EndedJob, TrackRecord

_LATELY = timedelta(days=7)
"""How long a success speaks for its model, and a failure against it."""
_LAST_ATTEMPTS = 2000
"""So many tell how long the models take, whatever the table's size."""
_SENT = JOB.c.same_as.is_(None)
_SENT_AGAIN = and_(
    ATTEMPT.c.automatic, ATTEMPT.c.outcome == SubmitOutcome.ACCEPTED, ATTEMPT.c.ended_at.is_not(None)
)
"""Of attempts: its run failed, and a setting queued its job again. The job itself tells no more of it."""
_IS_UNCONFIRMED = ATTEMPT.c.outcome == literal_column(f"'{SubmitOutcome.UNCONFIRMED.value}'")
"""In the very words of its index: SQLite does not take it for a parameter."""
_SENT_AGAIN_UNASKED = and_(ATTEMPT.c.outcome == SubmitOutcome.RESUBMITTED, ATTEMPT.c.automatic)
_OWN_FAILURE = and_(JOB.c.state == JobState.FAILED, JOB.c.error_kind.not_in(sorted(BY_A_PERSON)))


class TrackRecords(StorePart):
    """The record of each batch. Read-only."""

    @reads
    def of(self, connection: Connection, batch_id: int, *, ended: int) -> TrackRecord:
        """The record of a batch, with the last `ended` jobs that ended."""
        batch = select(BATCH.c.origin, BATCH.c.guards_since).where(BATCH.c.id == batch_id)
        origin, since = (connection.execute(batch)).one()
        lately = max(filter(None, (since, self._now() - _LATELY)))
        found = _last_ended(connection, batch_id, since, ended)
        accepted_at = _accepted_at(connection, batch_id) if found and found[-1][1].at_submit else None
        return TrackRecord(
            total=_total(connection, batch_id),
            ended=tuple(job for _, job in found),
            since_accepted=sum(accepted_at is None or at > accepted_at for at, _ in found),
            unanswered=_unanswered(connection, batch_id, since),
            fruitless=_fruitless(connection, batch_id, lately),
            proven=_proven(connection, origin, lately),
            service_seconds=_service_seconds(connection, origin),
        )


def _after(column: ColumnElement[Any], since: datetime | None) -> list[ColumnElement[bool]]:
    return [] if since is None else [column > since]


def _total(connection: Connection, batch_id: int) -> int:
    return sum(counts.states(connection, batch_id).values())


def _last_ended(
    connection: Connection, batch_id: int, since: datetime | None, many: int
) -> list[tuple[datetime, EndedJob]]:
    """The last jobs that ended and runs that were followed by another, oldest first, each with its time."""
    last = (
        select(JOB.c.id)
        .where(
            JOB.c.batch_id == batch_id,
            JOB.c.state.in_([JobState.FAILED, JobState.SUCCEEDED]),
            or_(JOB.c.state == JobState.SUCCEEDED, _OWN_FAILURE),
            _SENT,
            JOB.c.finished_at.is_not(None),  # the index's own condition
            *_after(JOB.c.finished_at, since),
        )
        .order_by(JOB.c.finished_at.desc(), JOB.c.id.desc())
        .limit(many)
        .scalar_subquery()
    )
    found = connection.execute(
        select(JOB.c.finished_at, JOB.c.id, JOB.c.error_kind, ATTEMPT.c.outcome)
        .outerjoin(ATTEMPT, NEWEST)
        .where(JOB.c.id.in_(last))
        .order_by(JOB.c.finished_at, JOB.c.id)
    )
    jobs = [(at, job_id, _ended_job(kind, outcome)) for at, job_id, kind, outcome in found]
    again = connection.execute(
        select(ATTEMPT.c.ended_at, ATTEMPT.c.job_id, ATTEMPT.c.ended)
        .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
        .where(of_batch(batch_id), _SENT_AGAIN, *_after(ATTEMPT.c.ended_at, since))
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


def _accepted_at(connection: Connection, batch_id: int) -> datetime | None:
    found = connection.execute(
        select(func.max(ATTEMPT.c.answered_at))
        .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
        .where(JOB.c.batch_id == batch_id, ATTEMPT.c.outcome == SubmitOutcome.ACCEPTED)
    )
    value: datetime | None = found.scalar_one()
    return value


def _unanswered(connection: Connection, batch_id: int, since: datetime | None) -> int:
    """A repeat that a setting allowed is no decision about what became of the submit before it."""
    return sum(
        connection.execute(
            select(func.count())
            .select_from(ATTEMPT)
            .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
            .where(of_batch(batch_id), undecided, *_after(ATTEMPT.c.started_at, since))
        ).scalar_one()
        for undecided in (_IS_UNCONFIRMED, _SENT_AGAIN_UNASKED)
    )


def _fruitless(connection: Connection, batch_id: int, since: datetime) -> dict[str, int]:
    found = connection.execute(
        select(JOB.c.model, func.count().filter(JOB.c.current))  # a condition would be looked up first
        .where(
            JOB.c.batch_id == batch_id,
            JOB.c.state.in_([JobState.FAILED, JobState.UNCONFIRMED]),
            or_(
                and_(_OWN_FAILURE, JOB.c.finished_at > since),
                and_(JOB.c.state == JobState.UNCONFIRMED, JOB.c.submitted_at > since),
            ),
            _SENT,
        )
        .group_by(JOB.c.model)
    )
    again = connection.execute(
        select(JOB.c.model, func.count())
        .select_from(ATTEMPT)
        .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
        .where(of_batch(batch_id), _SENT_AGAIN, ATTEMPT.c.ended_at > since, JOB.c.current)
        .group_by(JOB.c.model)
    )
    total: Counter[str] = Counter()
    for model, many in (*found, *again):
        total[str(model)] += int(many)
    return dict(total)


def _proven(connection: Connection, origin: str, since: datetime) -> frozenset[str]:
    batches = select(BATCH.c.id).where(BATCH.c.origin == origin).scalar_subquery()
    found = connection.execute(
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


def _service_seconds(connection: Connection, origin: str) -> dict[str, tuple[float, ...]]:
    last = select(ATTEMPT.c.id).order_by(ATTEMPT.c.id.desc()).limit(_LAST_ATTEMPTS).scalar_subquery()
    found = connection.execute(
        select(JOB.c.model, ATTEMPT.c.started_at, ATTEMPT.c.ended_at)
        .join(JOB, JOB.c.id == ATTEMPT.c.job_id)
        .join(BATCH, BATCH.c.id == JOB.c.batch_id)
        .where(
            ATTEMPT.c.id.in_(last),
            BATCH.c.origin == origin,
            ATTEMPT.c.ended == "done",
            ATTEMPT.c.ended_at > ATTEMPT.c.started_at,
        )
        .order_by(ATTEMPT.c.ended_at)
    )
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for model, started_at, ended_at in found:
        seconds[str(model)].append((ended_at - started_at).total_seconds())
    return {model: tuple(times) for model, times in seconds.items()}
