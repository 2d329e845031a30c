"""Counts that are kept: how many jobs are alike, what there is to send, what it has cost.

They are read from a few rows, whatever the batch has. `wrong` and `recount` hold them against the jobs.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, case, delete, func, insert, select, text, update

from jobs.attempts import IN_DOUBT, PAID_OR_MAYBE, SubmitOutcome
from jobs.failures import FailureKind
from jobs.states import JobState
from jobs.store.part import StorePart, reads, writes
from jobs.store.rows import NEWEST
from jobs.store.schema import ARTIFACT, ATTEMPT, ATTEMPT_TALLY, JOB, JOB_TALLY, KEPT_MANIFEST
from jobs.store.sql.tallies import ATTEMPTS, JOBS, KeptTally, counted
from jobs.store.sqlite.prepared import Prepared, given
from jobs.views import Account
from jobs.workload import Amount, Workload

_OF_BATCH = JOB_TALLY.c.batch_id == given("batch_id")
_MANY = func.sum(JOB_TALLY.c.jobs).label("jobs")
_QUEUED = (_OF_BATCH, JOB_TALLY.c.state == JobState.QUEUED)
_SENDABLE = (*_QUEUED, ~JOB_TALLY.c.linked, ~JOB_TALLY.c.held)
_WORK = (
    select(JOB_TALLY.c.model, _MANY, func.sum(JOB_TALLY.c.pictures).label("pictures"))
    .group_by(JOB_TALLY.c.model)
    .having(func.sum(JOB_TALLY.c.jobs) > 0)
)

_STATES = Prepared(select(JOB_TALLY.c.state, _MANY).where(_OF_BATCH).group_by(JOB_TALLY.c.state))
_TO_SEND = Prepared(_WORK.where(*_SENDABLE))
_UNAGREED = Prepared(_WORK.where(*_SENDABLE, ~JOB_TALLY.c.agreed))
_HELD = Prepared(_WORK.where(*_QUEUED, JOB_TALLY.c.held))
_SUCCEEDED = Prepared(
    select(
        func.sum(case((JOB_TALLY.c.warned, JOB_TALLY.c.jobs), else_=0)).label("warned"),
        func.sum(JOB_TALLY.c.images).label("images"),
    ).where(_OF_BATCH, JOB_TALLY.c.state == JobState.SUCCEEDED)
)
_FAILURES = Prepared(
    select(
        JOB_TALLY.c.error_kind,
        _MANY,
        func.sum(case((JOB_TALLY.c.linked, JOB_TALLY.c.jobs), else_=0)).label("linked"),
    )
    .where(_OF_BATCH, JOB_TALLY.c.state == JobState.FAILED)
    .group_by(JOB_TALLY.c.error_kind)
    .having(func.sum(JOB_TALLY.c.jobs) > 0)
    .order_by(_MANY.desc(), JOB_TALLY.c.error_kind)
)
_ATTEMPTS = Prepared(
    select(
        *(ATTEMPT_TALLY.c.outcome, ATTEMPT_TALLY.c.priced),
        *(func.sum(ATTEMPT_TALLY.c[name]).label(name) for name in ATTEMPTS.sums),
    )
    .where(ATTEMPT_TALLY.c.batch_id == given("batch_id"))
    .group_by(ATTEMPT_TALLY.c.outcome, ATTEMPT_TALLY.c.priced)
)
_ROW = JOB.alias("row")
_SHARED = (
    select(_ROW.c.same_as.label("id"))
    .distinct()
    .where(_ROW.c.batch_id == given("batch_id"), _ROW.c.same_as.is_not(None), _ROW.c.current)
    .subquery()
)
_IMAGES_OF_OTHERS = Prepared(
    select(func.count().label("many"))
    .select_from(_SHARED)
    .join(JOB, JOB.c.id == _SHARED.c.id)
    .join(ATTEMPT, NEWEST)
    .join(ARTIFACT, ARTIFACT.c.attempt_id == ATTEMPT.c.id)
    .where(JOB.c.batch_id == given("batch_id"), JOB.c.state == JobState.SUCCEEDED, ~JOB.c.current)
)


class Counts(StorePart):
    """The counts that are kept, held against the rows that they count."""

    @reads
    def wrong(self, connection: Connection, batch_id: int) -> int:
        """How many of the batch's counts are not those of its rows: none, unless another program wrote."""
        return sum(
            len(_kept(connection, table, tally, batch_id) ^ now)
            for table, tally, now in _counted_now(connection, batch_id)
        )

    @writes
    def recount(self, connection: Connection, batch_id: int) -> None:
        """Count the batch's rows again. Whoever wrote past the counts marked no change for the manifests
        either, so the next run writes every record."""
        count_again(connection, batch_id)
        of_batch = update(KEPT_MANIFEST).where(KEPT_MANIFEST.c.batch_id == batch_id)
        connection.execute(of_batch.values(written=None))


