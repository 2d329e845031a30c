"""Keeps the counts of jobs and attempts right: with each row that is written, in the same transaction.

By triggers of the one connection that writes. They are not in the file, where no trigger may be: a crafted
one could act. What another program writes is not counted: an audit finds that, and counts again.
"""

from collections.abc import Iterator

from sqlalchemy import Connection

from jobs.store.sql.tallies import ATTEMPTS, JOBS, KeptTally, added, image_added


def keep_counts(connection: Connection) -> None:
    """Have this connection keep the counts with whatever it writes from now on."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.executescript("; ".join(_triggers()))


def _triggers() -> Iterator[str]:
    for tally in (JOBS, ATTEMPTS):
        of, told_by = tally.of, ", ".join(tally.told_by)
        changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in tally.told_by)
        leave, come = _merged(tally, added(tally, "OLD", "-")), _merged(tally, added(tally, "NEW"))
        yield f"CREATE TEMP TRIGGER {of}_comes AFTER INSERT ON main.{of} BEGIN {come}; END"
        yield f"CREATE TEMP TRIGGER {of}_leaves AFTER DELETE ON main.{of} BEGIN {leave}; END"
        yield (
            f"CREATE TEMP TRIGGER {of}_changes AFTER UPDATE OF {told_by} ON main.{of} WHEN {changed}"
            f" BEGIN {leave}; {come}; END"
        )
    for row, event, sign in (("NEW", "INSERT", ""), ("OLD", "DELETE", "-")):
        yield (
            f"CREATE TEMP TRIGGER artifact_{event} AFTER {event} ON main.artifact"
            f" BEGIN {_merged(JOBS, image_added(row, sign))}; END"
        )


def _merged(tally: KeptTally, statement: str) -> str:
    """The statement, into the group's own row where it has one."""
    new = ", ".join(f"{name} = {name} + excluded.{name}" for name in tally.sums)
    return f"{statement} ON CONFLICT ({', '.join(tally.alike)}) DO UPDATE SET {new}"
