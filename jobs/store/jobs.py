"""Jobs: moves between their states, the jobs that a worker takes next, lists and counts."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import fields
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, literal, select, true, tuple_, update

from jobs.admission import NotAdmitted, SubmitTerms
from jobs.attempts import Intent
from jobs.outcomes import Accepted, Claimed, Fetched, LinksExpired, Outcome, RemoteDone
from jobs.states import MOVES, JobState, Move
from jobs.store.accounts.admission import admit
from jobs.store.bulk import counts
from jobs.store.moves import apply as moves
from jobs.store.moves import intents, telling
from jobs.store.moves.values import NEVER_SENT
from jobs.store.part import StorePart, reads, writes
from jobs.store.rows import (
    FIRST_IN_ITS_ROW,
    job_views,
    open_job,
    open_view,
    own_names,
    select_jobs,
    select_open,
    with_images,
)
from jobs.store.schema import JOB, REFERENCE
from jobs.store.sql.expressions import json_entries
from jobs.store.sqlite.prepared import Prepared, given
from jobs.views import (
    FRONT,
    Account,
    ArtifactView,
    CancelCounts,
    JobColumns,
    JobView,
    OpenJob,
    Place,
    QueuedJob,
    ReferenceView,
)

_PAGE = 500
_NEXT_QUEUED = Prepared(
    select(*(JOB.c[field.name] for field in fields(QueuedJob)))
    .where(
        JOB.c.batch_id == given("batch_id"),
        JOB.c.state == JobState.QUEUED,
        JOB.c.agreed.is_(True),  # the form that uses the index
        tuple_(JOB.c.turn, JOB.c.id) > tuple_(given("turn"), given("job_id")),
        JOB.c.current,
        JOB.c.available_at <= given("now"),
    )
    .order_by(JOB.c.turn, JOB.c.id)
    .limit(given("limit"))
)


class Jobs(StorePart):
    """The jobs of a batch. Every change of a state is a move of `jobs.states`, by compare-and-set."""

    # -- moves --

    @writes
    def claim(
        self, connection: Connection, claimed: Claimed, terms: SubmitTerms | None = None
    ) -> Intent | NotAdmitted | None:
        """Commit the intent to submit, if the account's limits let it; None if it must not be sent any more.

        Raises:
            LockLost: another runner has taken over. Nothing was committed.
        """
        self._database.check_alive(connection)
        if terms is None:
            return intents.claim(connection, claimed)
        return admit(connection, claimed, terms, partial(self._database.clock, connection, self._now))

    @writes
    def apply(self, connection: Connection, *outcomes: Outcome) -> bool:
        """Apply all outcomes or none; False if a job is in no source state of its move."""
        return moves.apply_all(connection, outcomes)

    @writes
    def advance(
        self, connection: Connection, outcome: Accepted | RemoteDone | LinksExpired
    ) -> OpenJob | None:
        """Apply an outcome that leaves the job at the API; the job as it then is, None if not applied."""
        return telling.advance(connection, outcome)

    @writes
    def succeed(
        self, connection: Connection, outcome: Fetched, attempt_id: int, last: ArtifactView | None
    ) -> bool:
        """Apply the end of a job, and record the image that came last; False if it was not applied."""
        if last is None:
            return moves.apply_all(connection, [outcome])
        return telling.succeed(connection, outcome, attempt_id, last)

    @writes
    def cancel(
        self, connection: Connection, batch_id: int, keys: Sequence[str] | None = None
    ) -> CancelCounts:
        """Cancel queued jobs, and request a cancel of jobs in flight. Only those of `keys`, if given.

        A job whose submit turns out as not accepted is then cancelled by that move.
        """
        queued = connection.execute(
            update(JOB)
            .where(*_matching(batch_id, [JobState.QUEUED], keys))
            .values(state=MOVES[Move.CANCEL][1], finished_at=self._now(), **NEVER_SENT)
        )
        asked = connection.execute(
            update(JOB)
            .where(*_matching(batch_id, [JobState.SUBMITTING, JobState.RUNNING], keys))
            .values(cancel_requested=True)
        )
        return CancelCounts(queued=int(queued.rowcount), asked=int(asked.rowcount))

    @writes
    def prune(self, connection: Connection, batch_id: int) -> int:
        """Request a cancel of jobs at the API that are removed from the sheet; return how many these are.

        A job that an identical row of the sheet waits for is kept.
        """
        row = JOB.alias("row")
        wanted = exists().where(row.c.same_as == JOB.c.id, row.c.current, row.c.state == JobState.QUEUED)
        asked = connection.execute(
            update(JOB)
            .where(JOB.c.batch_id == batch_id, JOB.c.state == JobState.RUNNING, ~JOB.c.current, ~wanted)
            .values(cancel_requested=True)
        )
        return int(asked.rowcount)

    @writes
    def drop_cancel_request(self, connection: Connection, job_id: int) -> None:
        """Clear a job's cancel request."""
        connection.execute(update(JOB).where(JOB.c.id == job_id).values(cancel_requested=False))

    # -- the next job for a worker --

    @reads
    def queued(
        self,
        connection: Connection,
        batch_id: int,
        *,
        after: Place = FRONT,
        limit: int,
        now: datetime | None = None,
    ) -> list[QueuedJob]:
        """Jobs that may be claimed now, or at the time `now`, in their turn, beyond the place `after`."""
        turn, job_id = after
        place = {"turn": turn, "job_id": job_id, "now": now or self._now()}
        found = _NEXT_QUEUED.rows(connection, batch_id=batch_id, limit=limit, **place)
        return [QueuedJob(*row) for row in found]

    @reads
    def next_available(self, connection: Connection, batch_id: int) -> datetime | None:
        """The time from which a queued job may be claimed; None if none is queued."""
        found = connection.execute(
            select(func.min(JOB.c.available_at)).where(
                JOB.c.batch_id == batch_id, JOB.c.state == JobState.QUEUED, JOB.c.current, JOB.c.agreed
            )
        )
        value: datetime | None = found.scalar_one()
        return value

    @reads
    def open_jobs(self, connection: Connection, batch_id: int, state: JobState) -> list[OpenJob]:
        """Jobs in `state` (running or fetching), oldest first, including those removed from the sheet."""
        found = connection.execute(
            select_open().where(JOB.c.batch_id == batch_id, JOB.c.state == state).order_by(JOB.c.id)
        )
        return [open_view(row) for row in found]

    @reads
    def open_job(self, connection: Connection, job_id: int) -> OpenJob | None:
        """The job, if the API has it."""
        return open_job(connection, job_id)

    @reads
    def cancel_wanted(self, connection: Connection, batch_id: int) -> list[int]:
        """The ids of running jobs with a cancel request."""
        found = connection.execute(
            select(JOB.c.id).where(
                JOB.c.batch_id == batch_id, JOB.c.state == JobState.RUNNING, JOB.c.cancel_requested
            )
        )
        return [job_id for (job_id,) in found]

    @reads
    def ids_in_state(self, connection: Connection, state: JobState, job_ids: Sequence[int]) -> list[int]:
        """Which of these jobs are in `state`. Made for the some hundred jobs that a run holds."""
        found = connection.execute(select(JOB.c.id).where(JOB.c.id.in_(job_ids), JOB.c.state == state))
        return [job_id for (job_id,) in found]

    @reads
    def places_of(self, connection: Connection, sha256s: Sequence[str]) -> list[ReferenceView]:
        """The places of images with these SHA-256 hashes, the newest first."""
        found = connection.execute(
            select(REFERENCE.c.sha256, REFERENCE.c.path, REFERENCE.c.bytes, REFERENCE.c.media_type)
            .where(REFERENCE.c.sha256.in_(sha256s))
            .order_by(REFERENCE.c.id.desc())
        )
        return [ReferenceView(*row) for row in found]

    # -- lists --

    @reads
    def in_state(
        self,
        connection: Connection,
        batch_id: int,
        states: Sequence[JobState],
        keys: Sequence[str] | None = None,
    ) -> list[JobView]:
        """Jobs in any of `states`, in sheet order, old revisions too. Only those of `keys`, if given."""
        wanted = select_jobs().where(JOB.c.batch_id == batch_id, JOB.c.state.in_(states))
        if keys is not None:
            wanted = wanted.where(JOB.c.key.in_(keys))
        return job_views(connection, wanted.order_by(JOB.c.position, JOB.c.id))

    @reads
    def by_key(self, connection: Connection, batch_id: int, key: str) -> JobView | None:
        """The current revision of a key; the newest one if the key is removed from the sheet."""
        wanted = select_jobs().where(JOB.c.batch_id == batch_id, JOB.c.key == key)
        newest = wanted.order_by(JOB.c.current.desc(), JOB.c.revision.desc())
        views = job_views(connection, newest.limit(1))
        return views[0] if views else None

    async def each(
        self, batch_id: int, *, everything: bool = False, states: Sequence[JobState] = ()
    ) -> AsyncIterator[JobView]:
        """Jobs in sheet order, read a page at a time, so that memory does not grow with their number.

        `everything` adds old revisions and rows that are removed from the sheet.
        """
        after = (-1, 0)
        more = True
        while more:
            found = await self._page(batch_id, after, everything=everything, states=states)
            for _, view in found:
                yield view
            more = len(found) == _PAGE
            if more:
                after = found[-1][0]

    @reads
    def _page(
        self,
        connection: Connection,
        batch_id: int,
        after: tuple[int, int],
        *,
        everything: bool,
        states: Sequence[JobState],
    ) -> list[tuple[tuple[int, int], JobView]]:
        """The next page of jobs in sheet order after the place `after`: (position, id)."""
        place = tuple_(JOB.c.position, JOB.c.id) > tuple_(*map(literal, after))  # as the index has it
        wanted = select_jobs().where(JOB.c.batch_id == batch_id, place)
        if not everything:
            wanted = wanted.where(JOB.c.current)
        if states:
            wanted = wanted.where(JOB.c.state.in_(states))
        rows = (connection.execute(wanted.order_by(JOB.c.position, JOB.c.id).limit(_PAGE))).all()
        views = with_images(connection, rows)
        return [((row.position, row.id), view) for row, view in zip(rows, views, strict=True)]

    @reads
    def columns(self, connection: Connection, batch_id: int, *, everything: bool = False) -> JobColumns:
        """The columns of the batch's jobs. `everything` adds old revisions and removed rows."""
        which = [JOB.c.batch_id == batch_id, *([] if everything else [JOB.c.current])]
        first = func.min(JOB.c.position)
        models = connection.execute(select(JOB.c.model).where(*which).group_by(JOB.c.model).order_by(first))
        linked = select(exists(select(JOB.c.id).where(*which, JOB.c.same_as.is_not(None))))
        return JobColumns(
            tuple(map(str, models.scalars())),
            own_names(connection, which),
            bool(connection.execute(linked).scalar_one()),
        )

    @reads
    def input_names(self, connection: Connection, batch_id: int, model: str) -> list[str]:
        """The inputs that any job of this model has."""
        inputs = json_entries(JOB.c.inputs, "inputs")
        found = connection.execute(
            select(inputs.c.key)
            .select_from(JOB.join(inputs, true()))
            .where(JOB.c.batch_id == batch_id, JOB.c.model == model)
            .group_by(inputs.c.key)
            .order_by(func.min(FIRST_IN_ITS_ROW + inputs.c.id))
        )
        return [str(name) for name in found.scalars()]

    # -- counts --

    @reads
    def counts(self, connection: Connection, batch_id: int) -> dict[JobState, int]:
        """The number of the sheet's jobs in each of the eight states."""
        return counts.states(connection, batch_id)

    @reads
    def counts_and_account(
        self, connection: Connection, batch_id: int
    ) -> tuple[dict[JobState, int], Account]:
        """The number of jobs in each state and the cost so far, in one consistent snapshot."""
        return counts.states(connection, batch_id), counts.account(connection, batch_id)

    @reads
    def warned(self, connection: Connection, batch_id: int) -> int:
        """The number of the sheet's jobs that succeeded with a warning."""
        return counts.warned(connection, batch_id)

    @reads
    def ended_since(self, connection: Connection, batch_id: int, moment: datetime) -> int:
        """The number of the sheet's jobs that ended since `moment`, without linked and cancelled ones."""
        found = connection.execute(
            select(func.count()).where(
                JOB.c.batch_id == batch_id,
                JOB.c.current,
                JOB.c.finished_at >= moment,
                JOB.c.state != JobState.CANCELLED,
                JOB.c.same_as.is_(None),
            )
        )
        return int(found.scalar_one())

    @reads
    def revisions(self, connection: Connection, batch_id: int) -> list[tuple[int, str, int, bool]]:
        """Id, key, revision and `current` of every job that is not a current first revision."""
        found = connection.execute(
            select(JOB.c.id, JOB.c.key, JOB.c.revision, JOB.c.current)
            .where(JOB.c.batch_id == batch_id, (JOB.c.revision > 1) | ~JOB.c.current)
            .order_by(JOB.c.id)
        )
        return [
            (int(job_id), str(key), int(revision), bool(current)) for job_id, key, revision, current in found
        ]


def _matching(
    batch_id: int, states: Sequence[JobState], keys: Sequence[str] | None
) -> list[ColumnElement[Any]]:
    matching: list[ColumnElement[Any]] = [JOB.c.batch_id == batch_id, JOB.c.state.in_(states)]
    if keys is not None:
        matching.append(JOB.c.key.in_(keys))
    return matching
