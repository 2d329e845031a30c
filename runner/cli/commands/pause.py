"""`nightsheet pause`: from a second terminal, or before a run; kept in the database until `resume`."""

from typing import TYPE_CHECKING

from runner.cli.console import console
from runner.cli.console.formatting import then
from runner.cli.options.settings import BatchName
from runner.cli.options.settings import command as made
from runner.cli.steps.open import execute, opened_batch, system_clock

if TYPE_CHECKING:
    from runner.settings import Settings

EXAMPLE = "nightsheet pause first-night"


@made("db", "emulator", "verbose")
def command(settings: "Settings", batch: BatchName = None) -> int:
    """Send nothing new of a batch until it is resumed; what is paid for is polled and fetched to its end."""
    execute(lambda: _pause(settings, batch))
    return 0


async def _pause(settings: "Settings", name: str | None) -> None:
    from jobs.pauses import PauseReason

    async with opened_batch(settings, system_clock(), name) as (store, batch):
        await store.batches.pause(batch.id, PauseReason.PERSON, "A person paused it.")
        paused = (await store.batches.get(batch.id)).paused
    assert paused is not None
    console.result(f"Batch {batch.name} is paused ({paused.reason}): {paused.detail}")
    console.result(f"Next: {then(settings, 'resume', batch.name)}")
