"""Held jobs: what they say was paid for under another batch or in another database.

A held job is never agreed to, which a CHECK in the table enforces, so it cannot be claimed. A person, or
`--again`, releases it; `--dedupe` gives it the earlier result. Jobs that somebody agreed to are not held.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, exists, func, select, update

from jobs.attempts import PAID_OR_MAYBE
from jobs.outcomes import Accepted, Claimed
from jobs.paid import PaidBefore, PaidElsewhere, PaidSubmit, telling
from jobs.states import JobState
from jobs.store.bulk import counts
from jobs.store.moves import apply as moves
from jobs.store.moves import intents
from jobs.store.moves.attach import holder_of
from jobs.store.part import StorePart, reads, writes
from jobs.store.schema import ATTEMPT, BATCH, JOB, TWIN, WAS_SENT, of_batch
from jobs.store.sql.expressions import json_member
from jobs.workload import Workload

_AT_ONCE = 500
_FIELDS = ("batch", "database", "at")
"""What `held` says of a submit."""
_IS_HELD = JOB.c.held.is_not(None)
"""The index's own condition, given wherever it holds: few of a million jobs are held."""


class HeldJobs(StorePart):
    """Jobs that wait for a person, because what they say was paid for before."""

    @writes
    def hold(
        self, connection: Connection, batch_id: int, elsewhere: PaidElsewhere, looked_at: datetime
    ) -> int:
        """Hold the batch's unsent jobs that were paid for elsewhere, and release those that were not.

        Consent does not outlast a payment elsewhere: a job that was agreed to is held too, if what it says
        was paid for since the last look. `looked_at` is the time of this one. Returns how many more have
        failed at the API elsewhere: these are told, and not held.
        """
        connection.execute(update(JOB).where(JOB.c.batch_id == batch_id, _IS_HELD).values(held=None))
        this_batch = BATCH.c.id == batch_id
        since = (connection.execute(select(BATCH.c.looked_at).where(this_batch))).scalar_one()
        connection.execute(update(BATCH).where(this_batch).values(looked_at=looked_at))
        origin = _origin(connection, batch_id)
        if not elsewhere and not _has_others(connection, batch_id, origin):
            return 0
        others = _paid_in_others(batch_id, origin)
        if not elsewhere and (connection.execute(others.limit(1))).first() is None:
            return 0
        failed, last = 0, 0
        while page := (connection.execute(_unsent(batch_id, last, None if elsewhere else others))).all():
            last = page[-1].id
            said = [row.fingerprint for row in page]
            paid = _paid_before(connection, batch_id, origin, said, elsewhere)
            held = []
            for job_id, fingerprint, agreed in page:
                before = paid.get(fingerprint)
                if before is None or (agreed and (since is None or before.at < since)):
                    continue
                if before.gave_nothing:
                    failed += not agreed
                else:
                    held.append({"job_id": job_id, "where_and_when": _as_json(before)})
            if held:
                connection.execute(_HOLD, held)
        return failed

    @writes
    def release(self, connection: Connection, batch_id: int) -> None:
        """Release all held jobs: they still need consent."""
        connection.execute(update(JOB).where(JOB.c.batch_id == batch_id, _IS_HELD).values(held=None))

    @reads
    def paid_before(
        self,
        connection: Connection,
        batch_id: int | None,
        origin: str,
        fingerprints: Sequence[str],
        elsewhere: PaidElsewhere,
    ) -> dict[str, PaidSubmit]:
        """Of each fingerprint that was paid for outside of a batch, the submit to tell of.

        Without `batch_id`, under any batch of this origin: the one it is for is not loaded yet.
        """
        return _paid_before(connection, batch_id, origin, fingerprints, elsewhere)

    @reads
    def count(self, connection: Connection, batch_id: int) -> int:
        """How many jobs are held."""
        return counts.held(connection, batch_id).jobs

    @reads
    def work(self, connection: Connection, batch_id: int) -> Workload:
        """The workload of the held jobs."""
        return counts.held(connection, batch_id)

    @reads
    def places(self, connection: Connection, batch_id: int) -> list[PaidBefore]:
        """Where and when what the held jobs say was paid for, the most rows first."""
        batch, database, at = (json_member(JOB.c.held, name) for name in _FIELDS)
        found = connection.execute(
            select(batch, database, func.min(at), func.max(at), func.count())
            .where(*_held(batch_id))
            .group_by(batch, database)
            .order_by(func.count().desc(), func.max(at).desc())
        )
        return [
            PaidBefore(name, path, datetime.fromisoformat(first), datetime.fromisoformat(last), int(rows))
            for name, path, first, last, rows in found
        ]

    @writes
    def take_earlier(
        self, connection: Connection, batch_id: int, elsewhere: PaidElsewhere
    ) -> tuple[int, int]:
        """Give held jobs the earlier results, free: (how many share one, how many are fetched by their id).

        A job of the table that succeeded is shared with one row of this batch. A request_id that no attempt
        has is taken up, and polled and fetched. What has neither stays held.
        """
        shared = fetched = 0
        last = -1
        while page := (connection.execute(_by_position(batch_id, last))).all():
            last = page[-1].position
            rest = {row.id: row.fingerprint for row in page}
            done = _succeeded_elsewhere(connection, batch_id, list(rest.values()))
            for job_id, said in list(rest.items()):
                if done.get(said):
                    _share(connection, job_id, done[said].pop(0))
                    shared += 1
                    del rest[job_id]
            for job_id, said in rest.items():
                request_id = _free_id(connection, elsewhere.get(said, ()))
                if request_id is not None:
                    _take_up(connection, job_id, request_id, self._now())
                    fetched += 1
        return shared, fetched


