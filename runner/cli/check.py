"""`nightsheet check`: validate a sheet and show its plan. Loads nothing, pays nothing, needs no token."""

import random
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.errors import NightsheetError, SheetProblems
from jobs.problems import Problem
from runner.cli import problems, render, sheets
from runner.cli.opening import execute, existing, system_clock
from runner.cli.options import LOOKING
from runner.cli.options import command as made
from runner.cli.plan import Plan
from runner.cli.words import brief_model, many, price, then

if TYPE_CHECKING:
    from jobs.sheets import Source
    from runner.settings import Settings

EXAMPLE = "nightsheet check sample_batches/storyboard.yaml"
_FIRST = 5


@made(*LOOKING)
def command(
    sheet: sheets.SheetPath,
    settings: "Settings",
    batch: sheets.Batch = None,
    model: sheets.Model = None,
    form: sheets.Format = None,
    worksheet: sheets.Worksheet = None,
    encoding: sheets.Encoding = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write all problems there, as CSV.")
    ] = None,
) -> int:
    """Check every row, and show the plan: jobs, pictures, price. Loads nothing, pays nothing.

    Needs no token. Prices are those that the API told when the batch was last run.
    """
    from runner.consent import price_of

    problems.check_target(output, sheet)
    plan = Plan("")
    with sheets.source_of(sheet, form, worksheet, encoding) as source:
        try:
            plan = _read(source, batch, model, listing=settings.verbose and not settings.as_json)
            if plan.problems:
                found = many(len(plan.problems), "problem")
                raise SheetProblems(f"{source.name} has {found}: it would not be loaded.", plan.problems)
        except SheetProblems as error:
            return _refuse(source, Plan(plan.batch, problems=list(error.problems)), error, settings, output)
        if output is not None:
            problems.write((), output)
        low, high = price_of(plan.work, _prices(settings, plan))
        if settings.as_json:
            render.as_json(plan.as_json(source.name, low, high))
        else:
            again = sheets.repeated(batch, model, form, worksheet, encoding)
            _show(source, plan, settings, low, high, then(settings, "run", str(sheet), *again))
    return 0


def _read(source: "Source", batch: str | None, model: str | None, *, listing: bool) -> Plan:
    from jobs.sheets import open_sheet, plan

    opened = open_sheet(source, batch=batch, model=model)
    found = Plan(opened.batch)
    for item in plan(opened, random.Random()):  # noqa: S311 - seeds of pictures, and shown to nobody
        found.add(item)
        if listing and not isinstance(item, Problem):
            pictures = many(item.pictures, "picture")
            render.result(f"{source.name}:{item.row}: {item.key}: {item.model}, {pictures} at most")
    return found


def _refuse(
    source: "Source", plan: Plan, error: SheetProblems, settings: "Settings", output: Path | None
) -> int:
    if output is not None:
        problems.write(plan.problems, output)
    if settings.as_json:
        render.as_json(plan.as_json(source.name, None, None))
    else:
        problems.show(plan.problems)
        render.message(error.message, style="bold red")
        if output is not None:
            render.message(f"Written: {output}")
    return error.exit_code


def _prices(settings: "Settings", plan: Plan) -> dict[str, Decimal]:
    """What a picture costs by model, as far as that is known here, without asking anybody."""
    if settings.emulator:
        from runner.emulator.settings import EmulatorSettings

        stand_in = EmulatorSettings()
        return {model: stand_in.price(model) for model in plan.work}
    if not settings.database.exists():
        return {}
    try:
        return execute(lambda: _stored_prices(settings, plan.batch))
    except NightsheetError:
        return {}  # a plan can be shown without


async def _stored_prices(settings: "Settings", name: str) -> dict[str, Decimal]:
    async with existing(settings, system_clock()) as store:
        batch = await store.find_batch(name)
        return {} if batch is None else batch.prices


def _show(
    source: "Source",
    plan: Plan,
    settings: "Settings",
    low: Decimal | None,
    high: Decimal | None,
    next_command: str,
) -> None:
    told = f"{many(plan.jobs, 'job')}, at most {many(plan.pictures, 'picture')}"
    if plan.rows < plan.jobs:
        told = f"{many(plan.rows, 'row')}, {told}"
    known = price(low, high) if high is not None else "at a price that is unknown until the API is asked"
    render.result(f"Batch {plan.batch}: {told}, {known}.", "bold green")
    rows = [(model, jobs, pictures) for model, (jobs, pictures) in plan.work.items()]
    render.table(
        ("model", "jobs", "pictures at most"),
        rows,
        numbers=("jobs", "pictures at most"),
        brief={"model": brief_model},
    )
    if plan.rows < plan.jobs:
        _show_samples(plan)
    if plan.warned:
        render.result(f"{many(plan.warned, 'warning')}:", "yellow")
        shown = plan.warnings if settings.verbose else plan.warnings[:_FIRST]
        for row, key, text in shown:
            render.result(f"  {source.name}:{row}: {key}: {text}")
        if len(shown) < plan.warned:
            more = "" if settings.verbose else ": --verbose shows all"
            render.result(f"  and {plan.warned - len(shown)} more{more}")
    render.result(f"Next: {next_command}")


def _show_samples(plan: Plan) -> None:
    """What families of jobs came to: a slip in a matrix is seen here, before it is paid a thousand times."""
    for job in plan.samples:
        if job is plan.last and plan.jobs > len(plan.samples):
            render.result("  ...")
        said = ", ".join(f"{name}: {render.short(str(value))}" for name, value in job.inputs.items())
        render.result(f"  {job.key}: {said}")
