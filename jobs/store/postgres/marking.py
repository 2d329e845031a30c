"""Marks the blocks of a manifest of which a job changes: with each statement that writes, like the counts.

Marks are added, and none is looked for before: nobody waits for another one who marks the same block, and a
mark that is taken away in the same moment is there again when its change is. `fold` makes one of many.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from jobs.store.postgres.keeping import NEW_ROWS, OLD_ROWS, after_statements, on_statements
from jobs.store.sql import blocks

_ANY_MANIFEST = "EXISTS (SELECT 1 FROM keptmanifest)"
"""Most tables that are loaded have none yet."""
_MARK = "INSERT INTO changedblock (batch_id, block)"
_KEPT = "JOIN keptmanifest ON keptmanifest.batch_id = told.batch_id"
_FOLDING = (
    "WITH gone AS (DELETE FROM changedblock RETURNING *)"
    " INSERT INTO changedblock (batch_id, block) SELECT DISTINCT batch_id, block FROM gone"
)


def triggers() -> Iterator[str]:
    """The statements that make the triggers, and their functions."""
    yield from functions()
    for table in blocks.TOLD:
        yield from on_statements(table, f"mark_{table}")


def functions() -> Iterator[str]:
    """Those that make the functions, for blocks as large as they are."""
    for table in blocks.TOLD:
        mark = _of_jobs if table == "job" else _of_what_a_job_has
        changed = {"INSERT": (NEW_ROWS,), "UPDATE": (OLD_ROWS, NEW_ROWS), "DELETE": (OLD_ROWS,)}
        each = {event: mark(table, rows) for event, rows in changed.items()}
        yield after_statements(f"mark_{table}", each, _ANY_MANIFEST)


def fold(connection: Connection) -> None:
    """Make one mark of those that are the same."""
    connection.exec_driver_sql(_FOLDING)


def _of_jobs(table: str, rows: Sequence[str]) -> str:
    """The statement that marks the blocks of jobs and of those that share their result, and the columns."""
    changed = _changed(("id", "batch_id", "position"), blocks.TOLD[table], rows)
    in_all = _changed(("batch_id",), blocks.IN_ALL, rows)
    return (
        f"WITH changed AS ({changed}), told AS ("  # noqa: S608 - from here alone
        f"SELECT batch_id, position / {blocks.BLOCK} AS block FROM changed"
        f" UNION SELECT its.batch_id, its.block FROM changed CROSS JOIN {_jobs('same_as', 'id')} AS its"
        f" UNION SELECT batch_id, {blocks.COLUMNS} FROM ({in_all}) AS in_all"
        f") {_MARK} SELECT told.batch_id, told.block FROM told {_KEPT}"
    )


def _of_what_a_job_has(table: str, rows: Sequence[str]) -> str:
    """The same for attempts, images and decisions: those of their job, and of those that share it."""
    changed = _changed(("id", "job_id"), blocks.TOLD[table], rows)
    return (
        f"WITH changed AS ({changed}), told AS ("  # noqa: S608 - from here alone
        f"SELECT its.batch_id, its.block FROM changed CROSS JOIN {_jobs('id', 'job_id')} AS its"
        f" UNION SELECT its.batch_id, its.block FROM changed CROSS JOIN {_jobs('same_as', 'job_id')} AS its"
        f") {_MARK} SELECT told.batch_id, told.block FROM told {_KEPT}"
    )


def _jobs(column: str, of: str) -> str:
    """The jobs of each changed row, by an index. Without OFFSET a way to them that is best for a statement of
    a million rows could be kept for those of one row."""
    which = f"job.{column} IS NOT NULL AND job.{column} = changed.{of}"
    return f"LATERAL (SELECT batch_id, position / {blocks.BLOCK} AS block FROM job WHERE {which} OFFSET 0)"  # noqa: S608


def _changed(names: Sequence[str], told: Sequence[str], rows: Sequence[str]) -> str:
    """What of rows came, left or is another one than before; JSON as text, which alone can be compared."""
    columns = f"{', '.join(names)}, ROW({', '.join(told)})::text AS told"
    first, *others = [f"SELECT {columns} FROM {one}" for one in rows]  # noqa: S608
    return (
        first
        if not others
        else " UNION ALL ".join(
            f"({one} EXCEPT {other})" for one, other in ((first, *others), (*others, first))
        )
    )
