"""`nightsheet pause`: from a second terminal, or before a run; kept in the database until `resume`."""

from runner.cli.console import console
from runner.cli.console.formatting import then
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.options.settings import TURNING
from runner.cli.steps.open import batch_to_change, execute, system_clock
from runner.deciding import pausing
from runner.settings import Settings

EXAMPLE = "nightsheet pause first-night"


@with_settings(*TURNING)
def command(settings: Settings, batch: BatchName = None) -> None:
    """Send nothing new of a batch until you resume it; a run still fetches what is paid for."""
    execute(lambda: pause_batch(settings, batch))


async def pause_batch(settings: Settings, name: str | None) -> None:
    """Pause the batch, and print the pause that the table holds, which may be an earlier one."""
    async with batch_to_change(settings, system_clock(), name) as (store, batch):
        paused = await pausing.pause(store, batch, "Paused by `nightsheet pause`.")
    console.result(f"Batch {batch.name} is paused ({paused.reason}): {paused.detail}")
    console.result(f"Next: {then(settings, 'resume', batch.name)}")