def _origin(connection: Connection, batch_id: int) -> str:
    found = connection.execute(select(BATCH.c.origin).where(BATCH.c.id == batch_id))
    return str(found.scalar_one())


def _held(batch_id: int) -> list[ColumnElement[Any]]:
    return [JOB.c.batch_id == batch_id, _IS_HELD, JOB.c.state == JobState.QUEUED, JOB.c.current]


def _outside(batch_id: int | None, origin: str) -> list[ColumnElement[Any]]:
    """The conditions for a job of another batch of the origin, joined with its batch, that was ever sent."""
    outside = [WAS_SENT, BATCH.c.origin == origin]
    return outside if batch_id is None else [*outside, JOB.c.batch_id != batch_id]


def _has_others(connection: Connection, batch_id: int, origin: str) -> bool:
    """Whether the table has another batch of the origin: most have none, and nothing is looked through."""
    other = exists().where(BATCH.c.origin == origin, BATCH.c.id != batch_id)
    return bool(connection.execute(select(other)).scalar_one())


def _paid_in_others(batch_id: int, origin: str) -> Select[Any]:
    return (
        select(JOB.c.id)
        .select_from(JOB.join(BATCH, of_batch(BATCH.c.id)))
        .where(
            *_outside(batch_id, origin),
            exists().where(ATTEMPT.c.job_id == JOB.c.id, ATTEMPT.c.outcome.in_(sorted(PAID_OR_MAYBE))),
        )
    )


def _unsent(batch_id: int, after: int, others: Select[Any] | None) -> Select[Any]:
    """The next unsent jobs of the batch, agreed to or not; only those that others have paid, if given."""
    row = JOB.alias("row")
    unsent = select(row.c.id, row.c.fingerprint, row.c.agreed).where(
        row.c.batch_id == batch_id,
        row.c.state == JobState.QUEUED,
        row.c.current,
        row.c.attempts == 0,
        row.c.same_as.is_(None),
        row.c.id > after,
    )
    if others is not None:
        unsent = unsent.where(others.where(JOB.c.fingerprint == row.c.fingerprint).exists())
    return unsent.order_by(row.c.id).limit(_AT_ONCE)


