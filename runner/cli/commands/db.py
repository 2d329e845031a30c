"""`nightsheet db`: the job table of a server made or upgraded by hand, and any table taken elsewhere."""

from enum import StrEnum
from typing import Annotated

import typer

from jobs.errors import CannotWrite, UsageProblem
from jobs.table_place import TablePlace
from runner.cli.console import console
from runner.cli.options.command import with_settings
from runner.cli.steps.open import execute, process_environment
from runner.humanize import count_of
from runner.settings import Settings, load_settings

EXAMPLE = "nightsheet db init postgresql://studio@db.example/nightsheet"
_BOTH = "`nightsheet db copy nightsheet.db postgresql://studio@db.example/nightsheet`"


class Work(StrEnum):
    """What is done to the database."""

    INIT = "init"
    UPGRADE = "upgrade"
    COPY = "copy"


@with_settings("verbose")
def command(
    settings: Settings,
    work: Annotated[
        Work,
        typer.Argument(
            metavar="init|upgrade|copy", help="Make the table, upgrade it, or take it to another place."
        ),
    ],
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="URL", help="The database; of `copy` the one to leave, a file or a URL. Default: --db's."
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Argument(metavar="TO", help="Of `copy`: an empty place, a new file or a database on a server."),
    ] = None,
    lost: Annotated[
        bool,
        typer.Option(
            "--lost", help="Of `copy`: the place it went to before is gone for good; take what was left."
        ),
    ] = False,
) -> None:
    """Make the job table of a database on a PostgreSQL server, upgrade it, or copy one elsewhere.

    `init URL` and `upgrade URL`: once, before any run. The database is made by its server's own tools before.
    The user needs no more than CREATE on it: no superuser. A password is never part of the URL: ~/.pgpass, a
    service or PGPASSWORD has it.

    `copy FROM TO` takes all jobs, with what was paid for, from a file to a server, back, or to another file,
    while none is in flight. FROM is retired: it can be looked at, and every run on it is refused with the
    name of the new place. Where it was cut off, the same command completes it.
    """
    place = settings.place if url is None else load_settings({"db": url}).place
    if work is Work.COPY:
        if to is None:
            raise UsageProblem("A copy goes from one place to another.", hint=f"Name both: {_BOTH}")
        _copy(place, load_settings({"db": to}).place, settings.submit_timeout, lost=lost)
        return
    if to is not None or lost:
        raise UsageProblem(f"`db {work}` is about one database.", hint=f"For example: {EXAMPLE}")
    if place.url is None:
        raise UsageProblem(
            f"{place} is a file, which needs neither: the first run makes it, and each one upgrades it.",
            hint=f"Name a database on a server: {EXAMPLE}",
        )
    _check_server(place)
    from jobs.store.open import init_server, upgrade_server  # late: SQLAlchemy comes along

    if work is Work.INIT:
        made = init_server(place.url)
        console.result("The job table is made." if made else "The job table is there already, and unchanged.")
    else:
        made = upgrade_server(place.url)
        console.result("The job table is upgraded." if made else "The job table is of this version already.")
    console.result(f"Next: export NIGHTSHEET_DB={place}")


def _check_server(place: TablePlace) -> None:
    """Say what server that is.

    Raises:
        CannotWrite: it cannot keep a job table, or cannot be reached.
    """
    from jobs.store.open import look_at_server  # late: SQLAlchemy comes along

    if place.url is None:
        return
    report = look_at_server(place.url)
    console.message(f"{place}: PostgreSQL {report.version}.")
    for sentence in report.advice:
        console.message(sentence, "yellow")
    if report.lacks:
        raise CannotWrite(
            f"This server cannot keep a job table. {' '.join(report.lacks)}",
            hint="Change that on the server, then try again. Nothing was made.",
        )


def _copy(source: TablePlace, target: TablePlace, submit_timeout: float, *, lost: bool) -> None:
    from runner.deciding.table_copy import copy_table  # late: SQLAlchemy comes along

    if not source.may_exist():
        raise UsageProblem(f"There is no database {source}.", hint=f"For example: {_BOTH}")
    _check_server(target)
    environment = process_environment()
    copied = execute(
        lambda: copy_table(
            source, target, environment, console.message, submit_timeout=submit_timeout, lost=lost
        )
    )
    if copied.rows:
        rows = copied.rows
        batches = "1 batch" if rows["batch"] == 1 else f"{rows['batch']:,} batches"
        console.result(
            f"{target} has {count_of(rows['job'], 'job')} of {batches} now, "
            f"with {count_of(rows['attempt'], 'submit')} and {count_of(rows['artifact'], 'picture')}."
        )
    else:
        console.result(f"{target} has the jobs already.")
    console.result(f"{source} is retired: it can be looked at, and nothing is sent from there any more.")
    console.result(f"Next: export NIGHTSHEET_DB={target}")
