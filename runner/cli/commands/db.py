"""`nightsheet db init` and `db upgrade`: the job table of a database on a server, made by hand."""

from enum import StrEnum
from typing import Annotated

import typer

from jobs.errors import CannotWrite, UsageProblem
from runner.cli.console import console
from runner.cli.options.command import with_settings
from runner.settings import Settings, load_settings

EXAMPLE = "nightsheet db init postgresql://studio@db.example/nightsheet"


class Work(StrEnum):
    """What is done to the database."""

    INIT = "init"
    UPGRADE = "upgrade"


@with_settings("verbose")
def command(
    settings: Settings,
    work: Annotated[Work, typer.Argument(metavar="init|upgrade", help="Make the table, or upgrade it.")],
    url: Annotated[
        str | None, typer.Argument(metavar="URL", help="The database. Default: NIGHTSHEET_DB.")
    ] = None,
) -> None:
    """Make the job table of a database on a PostgreSQL server, or upgrade it: once, before any run.

    The database is made by its server's own tools before. The user needs no more than CREATE on it: no
    superuser. A password is never part of the URL: ~/.pgpass, a service or PGPASSWORD has it.
    """
    from jobs.store.open import init_server, look_at_server, upgrade_server  # late: SQLAlchemy comes along

    place = settings.place if url is None else load_settings({"db": url}).place
    if place.url is None:
        raise UsageProblem(
            f"{place} is a file, which needs neither: the first run makes it, and each one upgrades it.",
            hint=f"Name a database on a server: {EXAMPLE}",
        )
    report = look_at_server(place.url)
    console.message(f"{place}: PostgreSQL {report.version}.")
    for sentence in report.advice:
        console.message(sentence, "yellow")
    if report.lacks:
        raise CannotWrite(
            f"This server cannot keep a job table. {' '.join(report.lacks)}",
            hint="Change that on the server, then try again. Nothing was made.",
        )
    if work is Work.INIT:
        made = init_server(place.url)
        console.result("The job table is made." if made else "The job table is there already, and unchanged.")
    else:
        made = upgrade_server(place.url)
        console.result("The job table is upgraded." if made else "The job table is of this version already.")
    console.result(f"Next: export NIGHTSHEET_DB={place}")