def _paid_before(
    connection: Connection,
    batch_id: int | None,
    origin: str,
    fingerprints: Sequence[str],
    elsewhere: PaidElsewhere,
) -> dict[str, PaidSubmit]:
    """The newest submit of each fingerprint that counts; where none does, the newest that gave nothing."""
    found = connection.execute(
        select(
            JOB.c.fingerprint,
            BATCH.c.name,
            ATTEMPT.c.started_at,
            ATTEMPT.c.request_id,
            ATTEMPT.c.ended,
        )
        .select_from(JOB.join(BATCH, of_batch(BATCH.c.id)))
        .join(ATTEMPT, ATTEMPT.c.job_id == JOB.c.id)
        .where(
            JOB.c.fingerprint.in_(fingerprints),
            *_outside(batch_id, origin),
            ATTEMPT.c.outcome.in_(sorted(PAID_OR_MAYBE)),
        )
    )
    submits = [
        PaidSubmit(fingerprint, batch, None, at, request_id, ended)
        for fingerprint, batch, at, request_id, ended in found
    ]
    known = defaultdict(list, {said: list(elsewhere.get(said, ())) for said in fingerprints})
    for submit in submits:
        known[submit.fingerprint].append(submit)
    return {said: told for said, some in known.items() if (told := telling(some)) is not None}


def _as_json(submit: PaidSubmit) -> dict[str, Any]:
    at = submit.at.astimezone(UTC).isoformat(timespec="microseconds")
    return dict(zip(_FIELDS, (submit.batch, submit.database, at), strict=True))


_HOLD = (
    update(JOB)
    .where(JOB.c.id == bindparam("job_id"), JOB.c.state == JobState.QUEUED)
    .values(agreed=False, held=bindparam("where_and_when"))
)


def _by_position(batch_id: int, after: int) -> Select[Any]:
    return (
        select(JOB.c.id, JOB.c.fingerprint, JOB.c.position)
        .where(*_held(batch_id), JOB.c.position > after)
        .order_by(JOB.c.position)
        .limit(_AT_ONCE)
    )


def _succeeded_elsewhere(
    connection: Connection, batch_id: int, fingerprints: Sequence[str]
) -> dict[str, list[int]]:
    """Jobs of other batches of the origin that have their images, and that no row of this one shares."""
    shares = TWIN.alias("shares")
    found = connection.execute(
        select(JOB.c.fingerprint, JOB.c.id)
        .select_from(JOB.join(BATCH, of_batch(BATCH.c.id)))
        .where(
            JOB.c.fingerprint.in_(fingerprints),
            *_outside(batch_id, _origin(connection, batch_id)),
            JOB.c.state == JobState.SUCCEEDED,
            ~exists().where(shares.c.batch_id == batch_id, shares.c.same_as == JOB.c.id, shares.c.current),
        )
        .order_by(JOB.c.id)
    )
    done: dict[str, list[int]] = {}
    for fingerprint, job_id in found:
        done.setdefault(fingerprint, []).append(job_id)
    return done


def _share(connection: Connection, job_id: int, twin_id: int) -> None:
    """Link a job to one that has succeeded, and say what that one sent: a seed may have been drawn."""
    sent = select(TWIN.c.inputs).where(TWIN.c.id == twin_id).scalar_subquery()
    connection.execute(update(JOB).where(JOB.c.id == job_id).values(same_as=twin_id, held=None, inputs=sent))


def _free_id(connection: Connection, submits: Sequence[PaidSubmit]) -> str | None:
    """The first request_id that no attempt of this table has."""
    for submit in submits:
        request_id = None if submit.gave_nothing else submit.request_id
        if request_id is not None and holder_of(connection, request_id) is None:
            return request_id
    return None


def _take_up(connection: Connection, job_id: int, request_id: str, now: datetime) -> None:
    """Make the job `running` under a request that another database paid for."""
    agreed = update(JOB).where(JOB.c.id == job_id).values(held=None, agreed=True)
    connection.execute(agreed)
    uid = f"elsewhere {request_id}"
    claimed = intents.claim(connection, Claimed(job_id, uid, "", now, Decimal(0)))
    taken = moves.apply(connection, Accepted(job_id, request_id, now, uid))
    assert claimed is not None
    assert taken
