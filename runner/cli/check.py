"""`nightsheet check`: validate a sheet and show its plan. Loads nothing, pays nothing, needs no token."""

import random
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.errors import NightsheetError, SheetProblems
from jobs.problems import Problem
from runner.cli import render
from runner.cli.failing import tell
from runner.cli.opening import execute, existing, system_clock
from runner.cli.options import LOOKING
from runner.cli.options import command as made
from runner.cli.words import brief_model, many, price, then

if TYPE_CHECKING:
    from jobs.sheets import PlannedJob
    from runner.settings import Settings

EXAMPLE = "nightsheet check sample_batches/storyboard.yaml"
_FIRST = 5


@dataclass(slots=True)
class Plan:
    """What a sheet comes to. `work` is, by model, its jobs and their pictures at most."""

    batch: str
    work: dict[str, tuple[int, int]] = field(default_factory=dict)
    warnings: list[tuple[int, str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def jobs(self) -> int:
        return sum(jobs for jobs, _pictures in self.work.values())

    @property
    def pictures(self) -> int:
        return sum(pictures for _jobs, pictures in self.work.values())

    def add(self, item: "PlannedJob | Problem") -> None:
        if isinstance(item, Problem):
            self.problems.append(item)
            return
        jobs, pictures = self.work.get(item.model, (0, 0))
        self.work[item.model] = (jobs + 1, pictures + item.pictures)
        self.warnings += [(item.row, item.key, warning) for warning in item.warnings]


@made(*LOOKING)
def command(
    sheet: Annotated[Path, typer.Argument(metavar="SHEET", help="The sheet: CSV, YAML or JSONL.")],
    settings: "Settings",
    batch: Annotated[
        str | None, typer.Option("--batch", metavar="NAME", help="The batch; the sheet's own, or its stem.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="MODEL", help="The model of rows that name none.")
    ] = None,
) -> int:
    """Check every row, and show the plan: jobs, pictures, price. Loads nothing, pays nothing.

    Needs no token. Prices are those that the API told when the batch was last run.
    """
    from runner.consent import price_of

    plan = Plan("")
    try:
        plan = _read(sheet, batch, model, listing=settings.verbose and not settings.as_json)
        if plan.problems:
            found = many(len(plan.problems), "problem")
            raise SheetProblems(f"{sheet} has {found}: it would not be loaded.", plan.problems)
    except SheetProblems as error:
        if settings.as_json:
            render.as_json(_as_json(sheet, Plan(plan.batch, problems=list(error.problems)), None, None))
        else:
            tell(error)
        return error.exit_code
    low, high = price_of(plan.work, _prices(settings, plan))
    if settings.as_json:
        render.as_json(_as_json(sheet, plan, low, high))
    else:
        flags = _again({"--batch": batch, "--model": model})
        _show(plan, settings, low, high, run=then(settings, "run", str(sheet), *flags), sheet=sheet)
    return 0


def _read(sheet: Path, batch: str | None, model: str | None, *, listing: bool) -> Plan:
    from jobs.sheets import open_sheet, plan

    opened = open_sheet(sheet, batch=batch, model=model)
    found = Plan(opened.batch)
    for item in plan(opened, random.Random()):  # noqa: S311 - seeds of pictures, and shown to nobody
        found.add(item)
        if listing and not isinstance(item, Problem):
            pictures = many(item.pictures, "picture")
            render.result(f"{sheet}:{item.row}: {item.key}: {item.model}, {pictures} at most")
    return found


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


def _as_json(sheet: Path, plan: Plan, low: Decimal | None, high: Decimal | None) -> dict[str, Any]:
    return {
        "sheet": str(sheet),
        "batch": plan.batch or None,
        "jobs": plan.jobs,
        "pictures": plan.pictures,
        "models": {
            model: {"jobs": jobs, "pictures": pictures} for model, (jobs, pictures) in plan.work.items()
        },
        "price": {
            "low_usd": None if low is None else float(low),
            "high_usd": None if high is None else float(high),
        },
        "warnings": [{"row": row, "key": key, "message": text} for row, key, text in plan.warnings],
        "problems": [
            {
                "file": problem.file,
                "row": problem.row,
                "column": problem.column,
                "value": problem.value,
                "message": problem.message,
                "hint": problem.hint,
            }
            for problem in plan.problems
        ],
    }


def _again(flags: dict[str, str | None]) -> list[str]:
    """What was said here, to be said to `run` as well."""
    return [word for name, value in flags.items() if value is not None for word in (name, value)]


def _show(
    plan: Plan, settings: "Settings", low: Decimal | None, high: Decimal | None, *, run: str, sheet: Path
) -> None:
    told = f"{many(plan.jobs, 'job')}, at most {many(plan.pictures, 'picture')}"
    known = price(low, high) if high is not None else "at a price that is unknown until the API is asked"
    render.result(f"Batch {plan.batch}: {told}, {known}.", "bold green")
    rows = [(model, jobs, pictures) for model, (jobs, pictures) in plan.work.items()]
    render.table(
        ("model", "jobs", "pictures at most"),
        rows,
        numbers=("jobs", "pictures at most"),
        brief={"model": brief_model},
    )
    if plan.warnings:
        render.result(f"{many(len(plan.warnings), 'warning')}:", "yellow")
        shown = plan.warnings if settings.verbose else plan.warnings[:_FIRST]
        for row, key, text in shown:
            render.result(f"  {sheet}:{row}: {key}: {text}")
        if len(shown) < len(plan.warnings):
            render.result(f"  and {len(plan.warnings) - len(shown)} more: --verbose shows all")
    render.result(f"Next: {run}")
