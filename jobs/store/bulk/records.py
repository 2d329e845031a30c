"""A batch's jobs as its manifests tell them: by the page, as the table keeps them.

A manifest has every job of the batch, so nothing is made here that it does not tell: no view, no time, no
object of the mapper. One statement, made once, gives a page; another the images of that page.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    String,
    and_,
    case,
    exists,
    func,
    select,
    tuple_,
    type_coerce,
)

from jobs.review.decisions import DecisionView
from jobs.states import JobState
from jobs.store.part import StorePart, reads
from jobs.store.rows import IMAGES_OF, NEWEST, SENT, TWIN_ATTEMPT, decision_view, image_view, root_of
from jobs.store.schema import ARTIFACT, ATTEMPT, BATCH, DECISION, JOB, TWIN
from jobs.store.sql import blocks
from jobs.store.sql.expressions import StoredText
from jobs.store.sqlite.prepared import Prepared, given
from jobs.views import ArtifactView

_PAGE = 500
_FRONT = (-1, 0)
_LAST_ID = (1 << 63) - 1


class StoredJob(NamedTuple):
    """A job with all that a manifest tells of it; what is JSON or a time is text, as the table keeps it."""

    position: int
    id: int
    key: str
    row: int
    model: str
    state: str
    inputs: str
    request_id: str | None
    attempts: int
    cost_millionths: int | None
    """USD, in millionths."""
    error_kind: str | None
    error_code: str | None
    error_message: str | None
    warnings: str
    columns: str
    created_at: str
    submitted_at: str | None
    finished_at: str | None
    same_as: str | None
    """The key of the job that is sent instead."""
    images_of: int | None
    """The attempt whose images it has."""
    owner: str
    """The state of the job that this attempt is of."""

    @property
    def block(self) -> int:
        """The block of the sheet that it is in."""
        return self.position // blocks.BLOCK


Page = Sequence[tuple[StoredJob, Sequence[ArtifactView], Sequence[DecisionView]]]
"""Jobs of a batch, each with its images, and what was decided about these."""


class Records(StorePart):
    """The jobs of a batch for its manifests. Read-only."""

    async def pages(self, batch_id: int, *, everything: bool = False) -> AsyncIterator[Page]:
        """The batch's jobs in sheet order, so many at a time that memory does not grow with their number.

        `everything` adds old revisions and rows that are removed from the sheet.
        """
        after: tuple[int, int] | None = _FRONT
        while after is not None:
            page, after = await self._page(batch_id, after, everything=everything)
            yield page

    async def block(self, batch_id: int, number: int) -> AsyncIterator[Page]:
        """The sheet's jobs of one block, in its order."""
        after: tuple[int, int] | None = (number * blocks.BLOCK - 1, _LAST_ID)
        while after is not None:
            page, after = await self._page(batch_id, after, everything=False)
            inside = [one for one in page if one[0].block == number]
            yield inside
            if len(inside) < len(page):
                return

    @reads
    def _page(
        self, connection: Connection, batch_id: int, after: tuple[int, int], *, everything: bool
    ) -> tuple[Page, tuple[int, int] | None]:
        """The jobs after the place `after`: (position, id); and the last one's place, if more may come."""
        position, job_id = after
        statement = _ALL if everything else _IN_THE_SHEET
        rows: list[StoredJob] = list(
            statement.rows(connection, batch_id=batch_id, position=position, job_id=job_id)
        )
        images = _images(connection, batch_id, rows)
        decided = _decisions(connection, rows)
        page = [
            (row, [] if row.images_of is None else images.get(row.images_of, []), decided.get(row.id, []))
            for row in rows
        ]
        return page, ((rows[-1].position, rows[-1].id) if len(rows) == _PAGE else None)


