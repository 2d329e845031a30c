"""Keeps the counts of jobs and attempts right: with each row that is written, in the same transaction.

By triggers of the one connection that writes. They are not in the file, where no trigger may be: a crafted
one could act. What another program writes is not counted: an audit finds that, and counts again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from jobs.store.sql.tallies import ATTEMPTS, JOBS, KeptTally, added, counted, image_added
from jobs.store.sqlite.marking import of_a_new_job


def keep_counts(connection: Connection) -> None:
    """Have this connection keep the counts with whatever it writes from now on."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.executescript("; ".join(_triggers()))


@contextmanager
def counting_at_once(connection: Connection, batch_id: int) -> Iterator[None]:
    """Add the first jobs of a batch, and count them together when all are there: two triggers a row would
    take as long as all else that a load does.

    Only in a transaction in which nothing else is added to jobs, of a batch that had none: so it has no
    manifest either in which a block could change. What is raised has to roll the transaction back, and the
    triggers come back with it. PostgreSQL counts the rows of a statement together anyway.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    triggers = {"job_comes": _coming(JOBS), **of_a_new_job()}
    for name in triggers:
        driver.execute(f"DROP TRIGGER temp.{name}")
    yield
    names = ", ".join([*JOBS.alike, *JOBS.sums])
    driver.execute(f"DELETE FROM {JOBS.table} WHERE batch_id = ?", (batch_id,))  # noqa: S608
    driver.execute(f"INSERT INTO {JOBS.table} ({names}) {counted(JOBS)}", {"batch_id": batch_id})
    for trigger in triggers.values():
        driver.execute(trigger)


@contextmanager
def counting_consent_at_once(connection: Connection, batch_id: int, *, agreed: bool) -> Iterator[None]:
    """Give or take the consent to all that would be sent of a batch, and count it together: nothing else of
    these jobs changes, so whole groups go over to others.

    Only around one statement that does just this. What is raised has to roll the transaction back.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(f"DROP TRIGGER temp.{JOBS.of}_changes")
    yield
    names = [*JOBS.alike, *JOBS.sums]
    which = "batch_id = ? AND state = 'queued' AND agreed = ? AND NOT linked AND NOT held"
    over = ", ".join("?" if name == "agreed" else name for name in names)
    over = f"INSERT INTO {JOBS.table} ({', '.join(names)}) SELECT {over} FROM {JOBS.table} WHERE {which}"  # noqa: S608
    driver.execute(_merged(JOBS, over), (agreed, batch_id, not agreed))
    driver.execute(f"DELETE FROM {JOBS.table} WHERE {which}", (batch_id, not agreed))  # noqa: S608
    driver.execute(_changing(JOBS))


def _coming(tally: KeptTally) -> str:
    come = _merged(tally, added(tally, "NEW"))
    return f"CREATE TEMP TRIGGER {tally.of}_comes AFTER INSERT ON main.{tally.of} BEGIN {come}; END"


def _changing(tally: KeptTally) -> str:
    of, told_by = tally.of, ", ".join(tally.told_by)
    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in tally.told_by)
    leave, come = _merged(tally, added(tally, "OLD", "-")), _merged(tally, added(tally, "NEW"))
    return (
        f"CREATE TEMP TRIGGER {of}_changes AFTER UPDATE OF {told_by} ON main.{of} WHEN {changed}"
        f" BEGIN {leave}; {come}; END"
    )


def _triggers() -> Iterator[str]:
    for tally in (JOBS, ATTEMPTS):
        leave = _merged(tally, added(tally, "OLD", "-"))
        yield _coming(tally)
        yield f"CREATE TEMP TRIGGER {tally.of}_leaves AFTER DELETE ON main.{tally.of} BEGIN {leave}; END"
        yield _changing(tally)
    for row, event, sign in (("NEW", "INSERT", ""), ("OLD", "DELETE", "-")):
        yield (
            f"CREATE TEMP TRIGGER artifact_{event} AFTER {event} ON main.artifact"
            f" BEGIN {_merged(JOBS, image_added(row, sign))}; END"
        )


def _merged(tally: KeptTally, statement: str) -> str:
    """The statement, into the group's own row where it has one."""
    new = ", ".join(f"{name} = {name} + excluded.{name}" for name in tally.sums)
    return f"{statement} ON CONFLICT ({', '.join(tally.alike)}) DO UPDATE SET {new}"
