"""A retired job table: its rows were taken to another place, and it is only read from then on.

The mark is a row among the settled journals, under a name that no journal has: every version of a table has
that, and nobody writes it but who copies. It is looked at in each transaction that writes, so nobody writes
to a table that others have left, however long ago he opened it.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.errors import TableRetired

if TYPE_CHECKING:
    from sqlalchemy import Connection

MARK = "retired"
"""Journals' names end in `.journal`."""
MARKED = f"SELECT settled_to FROM settledjournal WHERE name = '{MARK}'"  # noqa: S608 - from here alone


@dataclass(frozen=True, slots=True)
class Retirement:
    """Where a table's rows went."""

    place: str
    is_done: bool
    """Whether they are known to have arrived."""
    host: str | None = None
    """The machine that has the place, where that is a file: on another one the path is another file's."""

    def as_json(self) -> str:
        """As the table keeps it."""
        return json.dumps({"to": self.place, "done": self.is_done, "host": self.host})

    def refusal(self, shown: str) -> TableRetired:
        """What to tell who wants to work on the table."""
        there = "" if self.host is None else f" on {self.host}"
        if self.is_done:
            return TableRetired(
                f"The job table {shown} is retired: its jobs are in {self.place}{there} now.",
                hint=f"Nothing was sent. Use it there: --db {self.place}. What lies here can be looked at.",
            )
        return TableRetired(
            f"The jobs of {shown} are on their way to {self.place}{there}, and the copy has not come to "
            "its end.",
            hint=f"Nothing was sent. `nightsheet db copy {shown} {self.place}` completes it{there}.",
        )


def read_mark(told: str) -> Retirement:
    """What a mark says. Whoever else wrote it: the table is retired."""
    try:
        said = json.loads(told)
        host = said.get("host")
        return Retirement(str(said["to"]), bool(said["done"]), None if host is None else str(host))
    except (ValueError, TypeError, KeyError, AttributeError):
        return Retirement("a place that its mark does not tell", is_done=True)


def retirement_of(connection: "Connection") -> Retirement | None:
    """Where the table's rows went; None while they are here."""
    driver = connection.connection.driver_connection
    assert driver is not None
    row = driver.execute(MARKED).fetchone()  # SQLAlchemy's way takes ten times as long, with every commit
    return None if row is None else read_mark(row[0])


def check_in_use(connection: "Connection", shown: str) -> None:
    """Check that the table is not retired.

    Raises:
        TableRetired: it is.
    """
    retirement = retirement_of(connection)
    if retirement is not None:
        raise retirement.refusal(shown)
