"""The values to filter tiles by, each with how many tiles have it."""

from sqlalchemy import Connection, func, select

from jobs.review.search import Search, SearchField
from jobs.store.page.filtering import JOBS_AND_IMAGES, conditions, value_of
from jobs.store.part import StorePart, reads
from jobs.tiles import FacetValue

MOST_VALUES = 50
"""Of a field, the most frequent first. What is rarer is found by typing it."""


class Facets(StorePart):
    """The values of fields and columns. Read-only."""

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
