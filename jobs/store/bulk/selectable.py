"""The queued jobs of a large sheet, for whoever selects some of them: as rows, with nothing beside."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, String, and_, select, type_coerce

from jobs.states import JobState
from jobs.store.part import StorePart, reads
from jobs.store.schema import JOB, to_send
from jobs.store.sqlite.prepared import Prepared, given

_PAGE = 1000


class SelectableJob(NamedTuple):
    """A job of the sheet that is queued; what is JSON is text, as the table keeps it."""

    id: int
    key: str
    model: str
    turn: float
    pictures: int
    agreed: bool
    inputs: str
    columns: str
    free: bool
    """Whether it would be sent: it is neither linked nor held."""


class SelectableJobs(StorePart):
    """The queued jobs of a batch. Read-only."""

    @reads
    def first(self, connection: Connection, batch_id: int, limit: int) -> Sequence[SelectableJob]:
        """The first jobs that would be sent, in their turn."""
        found = [
            job
            for agreed in (True, False)  # the index of turns has them apart
            for job in _IN_TURN.rows(connection, batch_id=batch_id, agreed=agreed, limit=limit)
        ]
        return sorted(found, key=lambda job: (job.turn, job.id))[:limit]

    async def each(self, batch_id: int) -> AsyncIterator[SelectableJob]:
        """All of them, so many at a time that memory does not grow with their number."""
        last = 0
        while page := await self._page(batch_id, last):
            for job in page:
                yield job
            last = page[-1].id

    @reads
    def _page(self, connection: Connection, batch_id: int, last: int) -> list[SelectableJob]:
        return list(_EACH.rows(connection, batch_id=batch_id, last=last))


_JOBS = select(
    *(JOB.c.id, JOB.c.key, JOB.c.model, JOB.c.turn, JOB.c.pictures, JOB.c.agreed, JOB.c.inputs),
    type_coerce(JOB.c.columns, String),
    and_(JOB.c.same_as.is_(None), JOB.c.held.is_(None)).label("free"),
)
_IN_TURN = Prepared(
    _JOBS.where(*to_send(given("batch_id")), JOB.c.agreed == given("agreed"))
    .order_by(JOB.c.turn, JOB.c.id)
    .limit(given("limit")),
    SelectableJob,
)
_EACH = Prepared(
    _JOBS.where(
        JOB.c.batch_id == given("batch_id"),
        JOB.c.state == JobState.QUEUED,
        JOB.c.current,
        JOB.c.id > given("last"),
    )
    .order_by(JOB.c.id)
    .limit(_PAGE),
    SelectableJob,
)
