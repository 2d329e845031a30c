"""Marks the blocks of a manifest of which a job changes: with each row that is written, like the counts.

A block is the jobs of some positions in a row. What a manifest tells of a job is in four tables, and a linked
job tells of another one's images and key: whatever is written to any of them marks the blocks that tell it.
By triggers of the one connection that writes, as in `keeping.py`, and for the same reasons.
"""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection

from jobs.store.sql import blocks

_NONE_YET = "ON CONFLICT DO NOTHING"
_EVENTS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}


def mark_changes(connection: Connection) -> None:
    """Have this connection mark what it changes from now on."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.executescript("; ".join(_triggers()))


def _triggers() -> Iterator[str]:
    for event, row in _EVENTS.items():
        yield from _of_a_job(event, row).values()
        for table in ("attempt", "artifact", "decision"):
            marks = (_of_jobs(f"job.{name} = {row}.job_id") for name in ("id", "same_as"))
            yield _trigger(table, event, blocks.TOLD[table], "; ".join(marks))


def of_a_new_job() -> Mapping[str, str]:
    """The triggers of a job that is added, by their names."""
    return _of_a_job("INSERT", _EVENTS["INSERT"])


def _of_a_job(event: str, row: str) -> Mapping[str, str]:
    marks = f"{_block(row, f'{row}.position / {blocks.BLOCK}')}; {_of_jobs(f'job.same_as = {row}.id')}"
    left = [_block("OLD", f"OLD.position / {blocks.BLOCK}")] if event == "UPDATE" else []
    in_all = "; ".join([_block(row, str(blocks.COLUMNS)), *left])
    return {
        f"job_told_{event}": _trigger("job", event, blocks.TOLD["job"], marks),
        f"job_all_{event}": _trigger("job", event, blocks.IN_ALL, in_all, "all"),
    }


def _trigger(table: str, event: str, columns: Sequence[str], marks: str, name: str = "told") -> str:
    of = f"{event} OF {', '.join(columns)}" if event == "UPDATE" else event
    differs = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns)
    condition = f" WHEN {differs}" if event == "UPDATE" else ""
    return (
        f"CREATE TEMP TRIGGER {table}_{name}_{event} AFTER {of} ON main.{table}{condition} BEGIN {marks}; END"
    )


def _block(row: str, block: str) -> str:
    """The statement that marks a block of a job's batch, if that has manifests."""
    return (
        f"INSERT INTO changedblock SELECT {row}.batch_id, {block} FROM keptmanifest"  # noqa: S608
        f" WHERE batch_id = {row}.batch_id {_NONE_YET}"
    )


def _of_jobs(which: str) -> str:
    """The same for the blocks of these jobs. They are looked up first: CROSS JOIN says so to SQLite."""
    return (
        f"INSERT INTO changedblock SELECT job.batch_id, job.position / {blocks.BLOCK} FROM job"  # noqa: S608
        f" CROSS JOIN keptmanifest ON keptmanifest.batch_id = job.batch_id WHERE {which} {_NONE_YET}"
    )
