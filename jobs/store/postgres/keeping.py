"""Keeps the counts of jobs and attempts right: with each row that is written, in the same transaction.

By triggers of the schema, so that whoever writes keeps them. A change adds rows to the tables of counts and
alters none: one that is altered again and again in a transaction is found through all that it was before.
`fold` makes one row of many, from time to time.
"""

from collections.abc import Iterator

from sqlalchemy import Connection

from jobs.store.sql.tallies import ATTEMPTS, JOBS, KeptTally, added, image_added


def triggers() -> Iterator[str]:
    """The statements that make the triggers, and their functions."""
    for tally in (JOBS, ATTEMPTS):
        of, told_by = tally.of, ", ".join(tally.told_by)
        # As text: there is no telling whether two values of type JSON are the same.
        changed = " OR ".join(f"OLD.{name}::text IS DISTINCT FROM NEW.{name}::text" for name in tally.told_by)
        yield _function(f"count_{of}", added(tally, "OLD", "-"), added(tally, "NEW"))
        yield _trigger(f"{of}_comes_or_leaves", "INSERT OR DELETE", of, f"count_{of}")
        yield _trigger(f"{of}_changes", f"UPDATE OF {told_by}", of, f"count_{of}", f"WHEN ({changed}) ")
    yield _function("count_artifact", image_added("OLD", "-"), image_added("NEW"))
    yield _trigger("artifact_comes_or_leaves", "INSERT OR DELETE", "artifact", "count_artifact")


def fold(connection: Connection) -> None:
    """Make one row of the rows of each group."""
    for tally in (JOBS, ATTEMPTS):
        connection.exec_driver_sql(_folding(tally))


def _function(name: str, leave: str, come: str) -> str:
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF TG_OP <> 'INSERT' THEN {leave}; END IF;"
        f" IF TG_OP <> 'DELETE' THEN {come}; END IF;"
        " RETURN NULL; END $$"
    )


def _trigger(name: str, events: str, table: str, function: str, condition: str = "") -> str:
    when = f"AFTER {events} ON {table} FOR EACH ROW {condition}"
    return f"CREATE TRIGGER {name} {when}EXECUTE FUNCTION {function}()"


def _folding(tally: KeptTally) -> str:
    alike, sums = ", ".join(tally.alike), ", ".join(tally.sums)
    added_up = ", ".join(f"sum({name})" for name in tally.sums)
    return (
        f"WITH gone AS (DELETE FROM {tally.table} RETURNING *)"  # noqa: S608 - from here alone
        f" INSERT INTO {tally.table} ({alike}, {sums}) SELECT {alike}, {added_up} FROM gone"
        f" GROUP BY {alike} HAVING sum({next(iter(tally.sums))}) <> 0"
    )
