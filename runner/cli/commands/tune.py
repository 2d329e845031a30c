"""`nightsheet tune`: pace and budget of a batch, while it runs or before; kept in the database."""

from decimal import Decimal
from typing import Annotated

import typer

from jobs.concurrency import Concurrency
from runner.cli.console import console
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.options.settings import TURNING
from runner.cli.steps.open import batch_to_change, execute, system_clock
from runner.deciding.tuning import values_of
from runner.humanize import number
from runner.settings import Settings

EXAMPLE = "nightsheet tune --concurrency 4 --rate none --budget 25"


@with_settings(*TURNING)
def command(
    settings: Settings,
    batch: BatchName = None,
    concurrency: Annotated[
        str | None, typer.Option("--concurrency", metavar="N", help="Jobs in flight at the API, or auto.")
    ] = None,
    rate: Annotated[
        str | None, typer.Option("--rate", metavar="N", help="Most submits a minute, or none.")
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option("--budget", metavar="USD", help="The most that the batch may cost in all, or none."),
    ] = None,
) -> None:
    """Change the speed or the budget of a batch, while it runs or before.

    The batch keeps it for later runs; `none` takes it back. A flag of `run` takes precedence.
    """
    options = {"concurrency": concurrency, "rate": rate, "budget": budget}
    given = {option: text for option, text in options.items() if text is not None}
    execute(lambda: tune_batch(settings, batch, given))


async def tune_batch(settings: Settings, name: str | None, options: dict[str, str]) -> None:
    """Write the values into the table, and print those that it holds then."""
    values = values_of(options)
    async with batch_to_change(settings, system_clock(), name) as (store, batch):
        if values:
            await store.batches.tune(batch.id, values)
        now = await store.batches.get(batch.id)
    for word, value in (("concurrency", now.concurrency), ("rate", now.rate), ("budget", now.budget)):
        console.result(f"{word}: {_told(value)}")


def _told(value: Concurrency | float | Decimal | None) -> str:
    if value is None:
        return "not set"
    return value if isinstance(value, str) else number(value)
