"""The tiles of a batch: the whole list as bytes, and details of the few that are on screen."""

import sys
from array import array
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    case,
    cast,
    func,
    literal,
    not_,
    select,
    tuple_,
)

from jobs.review.decisions import ITSELF, Verdict
from jobs.review.search import Search
from jobs.states import JobState
from jobs.store.page.filtering import (
    HOLDS,
    IS_WARNED,
    JOBS_AND_IMAGES,
    STARS,
    VERDICT,
    conditions,
)
from jobs.store.part import StorePart, reads
from jobs.store.rows import image_view, job_views, root_of, select_jobs
from jobs.store.schema import ARTIFACT, BATCH, DECISION, JOB, of_batch
from jobs.store.sqlite.prepared import Prepared, given
from jobs.tiles import BatchEntry, TileDetails, TileImage, TileList, TileName, TileOrder
from jobs.views import ArtifactView, JobView

MOST_DETAILS = 200
"""Jobs that details are given of at once: more than fit on a screen."""

_PAGE = 200
_WARNED = 1 << 4
_OLDER, _NOTED, _STAR = 1 << 2, 1 << 3, 1 << 4
_WIDEST = 0xFFFF
_TILE = func.coalesce(ARTIFACT.c.id, -JOB.c.id)
_WIDTHS = cast(ARTIFACT.c.width, BigInteger) * literal(1000) // ARTIFACT.c.height
_RATIO = func.coalesce(case((_WIDTHS > _WIDEST, _WIDEST), else_=_WIDTHS), 0)
_STATE = case({state.value: number for number, state in enumerate(JobState)}, value=JOB.c.state)
_VERDICT = func.coalesce(
    case({verdict.value: number for number, verdict in enumerate(Verdict, 1)}, value=VERDICT), 0
)
_NOTES = case((and_(HOLDS, DECISION.c.note != ""), _NOTED), else_=0)
_DECISION = case(
    (DECISION.c.id.is_(None), 0), (not_(HOLDS), _OLDER), else_=_VERDICT + _NOTES + STARS * literal(_STAR)
)
_LISTED = select(
    _TILE.label("tile"),
    JOB.c.id.label("job"),
    _RATIO.label("ratio"),
    (_STATE + case((IS_WARNED, _WARNED), else_=0)).label("state"),
    _DECISION.label("decision"),
).select_from(JOBS_AND_IMAGES)
_NAMES = select(JOB.c.key, func.coalesce(ARTIFACT.c.number, ITSELF), ARTIFACT.c.sha256).select_from(
    JOBS_AND_IMAGES
)
_IN_SHEET = (JOB.c.position, JOB.c.id, ARTIFACT.c.number)
_ORDERS: dict[TileOrder, tuple[ColumnElement[Any], ...]] = {
    TileOrder.SHEET: _IN_SHEET,
    TileOrder.NEWEST: (JOB.c.finished_at.desc().nulls_last(), *_IN_SHEET),
}
_IMAGE = Prepared(
    select(ARTIFACT, JOB.c.batch_id, BATCH.c.output_dir)
    .join(JOB, JOB.c.id == ARTIFACT.c.job_id)
    .join(BATCH, BATCH.c.id == JOB.c.batch_id)
    .where(ARTIFACT.c.id == given("image_id"))
)
_ALL = (1 << 31) - 1
"""More tiles than there are: their ids would not fit into the list."""
_AT_ONCE = 1000
"""Rows of the list between two looks at what is in memory: it never holds a hundred thousand of them."""
_FORMATS = ("i", "I", "H", "B", "B")
_ENTRIES = select(BATCH.c.name, BATCH.c.sheet, BATCH.c.created_at, BATCH.c.last_run_at)