def count_again(connection: Connection, batch_id: int) -> None:
    """Make the batch's counts those of its rows."""
    for table, _tally, now in _counted_now(connection, batch_id):
        connection.execute(delete(table).where(table.c.batch_id == batch_id))
        names = table.c.keys()
        rows = [dict(zip(names, row, strict=True)) for row in now]
        if rows:
            connection.execute(insert(table), rows)


def states(connection: Connection, batch_id: int) -> dict[JobState, int]:
    """The number of the sheet's jobs in each of the eight states."""
    found = {state: int(many) for state, many in _STATES.rows(connection, batch_id=batch_id)}
    return {state: found.get(state, 0) for state in JobState}


def to_send(connection: Connection, batch_id: int) -> Workload:
    """What is queued, and neither linked nor held."""
    return _workload(_TO_SEND.rows(connection, batch_id=batch_id))


def unagreed(connection: Connection, batch_id: int) -> Workload:
    """Of this, what nobody consented to pay for yet."""
    return _workload(_UNAGREED.rows(connection, batch_id=batch_id))


def held(connection: Connection, batch_id: int) -> Workload:
    """What is held."""
    return _workload(_HELD.rows(connection, batch_id=batch_id))


def warned(connection: Connection, batch_id: int) -> int:
    """How many of the sheet's jobs succeeded with a warning."""
    (found,) = _SUCCEEDED.rows(connection, batch_id=batch_id)
    return int(found.warned or 0)


def image_count(connection: Connection, batch_id: int) -> int:
    """How many images rows of the sheet have, also from a job that is no longer in it."""
    (own,) = _SUCCEEDED.rows(connection, batch_id=batch_id)
    (others,) = _IMAGES_OF_OTHERS.rows(connection, batch_id=batch_id)
    return int(own.images or 0) + int(others.many)


def failures(connection: Connection, batch_id: int) -> dict[FailureKind, tuple[int, int]]:
    """By kind, how many jobs of the sheet failed, and how many of them share the failure of another."""
    found = _FAILURES.rows(connection, batch_id=batch_id)
    return {FailureKind(kind): (int(many), int(linked)) for kind, many, linked in found}


def account(connection: Connection, batch_id: int) -> Account:
    """The cost of the batch so far, including jobs that are removed from the sheet."""
    rows = list(_ATTEMPTS.rows(connection, batch_id=batch_id))
    without_cost = [row for row in rows if row.outcome == SubmitOutcome.ACCEPTED and not row.priced]
    return Account(
        _usd(row.cost_usd for row in rows),
        _usd(row.estimate_usd for row in without_cost),
        int(sum(row.attempts for row in rows if row.outcome in PAID_OR_MAYBE)),
        int(sum(row.attempts for row in rows if row.outcome == SubmitOutcome.TURNED_AWAY)),
        int(sum(row.unpriced for row in without_cost)),
    )


def unpriced(connection: Connection, batch_id: int) -> int:
    """How many submits that were or may have been accepted have neither a cost nor an estimate."""
    rows = _ATTEMPTS.rows(connection, batch_id=batch_id)
    return sum(row.unpriced for row in rows if row.outcome in PAID_OR_MAYBE)


def in_doubt_usd(connection: Connection, batch_id: int) -> Decimal:
    """The most that unconfirmed submits may have cost, in USD, even if a person decided about them."""
    rows = _ATTEMPTS.rows(connection, batch_id=batch_id)
    return _usd(row.estimate_usd for row in rows if row.outcome in IN_DOUBT)


def _usd(millionths: Iterable[int]) -> Decimal:
    return Decimal(sum(millionths)) / 1_000_000


def _workload(found: Iterable[Any]) -> Workload:
    return Workload({str(model): Amount(int(jobs), int(images)) for model, jobs, images in found})


def _counted_now(
    connection: Connection, batch_id: int
) -> Sequence[tuple[Table, KeptTally, set[tuple[Any, ...]]]]:
    """Each table of counts, with the rows that it should have of the batch."""
    return [
        (
            table,
            tally,
            {tuple(row) for row in connection.execute(text(counted(tally)), {"batch_id": batch_id})},
        )
        for table, tally in ((JOB_TALLY, JOBS), (ATTEMPT_TALLY, ATTEMPTS))
    ]


def _kept(connection: Connection, table: Table, tally: KeptTally, batch_id: int) -> set[tuple[Any, ...]]:
    """The rows that it has, without groups that nothing is left of."""
    alike = [table.c[name] for name in tally.alike]
    sums = [func.sum(table.c[name]) for name in tally.sums]
    found = connection.execute(
        select(*alike, *sums).where(table.c.batch_id == batch_id).group_by(*alike).having(sums[0] != 0)
    )
    return {tuple(row) for row in found}
