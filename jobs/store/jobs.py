"""Jobs: every move between their states, what a worker takes next, lists and counts."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from jobs.attempts import SubmitOutcome
from jobs.failures import Failure
from jobs.outcomes import Claimed, Outcome
from jobs.states import MOVES, JobState, Move
from jobs.store import ledger, moves
from jobs.store.part import StorePart, reads, writes
from jobs.store.rows import job_views, open_view, select_jobs, select_open, with_images
from jobs.store.schema import ATTEMPT, JOB, REFERENCE
from jobs.views import (
    FRONT,
    Account,
    CancelCounts,
    JobView,
    OpenJob,
    Place,
    QueuedJob,
    Receipt,
    ReferenceView,
    Settled,
)

_PAGE = 500


class Jobs(StorePart):
    """The jobs of a batch. What changes a state is a move of `jobs.states`, by compare-and-set."""

    # -- moves --

    @writes
    async def claim(self, connection: AsyncConnection, claimed: Claimed) -> int | None:
        """Commit the intent to submit; the attempt's id, or None if the job is not to be sent any more."""
        return await moves.claim(connection, claimed)

    @writes
    async def apply(self, connection: AsyncConnection, *outcomes: Outcome) -> bool:
        """Apply outcomes, all or none; False if one of the jobs is not where its move starts."""
        return await moves.apply_all(connection, outcomes)

    @writes
    async def settle_interrupted(
        self, connection: AsyncConnection, batch_id: int, failure: Failure, receipts: Sequence[Receipt] = ()
    ) -> Settled:
        """Turn every `submitting` job into an `unconfirmed` one: its run died in between. Then attach each
        receipt to its job, in the same transaction: nobody decides about a job whose receipt we hold."""
        unconfirmed = await _leave_unconfirmed(connection, batch_id, failure)
        attached = 0
        left = []
        for receipt in receipts:
            if await _is_of(connection, batch_id, receipt) and await moves.apply(connection, receipt.outcome):
                attached += 1
            elif not await moves.is_held(connection, receipt.outcome.request_id):
                left.append(receipt)
        # A job that an earlier recovery doubted, and did not live to attach, is not one of these doubts.
        return Settled(unconfirmed=max(0, unconfirmed - attached), attached=attached, left=tuple(left))

    @writes
    async def cancel(
        self, connection: AsyncConnection, batch_id: int, keys: Sequence[str] | None = None
    ) -> CancelCounts:
        """Cancel what is queued, and note the wish for what is at the API or on its way there.

        Only `keys`, if given. What is on its way and surely not accepted is cancelled by that move.
        """
        queued = await connection.execute(
            update(JOB)
            .where(*_matching(batch_id, [JobState.QUEUED], keys))
            .values(state=MOVES[Move.CANCEL][1], finished_at=self._now(), **moves.NEVER_SENT)
        )
        asked = await connection.execute(
            update(JOB)
            .where(*_matching(batch_id, [JobState.SUBMITTING, JobState.RUNNING], keys))
            .values(cancel_requested=True)
        )
        return CancelCounts(queued=int(queued.rowcount), asked=int(asked.rowcount))

    @writes
    async def prune(self, connection: AsyncConnection, batch_id: int) -> int:
        """Ask for what the sheet has no more, and the API has: what waits there can be cancelled there.

        Not for what a row of the sheet waits for, which says the same.
        """
        row = JOB.alias("row")
        wanted = exists().where(row.c.same_as == JOB.c.id, row.c.current, row.c.state == JobState.QUEUED)
        asked = await connection.execute(
            update(JOB)
            .where(JOB.c.batch_id == batch_id, JOB.c.state == JobState.RUNNING, ~JOB.c.current, ~wanted)
            .values(cancel_requested=True)
        )
        return int(asked.rowcount)

    @writes
    async def drop_cancel_request(self, connection: AsyncConnection, job_id: int) -> None:
        """Forget that a person wanted a job cancelled."""
        await connection.execute(update(JOB).where(JOB.c.id == job_id).values(cancel_requested=False))

    # -- what a worker does next --

    @reads
    async def queued(
        self,
        connection: AsyncConnection,
        batch_id: int,
        *,
        after: Place = FRONT,
        limit: int,
        now: datetime | None = None,
    ) -> list[QueuedJob]:
        """Jobs that may be claimed now (or by the moment `now`), in their turn, beyond the place `after`."""
        found = await connection.execute(
            select(JOB.c.id, JOB.c.key, JOB.c.row, JOB.c.model, JOB.c.inputs, JOB.c.pictures, JOB.c.turn)
            .where(
                JOB.c.batch_id == batch_id,
                JOB.c.state == JobState.QUEUED,
                JOB.c.agreed.is_(True),  # as the index has it
                tuple_(JOB.c.turn, JOB.c.id) > tuple_(*map(literal, after)),
                JOB.c.current,
                JOB.c.available_at <= (now or self._now()),
            )
            .order_by(JOB.c.turn, JOB.c.id)
            .limit(limit)
        )
        return [QueuedJob(*row) for row in found]

    @reads
    async def next_available(self, connection: AsyncConnection, batch_id: int) -> datetime | None:
        """When the next queued job may be claimed; None if none is queued."""
        found = await connection.execute(
            select(func.min(JOB.c.available_at)).where(
                JOB.c.batch_id == batch_id, JOB.c.state == JobState.QUEUED, JOB.c.current, JOB.c.agreed
            )
        )
        value: datetime | None = found.scalar_one()
        return value

    @reads
    async def open_jobs(self, connection: AsyncConnection, batch_id: int, state: JobState) -> list[OpenJob]:
        """Jobs in `state` (running or fetching), oldest first, whether or not the sheet still has them."""
        found = await connection.execute(
            select_open().where(JOB.c.batch_id == batch_id, JOB.c.state == state).order_by(JOB.c.id)
        )
        return [open_view(row) for row in found]

    @reads
    async def open_job(self, connection: AsyncConnection, job_id: int) -> OpenJob | None:
        """The job, if the API has it."""
        row = (await connection.execute(select_open().where(JOB.c.id == job_id))).one_or_none()
        return None if row is None else open_view(row)

    @reads
    async def cancel_wanted(self, connection: AsyncConnection, batch_id: int) -> list[int]:
        """Jobs at the API that a person wants cancelled there."""
        found = await connection.execute(
            select(JOB.c.id).where(
                JOB.c.batch_id == batch_id, JOB.c.state == JobState.RUNNING, JOB.c.cancel_requested
            )
        )
        return [job_id for (job_id,) in found]

    @reads
    async def ids_in_state(
        self, connection: AsyncConnection, state: JobState, job_ids: Sequence[int]
    ) -> list[int]:
        """Those of these jobs that are in `state`; a run holds no more than some hundred."""
        found = await connection.execute(select(JOB.c.id).where(JOB.c.id.in_(job_ids), JOB.c.state == state))
        return [job_id for (job_id,) in found]

    @reads
    async def places_of(self, connection: AsyncConnection, sha256s: Sequence[str]) -> list[ReferenceView]:
        """Where pictures of these contents were seen, the newest place first."""
        found = await connection.execute(
            select(REFERENCE.c.sha256, REFERENCE.c.path, REFERENCE.c.bytes, REFERENCE.c.media_type)
            .where(REFERENCE.c.sha256.in_(sha256s))
            .order_by(REFERENCE.c.id.desc())
        )
        return [ReferenceView(*row) for row in found]

    # -- lists --

    @reads
    async def in_state(
        self,
        connection: AsyncConnection,
        batch_id: int,
        states: Sequence[JobState],
        keys: Sequence[str] | None = None,
    ) -> list[JobView]:
        """Jobs in any of `states`, in sheet order; only those of `keys`, if given. Old revisions too."""
        wanted = select_jobs().where(JOB.c.batch_id == batch_id, JOB.c.state.in_(states))
        if keys is not None:
            wanted = wanted.where(JOB.c.key.in_(keys))
        return await job_views(connection, wanted.order_by(JOB.c.position, JOB.c.id))

    @reads
    async def by_key(self, connection: AsyncConnection, batch_id: int, key: str) -> JobView | None:
        """The revision of a key that the sheet has, or the newest where the sheet has none any more."""
        wanted = select_jobs().where(JOB.c.batch_id == batch_id, JOB.c.key == key)
        newest = wanted.order_by(JOB.c.current.desc(), JOB.c.revision.desc())
        views = await job_views(connection, newest.limit(1))
        return views[0] if views else None

    async def each(
        self, batch_id: int, *, everything: bool = False, states: Sequence[JobState] = ()
    ) -> AsyncIterator[JobView]:
        """Jobs in sheet order, read a page at a time, so that memory does not grow with them.

        `everything` adds the revisions and rows that the sheet no longer has.
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
    async def _page(
        self,
        connection: AsyncConnection,
        batch_id: int,
        after: tuple[int, int],
        *,
        everything: bool,
        states: Sequence[JobState],
    ) -> list[tuple[tuple[int, int], JobView]]:
        """The next jobs in sheet order beyond the place `after` (position, id), each with its own place."""
        position, job_id = after
        wanted = select_jobs().where(
            JOB.c.batch_id == batch_id,
            (JOB.c.position > position) | and_(JOB.c.position == position, JOB.c.id > job_id),
        )
        if not everything:
            wanted = wanted.where(JOB.c.current)
        if states:
            wanted = wanted.where(JOB.c.state.in_(states))
        rows = (await connection.execute(wanted.order_by(JOB.c.position, JOB.c.id).limit(_PAGE))).all()
        views = await with_images(connection, rows)
        return [((row.position, row.id), view) for row, view in zip(rows, views, strict=True)]

    # -- counts --

    @reads
    async def counts(self, connection: AsyncConnection, batch_id: int) -> dict[JobState, int]:
        """How many jobs of the sheet are in each of the eight states."""
        return await _counts(connection, batch_id)

    @reads
    async def counts_and_account(
        self, connection: AsyncConnection, batch_id: int
    ) -> tuple[dict[JobState, int], Account]:
        """How many jobs are in each state, and what they have cost, as both are at one moment."""
        return await _counts(connection, batch_id), await ledger.account(connection, batch_id)

    @reads
    async def warned(self, connection: AsyncConnection, batch_id: int) -> int:
        """How many jobs of the sheet succeeded with a warning."""
        found = await connection.execute(
            select(func.count()).where(
                JOB.c.batch_id == batch_id,
                JOB.c.current,
                JOB.c.state == JobState.SUCCEEDED,
                func.json_array_length(JOB.c.warnings) > 0,
            )
        )
        return int(found.scalar_one())

    @reads
    async def ended_since(self, connection: AsyncConnection, batch_id: int, moment: datetime) -> int:
        """Jobs of the sheet that have ended since `moment`, by a submit of their own and not cancelled."""
        found = await connection.execute(
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
    async def revisions(self, connection: AsyncConnection, batch_id: int) -> list[tuple[int, str, int, bool]]:
        """Job, key, revision and whether the sheet has it, of all but the first revisions that it has."""
        found = await connection.execute(
            select(JOB.c.id, JOB.c.key, JOB.c.revision, JOB.c.current)
            .where(JOB.c.batch_id == batch_id, (JOB.c.revision > 1) | ~JOB.c.current)
            .order_by(JOB.c.id)
        )
        return [
            (int(job_id), str(key), int(revision), bool(current)) for job_id, key, revision, current in found
        ]


async def _counts(connection: AsyncConnection, batch_id: int) -> dict[JobState, int]:
    found = await connection.execute(
        select(JOB.c.state, func.count())
        .where(JOB.c.batch_id == batch_id, JOB.c.current)
        .group_by(JOB.c.state)
    )
    counted = {JobState(state): int(many) for state, many in found}
    return {state: counted.get(state, 0) for state in JobState}


async def _is_of(connection: AsyncConnection, batch_id: int, receipt: Receipt) -> bool:
    """Whether the job is the one that the receipt names: ids begin anew in a new database."""
    found = await connection.execute(
        select(JOB.c.id).where(
            JOB.c.id == receipt.outcome.job_id, JOB.c.batch_id == batch_id, JOB.c.key == receipt.key
        )
    )
    return found.first() is not None


async def _leave_unconfirmed(connection: AsyncConnection, batch_id: int, failure: Failure) -> int:
    sources, target = MOVES[Move.UNCONFIRMED]
    interrupted = (JOB.c.batch_id == batch_id) & JOB.c.state.in_(sorted(sources))
    intents = select(JOB.c.id).where(interrupted)
    await connection.execute(
        update(ATTEMPT)
        .where(ATTEMPT.c.job_id.in_(intents), ATTEMPT.c.outcome == SubmitOutcome.INTENT)
        .values(outcome=SubmitOutcome.UNCONFIRMED, detail=failure.message)
    )
    moved = await connection.execute(
        update(JOB)
        .where(interrupted)
        .values(state=target, error_kind=failure.kind, error_code=failure.code, error_message=failure.message)
    )
    return int(moved.rowcount)


def _matching(
    batch_id: int, states: Sequence[JobState], keys: Sequence[str] | None
) -> list[ColumnElement[Any]]:
    matching: list[ColumnElement[Any]] = [JOB.c.batch_id == batch_id, JOB.c.state.in_(states)]
    if keys is not None:
        matching.append(JOB.c.key.in_(keys))
    return matching
