"""Small operations for tests of the database itself: a batch stands for anything that is written."""

from sqlalchemy import Connection, text

from jobs.store.sql.transactions import Operation

_ADD = text(
    "INSERT INTO batch (name, sheet, origin, created_at, generation)"
    " VALUES (:name, 's', 'o', '2026-11-20T22:00:00.000000+00:00', 0)"
)


def add(name: str) -> Operation[str]:
    """Write a batch of that name; returns it."""

    def run(connection: Connection) -> str:
        connection.execute(_ADD, {"name": name})
        return name

    return run


def names(connection: Connection) -> list[str]:
    """The batches that were written, in order."""
    found = connection.execute(text("SELECT name FROM batch ORDER BY id"))
    return [name for (name,) in found]
