"""Takes a job table's rows to another place, so that at every moment one of the two can be worked on at most.

    source        target    what a crash here leaves
    in use        empty     everything as it was
    on its way    empty     nobody works on either; the same copy again completes it
    on its way    the rows  the target is in use; the same copy again says so in the source
    retired       the rows  done

Each line is one commit of one database. The source is marked before anything leaves it, so both are never in
use; and the rows arrive together with the source's name, by which a second copy sees that they are there.
Everything here blocks.
"""

from collections.abc import Callable

from sqlalchemy import Connection, delete, func, insert, select

from jobs.errors import CannotWrite, UsageProblem
from jobs.states import JobState
from jobs.store.copies import rows
from jobs.store.copies.ends import driver_errors, transaction_at
from jobs.store.schema import BATCH, IDENTITY, JOB, SETTLED_JOURNAL
from jobs.store.sql.retirement import MARK, Retirement, check_in_use
from jobs.table_place import TablePlace

IN_FLIGHT = (JobState.SUBMITTING, JobState.RUNNING, JobState.FETCHING)


def retire(source: TablePlace, target: TablePlace, host: str) -> None:
    """Mark a job table as on its way: from now on nobody writes to it. `host` is this machine.

    Raises:
        UsageProblem: jobs are in flight.
    """
    with transaction_at(source) as connection:
        check_in_flight(connection, source)
        _mark(connection, target, host, is_done=False)


def copy_rows(
    source: TablePlace, target: TablePlace, probe: Callable[[str], None] = lambda _name: None
) -> dict[str, int] | None:
    """Copy all rows in one transaction; how many of each table. None: they are there already.

    Raises:
        UsageProblem: the target has rows of its own.
        CannotWrite: either refuses. The target is as it was.
    """
    try:
        return _copy_rows(source, target, probe)
    except driver_errors() as error:  # a defect: the store leaves these to who knows the row
        raise CannotWrite(
            f"The rows of {source} cannot be put into {target}: {type(error).__name__}.",
            hint=f"{target} is as it was. Name another place: a new file, or a new database on the server.",
        ) from error


def _copy_rows(source: TablePlace, target: TablePlace, probe: Callable[[str], None]) -> dict[str, int] | None:
    with transaction_at(target) as put:
        with transaction_at(source) as found:
            uid = str(found.execute(select(IDENTITY.c.uid)).scalar_one())
            if put.execute(select(IDENTITY.c.uid)).scalar_one() == uid:
                return None
            check_empty(put, target)
            copied = rows.copy_into(found, put, (source.path, target.path))
        rows.settle(put, uid)
        _tell_watchers(put, target)
        probe("in copy")
    return copied


def finish(source: TablePlace, target: TablePlace, host: str) -> None:
    """Mark a job table as retired: its rows have arrived."""
    with transaction_at(source) as connection:
        _mark(connection, target, host, is_done=True)


def check_empty(connection: Connection, target: TablePlace) -> None:
    """Check that a job table can take another one's rows.

    Raises:
        UsageProblem: it has rows of its own.
    """
    check_in_use(connection, str(target))
    if not rows.is_empty(connection):
        raise UsageProblem(
            f"{target} has jobs of its own, and a copy needs an empty place.",
            hint="Name a file that does not exist yet, or a new database on the server. Nothing was changed "
            "there.",
        )


def check_in_flight(connection: Connection, source: TablePlace) -> None:
    """Check that nothing of a job table is in flight.

    Raises:
        UsageProblem: some jobs are.
    """
    many = connection.execute(
        select(func.count()).select_from(JOB).where(JOB.c.state.in_(IN_FLIGHT))
    ).scalar_one()
    if many:
        names = connection.execute(
            select(BATCH.c.name)
            .where(select(JOB.c.id).where(JOB.c.batch_id == BATCH.c.id, JOB.c.state.in_(IN_FLIGHT)).exists())
            .order_by(BATCH.c.name)
        ).scalars()
        jobs = "1 job is" if many == 1 else f"{many} jobs are"
        raise UsageProblem(
            f"{jobs} in flight in {source} (batch {', '.join(map(repr, names))}): the API works on them, or "
            "their pictures are not downloaded yet.",
            hint=f"Nothing was changed. `nightsheet resume BATCH --db {source}` finishes them, free; "
            "copy after that.",
        )


def _mark(connection: Connection, target: TablePlace, host: str, *, is_done: bool) -> None:
    retirement = Retirement(str(target), is_done, None if target.is_server else host)
    connection.execute(delete(SETTLED_JOURNAL).where(SETTLED_JOURNAL.c.name == MARK))
    connection.execute(insert(SETTLED_JOURNAL).values(name=MARK, stamp="", settled_to=retirement.as_json()))


def _tell_watchers(connection: Connection, target: TablePlace) -> None:
    """A file shows by itself that it was written."""
    if target.url is not None:
        from jobs.store.postgres.address import address_of  # late: the driver is not everywhere
        from jobs.store.postgres.last_commit import LastCommit

        LastCommit(address_of(target.url)).begin(connection)
