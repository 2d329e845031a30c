"""The runners of a server, as others see them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, extract, func, select, update
from sqlalchemy.sql.elements import ColumnElement

from jobs.runners import RunnerIdentity, RunnerView
from jobs.states import JobState
from jobs.store.part import StorePart, reads, writes
from jobs.store.rows import NEWEST, open_view, select_open
from jobs.store.runners.ownership import IS_LEFT, own_id
from jobs.store.schema import ATTEMPT, BATCH, JOB, RUNNER
from jobs.views import OpenJob

_SURELY_ENDED = ("ended", "gone")
"""Why a row is dead: its runner has let go of it itself, or its process was found gone on its own machine."""
_NOW = func.clock_timestamp()
_IN_HAND = (JobState.SUBMITTING, JobState.RUNNING, JobState.FETCHING)


class Members(StorePart):
    """The runners that work on a table of a server. Nothing of it is asked over a file."""

    @reads
    def living(self, connection: Connection, batch_id: int | None = None) -> list[RunnerView]:
        """Those that have not ended and that nobody took for dead, the oldest first; of a batch, if given."""
        which: list[ColumnElement[bool]] = [RUNNER.c.dead_at.is_(None)]
        if batch_id is not None:
            which.append(RUNNER.c.batch_id == batch_id)
        found = connection.execute(
            select(
                RUNNER,
                BATCH.c.name.label("batch"),
                _seconds(_NOW - RUNNER.c.beat_at).label("silent_seconds"),
                _seconds(_NOW - RUNNER.c.progress_at).label("idle_seconds"),
                _seconds(RUNNER.c.lease_until - _NOW).label("left_seconds"),
                *(_in_hand(state).label(state) for state in _IN_HAND),
            )
            .outerjoin(BATCH, BATCH.c.id == RUNNER.c.batch_id)
            .where(*which)
            .order_by(RUNNER.c.id)
        )
        return [_view(row) for row in found]

    @writes
    def open_jobs(self, connection: Connection, batch_id: int, state: JobState) -> list[OpenJob]:
        """This runner's jobs in `state` (running or fetching), oldest first. Those that nobody has in hand
        who lives become its own: to poll and to fetch them is free.

        Raises:
            LockLost: another runner has taken over. Nothing was changed.
        """
        self._database.check_alive(connection)
        of_batch = JOB.c.batch_id == batch_id, JOB.c.state == state
        me = own_id(connection)
        connection.execute(update(JOB).where(*of_batch, IS_LEFT).values(runner_id=me))
        found = connection.execute(select_open().where(*of_batch, JOB.c.runner_id == me).order_by(JOB.c.id))
        return [open_view(row) for row in found]

    @reads
    def wait_for_late(
        self, connection: Connection, job_ids: Sequence[int] | None, after_seconds: float
    ) -> dict[int, float]:
        """Of some jobs, or all unconfirmed ones, those whose newest submit may still arrive at the API.

        Each has the seconds left. Its runner was taken for dead, so recently that it may wake and send it.
        One that has surely ended, or lives, sends nothing of it any more.
        """
        dead_for = _seconds(_NOW - RUNNER.c.dead_at)
        asked = JOB.c.state == JobState.UNCONFIRMED if job_ids is None else JOB.c.id.in_(job_ids)
        found = connection.execute(
            select(JOB.c.id, dead_for)
            .join(ATTEMPT, NEWEST)
            .join(RUNNER, RUNNER.c.id == ATTEMPT.c.runner_id)
            .where(asked, RUNNER.c.why.not_in(_SURELY_ENDED), dead_for < after_seconds)
        )
        return {job_id: after_seconds - float(seconds) for job_id, seconds in found}

    @reads
    def is_at_work(self, connection: Connection) -> bool:
        """Whether a runner holds the lock, or may soon hold it again: its lease is not over."""
        from jobs.store.postgres.membership import is_at_work  # late: the driver is not everywhere

        return is_at_work(connection)

    @reads
    def is_alive(self, connection: Connection, runner_id: int) -> bool:
        """Whether nobody took a runner for dead."""
        alive = select(RUNNER.c.id).where(RUNNER.c.id == runner_id, RUNNER.c.dead_at.is_(None))
        return connection.execute(alive).first() is not None


def _seconds(span: ColumnElement[Any]) -> ColumnElement[Any]:
    return extract("epoch", span)


def _in_hand(state: JobState) -> Any:
    mine = select(func.count()).where(JOB.c.runner_id == RUNNER.c.id, JOB.c.state == state)
    return mine.correlate(RUNNER).scalar_subquery()


def _view(row: Any) -> RunnerView:
    return RunnerView(
        id=row.id,
        identity=RunnerIdentity(row.host, row.pid, row.machine, row.begun, row.version),
        note=row.note,
        batch=row.batch,
        since=row.since,
        silent_seconds=float(row.silent_seconds),
        idle_seconds=float(row.idle_seconds),
        left_seconds=float(row.left_seconds),
        submitting=row.submitting,
        running=row.running,
        fetching=row.fetching,
    )
