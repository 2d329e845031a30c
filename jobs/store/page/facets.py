"""The values to filter tiles by, each with how many tiles have it."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, func, select

from jobs.review.search import Search, SearchField
from jobs.store.page.filtering import JOBS_AND_IMAGES, conditions, value_of
from jobs.store.part import StorePart, reads
from jobs.store.rows import own_names
from jobs.store.schema import BATCH, JOB
from jobs.store.sql.transactions import Database
from jobs.tiles import FacetValue

MOST_VALUES = 50
"""Of a field, the most frequent first. What is rarer is found by typing it."""


class Facets(StorePart):
    """The values of fields and columns. Read-only."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        super().__init__(database, now)
        self._own: dict[int, tuple[int, tuple[str, ...]]] = {}
        """By batch, with the load that it is of: nothing else changes the columns of the sheet's jobs."""

    @reads
    def own(self, connection: Connection, batch_id: int) -> tuple[str, ...]:
        """The names of the own columns of the sheet's jobs, in its order. They are looked up once a load."""
        load = connection.execute(select(BATCH.c.generation).where(BATCH.c.id == batch_id)).scalar_one()
        known = self._own.get(batch_id)
        if known is None or known[0] != load:
            known = load, own_names(connection, [JOB.c.batch_id == batch_id, JOB.c.current])
            self._own[batch_id] = known
        return known[1]

    @reads
    def values(
        self, connection: Connection, batch_id: int, search: Search, field: SearchField, name: str = ""
    ) -> list[FacetValue]:
        """The values of a field among the tiles that the rest of the search finds; of a column, `name` is
        its name. One more than `MOST_VALUES` where there are more."""
        rest = tuple(term for term in search if (term.field, term.name) != (field, name))
        value = value_of(field, name)
        found = connection.execute(
            select(value, func.count())
            .select_from(JOBS_AND_IMAGES)
            .where(*conditions(batch_id, rest), value.is_not(None))
            .group_by(value)
            .order_by(func.count().desc(), value)
            .limit(MOST_VALUES + 1)
        )
        return [FacetValue(str(one), int(many)) for one, many in found]