class Tiles(StorePart):
    """The tiles of the sheet's jobs. Read-only."""

    @reads
    def batches(self, connection: Connection) -> list[BatchEntry]:
        """All batches, the one that ran last first."""
        last = func.coalesce(BATCH.c.last_run_at, BATCH.c.created_at)
        return [BatchEntry(*row) for row in connection.execute(_ENTRIES.order_by(last.desc(), BATCH.c.id))]

    @reads
    def listed(
        self,
        connection: Connection,
        batch_id: int,
        search: Search = (),
        *,
        order: TileOrder = TileOrder.SHEET,
        limit: int | None = None,
    ) -> TileList:
        """The tiles that a search finds, the first `limit` of them."""
        columns = [array(code) for code in _FORMATS]
        most = _ALL if limit is None else limit
        for rows in _list_of(search, order).raw(connection, _AT_ONCE, batch_id=batch_id, limit=most):
            for column, values in zip(columns, zip(*rows, strict=True), strict=True):
                column.extend(values)
        return TileList(b"".join(map(_packed, columns)))

    @reads
    def names(self, connection: Connection, batch_id: int, search: Search = ()) -> list[TileName]:
        """The tiles that a search finds, by what lasts, in the order of the sheet."""
        wanted = _NAMES.where(*conditions(batch_id, search)).order_by(*_IN_SHEET)
        return [TileName(*row) for row in connection.execute(wanted)]

    async def found(self, batch_id: int, search: Search) -> AsyncIterator[JobView]:
        """The jobs that a search finds, in sheet order, each with those of its images that it finds.

        They are read a page at a time, so that memory does not grow with their number.
        """
        after = (-1, 0)
        more = True
        while more:
            page = await self._found(batch_id, search, after)
            for _, view in page:
                yield view
            more = len(page) == _PAGE
            if more:
                after = page[-1][0]

    @reads
    def _found(
        self, connection: Connection, batch_id: int, search: Search, after: tuple[int, int]
    ) -> list[tuple[tuple[int, int], JobView]]:
        """The next page of jobs after the place `after`: (position, id)."""
        wanted = conditions(batch_id, search)
        place = tuple_(JOB.c.position, JOB.c.id) > tuple_(*map(literal, after))
        jobs = select(JOB.c.position, JOB.c.id).select_from(JOBS_AND_IMAGES).where(*wanted, place)
        places = [
            (int(position), int(job_id))
            for position, job_id in connection.execute(
                jobs.distinct().order_by(JOB.c.position, JOB.c.id).limit(_PAGE)
            )
        ]
        some = JOB.c.id.in_([job_id for _, job_id in places])
        numbers = select(JOB.c.id, ARTIFACT.c.number).select_from(JOBS_AND_IMAGES).where(*wanted, some)
        found = {(int(job_id), number) for job_id, number in connection.execute(numbers)}
        views = job_views(connection, select_jobs().where(some).order_by(JOB.c.position, JOB.c.id))
        return [
            (place, replace(view, images=tuple(one for one in view.images if (view.id, one.number) in found)))
            for place, view in zip(places, views, strict=True)
        ]

    @reads
    def details(self, connection: Connection, batch_id: int, job_ids: Sequence[int]) -> list[TileDetails]:
        """These jobs of the batch with their images, at most `MOST_DETAILS`."""
        some = [of_batch(batch_id), JOB.c.id.in_(job_ids[:MOST_DETAILS])]
        ids = defaultdict[int, dict[int, int]](dict)
        pairs = select(JOB.c.id, ARTIFACT.c.number, ARTIFACT.c.id).select_from(JOBS_AND_IMAGES)
        for job_id, number, image_id in connection.execute(pairs.where(*some, ARTIFACT.c.id.is_not(None))):
            ids[job_id][number] = image_id
        return [
            TileDetails(job, tuple(TileImage(ids[job.id][image.number], image) for image in job.images))
            for job in job_views(connection, select_jobs().where(*some))
        ]

    @reads
    def image(self, connection: Connection, image_id: int, sha256: str) -> tuple[int, ArtifactView] | None:
        """The image of this id, if it has this content, and the id of its batch."""
        row = _IMAGE.first(connection, image_id=image_id)
        if row is None or row.sha256 != sha256:
            return None
        return row.batch_id, image_view(row, root_of(connection, row.output_dir))


@lru_cache(maxsize=64)
def _list_of(search: Search, order: TileOrder) -> Prepared:
    """The statement for what a search finds: to make it takes longer than the first screen's 300 rows."""
    wanted = _LISTED.where(*conditions(given("batch_id"), search)).order_by(*_ORDERS[order])
    return Prepared(wanted.limit(given("limit")))


def _packed(column: "array[int]") -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()
