"""Keeps the counts of jobs and attempts right: with each statement that writes, in the same transaction.

By triggers of the schema, so that whoever writes keeps them. A statement adds what it has changed to the
tables of counts, a row a group, and alters none: one that is altered again and again in a transaction is
found through all that it was before. `fold` makes one row of many, from time to time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection

from jobs.store.sql.tallies import ATTEMPTS, JOBS, KeptTally, image_added

OLD_ROWS, NEW_ROWS = "old_rows", "new_rows"
"""What a statement has changed, as its triggers see it: the rows before, and after."""
_CHANGES = {"INSERT": (NEW_ROWS,), "UPDATE": (OLD_ROWS, NEW_ROWS), "DELETE": (OLD_ROWS,)}
_SIGNS = {OLD_ROWS: "-", NEW_ROWS: ""}


def triggers() -> Iterator[str]:
    """The statements that make the triggers, and their functions."""
    for tally in (JOBS, ATTEMPTS):
        counting = {event: _counting(tally, rows) for event, rows in _CHANGES.items()}
        yield after_statements(f"count_{tally.of}", counting)
        yield from on_statements(tally.of, f"count_{tally.of}")
    yield (
        "CREATE FUNCTION count_artifact() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF TG_OP <> 'INSERT' THEN {image_added('OLD', '-')}; END IF;"
        f" IF TG_OP <> 'DELETE' THEN {image_added('NEW')}; END IF;"
        " RETURN NULL; END $$"
    )
    yield (
        "CREATE TRIGGER artifact_comes_or_leaves AFTER INSERT OR DELETE ON artifact"
        " FOR EACH ROW EXECUTE FUNCTION count_artifact()"
    )


def after_statements(name: str, each: Mapping[str, str], only_if: str = "true") -> str:
    """The function that runs a statement of its own after each kind of change."""
    cases = " ELSIF ".join(f"TG_OP = '{event}' THEN {statement};" for event, statement in each.items())
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF {only_if} THEN IF {cases} END IF; END IF; RETURN NULL; END $$"
    )


def on_statements(table: str, function: str, events: Iterable[str] = _CHANGES) -> Iterator[str]:
    """The triggers that call it once a statement, with all rows that this has changed."""
    for event in events:
        seen = " ".join(f"{rows[:3].upper()} TABLE AS {rows}" for rows in _CHANGES[event])
        yield (
            f"CREATE TRIGGER {function}_{event.lower()} AFTER {event} ON {table} REFERENCING {seen}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )


def _counting(tally: KeptTally, changed: Sequence[str]) -> str:
    """The statement that adds what rows have changed, a row a group where that is something."""
    names = ", ".join((*tally.alike, *tally.sums))
    each = " UNION ALL ".join(
        f"SELECT {', '.join(tally.alike_of(rows))}, {', '.join(tally.sums_of(rows, _SIGNS[rows]))}"  # noqa: S608
        f" FROM {rows} WHERE {tally.counted.format(row=rows)}"
        for rows in changed
    )
    added_up = [f"sum({name})" for name in tally.sums]
    return (
        f"INSERT INTO {tally.table} ({names}) SELECT {', '.join(tally.alike)}, {', '.join(added_up)}"  # noqa: S608
        f" FROM ({each}) AS changed ({names}) GROUP BY {', '.join(tally.alike)}"
        f" HAVING {' OR '.join(f'{one} <> 0' for one in added_up)}"
    )


def fold(connection: Connection) -> None:
    """Make one row of the rows of each group."""
    for tally in (JOBS, ATTEMPTS):
        connection.exec_driver_sql(_folding(tally))


def _folding(tally: KeptTally) -> str:
    alike, sums = ", ".join(tally.alike), ", ".join(tally.sums)
    added_up = ", ".join(f"sum({name})" for name in tally.sums)
    return (
        f"WITH gone AS (DELETE FROM {tally.table} RETURNING *)"  # noqa: S608 - from here alone
        f" INSERT INTO {tally.table} ({alike}, {sums}) SELECT {alike}, {added_up} FROM gone"
        f" GROUP BY {alike} HAVING sum({next(iter(tally.sums))}) <> 0"
    )
