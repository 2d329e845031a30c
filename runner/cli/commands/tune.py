"""`nightsheet tune`: pace and budget of a batch, while it runs or before; kept in the database."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.errors import UsageProblem
from runner.cli.console import console
from runner.cli.options.settings import BatchName
from runner.cli.options.settings import command as made
from runner.cli.steps.open import execute, opened_batch, system_clock
from runner.humanize import number

if TYPE_CHECKING:
    from runner.settings import Settings

EXAMPLE = "nightsheet tune --concurrency 4 --rate none --budget 25"
NONE = "none"


@made("db", "emulator", "verbose")
def command(
    settings: "Settings",
    batch: BatchName = None,
    concurrency: Annotated[
        str | None, typer.Option("--concurrency", metavar="N", help="Jobs in flight at the API.")
    ] = None,
    rate: Annotated[str | None, typer.Option("--rate", metavar="N", help="Submits a minute at most.")] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="USD", help="What the batch may cost in all.")
    ] = None,
) -> int:
    """Change the pace or the budget of a batch, while it runs or before.

    It is kept with the batch and holds for later runs; `none` takes it back. A flag of `run` beats it.
    """
    said = {"concurrency": concurrency, "rate": rate, "budget": budget}
    execute(lambda: _tune(settings, batch, {name: text for name, text in said.items() if text is not None}))
    return 0


async def _tune(settings: "Settings", name: str | None, said: dict[str, str]) -> None:
    values = _values(said)
    async with opened_batch(settings, system_clock(), name) as (store, batch):
        if values:
            await store.batches.tune(batch.id, values)
        now = await store.batches.get(batch.id)
    for word, value in (("concurrency", now.concurrency), ("rate", now.rate), ("budget", now.budget)):
        console.result(f"{word}: {'as the run is told' if value is None else number(value)}")


def _values(said: dict[str, str]) -> dict[str, Any]:
    """What was said, as the table keeps it.

    Raises:
        UsageProblem: with all that does not do.
    """
    values: dict[str, Any] = {}
    wrong = []
    for name, text in said.items():
        if text.lower() == NONE:
            values[name] = None
            continue
        value = _number(text)
        whole = value is not None and value == value.to_integral_value()
        if value is None or value < 0 or (value == 0 and name != "budget"):
            wrong.append(f"--{name} {text}: a number above 0, or none, is needed")
        elif name == "concurrency" and not (whole and value <= 1000):
            wrong.append(f"--{name} {text}: a whole number up to 1000 is needed")
        else:
            values[name] = int(value) if name == "concurrency" else float(value) if name == "rate" else value
    if wrong:
        raise UsageProblem("; ".join(wrong) + ".", hint="Nothing was changed.")
    return values


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
