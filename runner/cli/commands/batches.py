"""`nightsheet batches`: every batch of a database, with its state, its money and its last run."""

from typing import TYPE_CHECKING

from jobs.exit_codes import ExitCode
from runner.cli.console import console
from runner.cli.options.command import with_settings
from runner.cli.options.settings import LOOKING
from runner.cli.reports import batches as report
from runner.cli.reports.batches import BatchLine
from runner.cli.steps.open import execute, open_existing, system_clock, tell_if_retired
from runner.cli.steps.standing import standing
from runner.settings import Settings

if TYPE_CHECKING:
    from runner.clock import Clock

EXAMPLE = "nightsheet batches --json"


@with_settings(*LOOKING)
def command(settings: Settings) -> int:
    """List all batches of this database with their state, money and last run; the newest last."""
    clock = system_clock()
    entries = execute(lambda: _entries(settings, clock))
    if settings.as_json:
        console.as_json([report.as_json(entry) for entry in entries])
    else:
        report.show(entries, settings, clock.now())
    return ExitCode.OK


async def _entries(settings: Settings, clock: "Clock") -> list[BatchLine]:
    async with open_existing(settings, clock) as store:
        await tell_if_retired(store)
        return [
            BatchLine(
                await standing(store, batch_id, settings, clock.now(), files=False),
                await store.overview.last_run(batch_id),
            )
            for batch_id in await store.overview.batch_ids()
        ]