def _jobs() -> Select[Any]:
    """In the order of the fields of `StoredJob`."""
    shared = and_(JOB.c.same_as.is_not(None), JOB.c.state == JobState.SUCCEEDED)
    as_kept = (StoredText(JOB.c[name]).label(name) for name in ("warnings", "columns"))
    times = (type_coerce(JOB.c[name], String).label(name) for name in _TIMES)
    return (
        select(
            *(JOB.c.position, JOB.c.id),
            *(JOB.c.key, JOB.c.row, JOB.c.model, JOB.c.state, JOB.c.inputs),
            *(ATTEMPT.c.request_id, SENT.label("attempts")),
            case((shared, 0), else_=type_coerce(ATTEMPT.c.cost_usd, BigInteger)),
            *(JOB.c.error_kind, JOB.c.error_code, JOB.c.error_message),
            *as_kept,
            *times,
            TWIN.c.key.label("same_as"),
            IMAGES_OF.label("images_of"),
            func.coalesce(TWIN.c.state, JOB.c.state).label("owner"),
        )
        .select_from(JOB)
        .outerjoin(ATTEMPT, NEWEST)
        .outerjoin(TWIN, TWIN.c.id == JOB.c.same_as)
        .outerjoin(
            TWIN_ATTEMPT, and_(TWIN_ATTEMPT.c.job_id == TWIN.c.id, TWIN_ATTEMPT.c.number == TWIN.c.attempts)
        )
        .where(
            JOB.c.batch_id == given("batch_id"),
            tuple_(JOB.c.position, JOB.c.id) > tuple_(given("position"), given("job_id")),
        )
        .order_by(JOB.c.position, JOB.c.id)
        .limit(_PAGE)
    )


_TIMES = ("created_at", "submitted_at", "finished_at")
_ALL = Prepared(_jobs(), StoredJob)
_IN_THE_SHEET = Prepared(_jobs().where(JOB.c.current), StoredJob)
_PLACES = [f"one_{number}" for number in range(_PAGE)]
"""The names of so many values as a page has jobs."""
_IMAGES = Prepared(
    select(ARTIFACT)
    .where(ARTIFACT.c.attempt_id.in_(list(map(given, _PLACES))))
    .order_by(ARTIFACT.c.attempt_id, ARTIFACT.c.number)
)

_DECISIONS = Prepared(
    select(DECISION)
    .where(DECISION.c.job_id.in_(list(map(given, _PLACES))))
    .order_by(DECISION.c.job_id, DECISION.c.number)
)
_ANY_DECISION = Prepared(
    select(exists().where(DECISION.c.job_id.between(given("first"), given("last"))).label("any"))
)
"""Most pages have none."""


def _decisions(connection: Connection, rows: Sequence[StoredJob]) -> dict[int, list[DecisionView]]:
    """What was decided about the images of a page, by job."""
    ids = [row.id for row in rows]
    decided: dict[int, list[DecisionView]] = defaultdict(list)
    if not ids or not _ANY_DECISION.first(connection, first=min(ids), last=max(ids)).any:  # type: ignore[union-attr]
        return decided
    for row in _DECISIONS.rows(connection, **_placed(ids)):
        decided[row.job_id].append(decision_view(row))
    return decided


def _images(
    connection: Connection, batch_id: int, rows: Sequence[StoredJob]
) -> dict[int, list[ArtifactView]]:
    """The images of a page, by the attempt that they belong to."""
    attempts = {row.images_of for row in rows if row.images_of is not None}
    if not attempts:
        return {}
    output_dir = select(BATCH.c.output_dir).where(BATCH.c.id == batch_id)
    root: Path | None = root_of(connection, connection.execute(output_dir).scalar_one())
    found = _IMAGES.rows(connection, **_placed(attempts))
    images: dict[int, list[ArtifactView]] = defaultdict(list)
    for row in found:
        images[row.attempt_id].append(image_view(row, root))
    return images


def _placed(ids: Collection[int]) -> dict[str, int]:
    """A value for each place of a page; there is no row of the last ones."""
    return dict(zip(_PLACES, [*ids, *[-1] * (_PAGE - len(ids))], strict=True))
