"""`nightsheet runners`: the processes that work on the job table of a server."""

from typing import TYPE_CHECKING

from jobs.exit_codes import ExitCode
from runner.cli.console import console
from runner.cli.options.command import with_settings
from runner.cli.reports.studio import runners as report
from runner.cli.steps.open import execute, open_existing, system_clock
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.runners import RunnerView
    from runner.clock import Clock

EXAMPLE = "nightsheet runners --db postgresql://studio@db.example/nightsheet"


@with_settings("db", "json", "verbose")
def command(settings: Settings) -> int:
    """List the runners at work on a server's job table: where, since when, jobs in hand, last beat.

    A runner beats every 5 seconds. Once it has ended or is cut off, the server lets go of its lock, and the
    next one that starts takes its jobs over. One that is silent for 30 seconds without the lock counts as
    gone.
    """
    if settings.as_json and not settings.place.is_server:
        console.as_json([])
        return ExitCode.OK
    if not settings.place.is_server:
        console.result(f"{settings.place} is a file: one runner works on it. `nightsheet status` shows it.")
        return ExitCode.OK
    clock = system_clock()
    living = execute(lambda: _living(settings, clock))
    if settings.as_json:
        console.as_json([report.as_json(one) for one in living])
    else:
        report.show(living, clock.now())
    return ExitCode.OK


async def _living(settings: Settings, clock: "Clock") -> "list[RunnerView]":
    async with open_existing(settings, clock) as store:
        return await store.runners.living()
