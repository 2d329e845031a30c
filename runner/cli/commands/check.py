"""`nightsheet check`: validate a sheet and show its plan. Loads nothing, pays nothing, needs no token."""

import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.errors import NightsheetError, SheetProblems, UsageProblem
from jobs.problems import Problem
from jobs.row_change import NEW, RowChange
from runner.cli.console import console
from runner.cli.console.formatting import brief_model, then
from runner.cli.options import sheet as sheet_options
from runner.cli.options.settings import LOOKING
from runner.cli.options.settings import command as made
from runner.cli.reports import problems
from runner.cli.reports.plan import Plan, totals
from runner.cli.reports.plan_text import cost, difference, identical, source_of_prices
from runner.cli.steps.hosted_images import Hosted, look
from runner.cli.steps.open import env_and_home, execute, existing, system_clock
from runner.humanize import count_of, duration

if TYPE_CHECKING:
    from jobs.sheets import PlannedJob, SheetSource
    from jobs.store.store import Store
    from jobs.views import BatchView
    from runner.planning.prices import Prices
    from runner.settings import Settings

EXAMPLE = "nightsheet check sample_batches/storyboard.yaml"
_FIRST = 5
_CHUNK = 500


@made(*LOOKING, "upload")
def command(
    sheet: sheet_options.SheetPath,
    settings: "Settings",
    batch: sheet_options.Batch = None,
    model: sheet_options.Model = None,
    form: sheet_options.Format = None,
    worksheet: sheet_options.Worksheet = None,
    encoding: sheet_options.Encoding = None,
    priority_by: sheet_options.PriorityBy = None,
    dedupe: sheet_options.Dedupe = None,
    remote: Annotated[
        bool,
        typer.Option("--remote", help="Look at the first bytes of hosted pictures, as the API would."),
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write all problems there, as CSV.")
    ] = None,
) -> int:
    """Check every row, and show the plan: jobs, pictures, price. Loads nothing, pays nothing.

    Needs no token; where there is one, the API is asked for its prices, which is free. Else they are those of
    the batch's last run, or those in the table `prices` of nightsheet.toml. What an earlier run has done is
    not counted again. With --remote the hosts of the sheet's pictures are asked for their beginnings.
    """
    from jobs.sheets.images.album import Way
    from runner.uploads.object_store import open_bucket

    problems.check_target(output, sheet)
    with sheet_options.source_of(sheet, form, worksheet, encoding) as source:
        plan = Plan("")
        if settings.way is Way.STORE and settings.upload is not None:
            open_bucket(settings.upload)  # that it can be opened; it is asked nothing
        try:
            plan, prices = execute(
                lambda: _read(source, batch, model, settings, priority_by, dedupe, remote=remote)
            )
            if plan.problems:
                found = count_of(len(plan.problems), "problem")
                raise SheetProblems(f"{source.name} has {found}: it would not be loaded.", plan.problems)
        except SheetProblems as error:
            return _refuse(source, Plan(plan.batch, problems=list(error.problems)), error, settings, output)
        if output is not None:
            problems.write((), output)
        if settings.as_json:
            console.as_json(plan.as_json(source.name, prices.usd, prices.source))
        else:
            again = sheet_options.repeated(batch, model, form, worksheet, encoding, priority_by, dedupe)
            _show(source, plan, settings, prices, then(settings, "run", str(sheet), *again))
    return 0


async def _read(
    source: "SheetSource",
    batch: str | None,
    model: str | None,
    settings: "Settings",
    priority_by: str | None,
    dedupe: bool | None,
    *,
    remote: bool,
) -> tuple[Plan, "Prices"]:
    from jobs.sheets import open_sheet, plan
    from runner.settings import with_image_settings

    opened = open_sheet(with_image_settings(source, settings), batch=batch, model=model)
    hosted = Hosted()
    stream = plan(opened, random.Random(), priority_by)  # noqa: S311 - seeds of pictures, and shown to nobody
    async with AsyncExitStack() as stack:
        store = await _table(stack, settings)
        held = None if store is None else await store.batches.find(opened.batch)
        kept = held is not None and held.dedupe
        found = Plan(opened.batch, dedupe=kept if dedupe is None else dedupe)
        while chunk := list(islice(stream, _CHUNK)):
            jobs = [item for item in chunk if not isinstance(item, Problem)]
            for job in jobs if remote else ():
                hosted.add(job)
            fates = [NEW] * len(jobs)
            if store is not None and held is not None:
                fates = await store.preview.compare(held.id, jobs)
            _take(source, found, chunk, fates, listing=settings.verbose and not settings.as_json)
        if store is not None and held is not None:
            found.known, found.held = True, sum((await store.jobs.counts(held.id)).values())
        found.minutes = await _minutes(store, held, found)
    if hosted.named:
        await look(hosted, source.name, found, settings)
    return found, await _prices(settings, found, held)


async def _table(stack: AsyncExitStack, settings: "Settings") -> "Store | None":
    """The job table; None where there is none, or none that can be read: a plan can be shown without."""
    if not settings.database.exists():
        return None
    try:
        return await stack.enter_async_context(existing(settings, system_clock()))
    except NightsheetError:
        return None


def _take(
    source: "SheetSource",
    plan: Plan,
    chunk: "Sequence[PlannedJob | Problem]",
    fates: list[RowChange],
    *,
    listing: bool,
) -> None:
    each = iter(fates)
    for item in chunk:
        if isinstance(item, Problem):
            plan.add(item)
            continue
        plan.add(item, next(each))
        if listing:
            pictures = count_of(item.pictures, "picture")
            console.result(f"{source.name}:{item.row}: {item.key}: {item.model}, {pictures} at most")


async def _minutes(store: "Store | None", held: "BatchView | None", plan: Plan) -> float | None:
    """How long it will take at the pace that was measured last; None where nothing was."""
    if store is None or not plan.to_send:
        return None
    try:
        pace = await store.preview.throughput((held or await store.batches.named(None)).origin)
    except UsageProblem:  # a table without a batch
        return None
    return totals(plan.to_send)["jobs"] / pace if pace else None


def _refuse(
    source: "SheetSource", plan: Plan, error: SheetProblems, settings: "Settings", output: Path | None
) -> int:
    if output is not None:
        problems.write(plan.problems, output)
    if settings.as_json:
        console.as_json(plan.as_json(source.name, {}))
    else:
        problems.show(plan.problems)
        console.message(error.message, style="bold red")
        if output is not None:
            console.message(f"Written: {output}")
    return error.exit_code


async def _prices(settings: "Settings", plan: Plan, held: "BatchView | None") -> "Prices":
    """What a picture costs by model: as the API tells where there is a token, else as far as it is known."""
    from runner.planning.prices import Prices, PriceSource, prices_for

    if settings.emulator:
        from runner.emulator.settings import EmulatorSettings

        stand_in = EmulatorSettings()
        return Prices({model: stand_in.price(model) for model in plan.work}, PriceSource.EMULATOR)
    needed = () if plan.problems else tuple({**plan.to_send, **plan.repeats})
    last_run = held.prices if held else {}
    return await prices_for(needed, settings, *env_and_home(), system_clock(), last_run)


def _show(
    source: "SheetSource", plan: Plan, settings: "Settings", priced: "Prices", next_command: str
) -> None:
    prices = priced.usd
    told = f"{count_of(plan.jobs, 'job')}, at most {count_of(plan.pictures, 'picture')}"
    if plan.rows < plan.jobs:
        told = f"{count_of(plan.rows, 'row')}, {told}"
    if plan.known or (plan.dedupe and plan.repeats):
        console.result(f"Batch {plan.batch}: {told}.", "bold green")
        console.result(difference(plan, prices), "bold")
    else:
        console.result(f"Batch {plan.batch}: {told}, {cost(plan.to_send, prices)}.", "bold green")
    if plan.to_send and not settings.emulator:
        console.result(source_of_prices(priced))
    rows = [(model, jobs, pictures) for model, (jobs, pictures) in plan.work.items()]
    console.table(
        ("model", "jobs", "pictures at most"),
        rows,
        numbers=("jobs", "pictures at most"),
        brief={"model": brief_model},
    )
    if plan.repeats:
        console.result(identical(plan.repeats, prices, plan.repeated, dedupe=plan.dedupe), "yellow")
    if plan.looked_at:
        beyond = f"; the sheet names {plan.not_looked_at:,} more" if plan.not_looked_at else ""
        console.result(f"Looked at: {count_of(plan.looked_at, 'hosted picture')}{beyond}.")
    if plan.pictured:
        _show_way(plan, settings)
    if plan.minutes is not None:
        console.result(f"It will take about {duration(60 * plan.minutes)}, at the pace of the last run.")
    if plan.rows < plan.jobs:
        _show_samples(plan)
    if plan.warned:
        console.result(f"{count_of(plan.warned, 'warning')}:", "yellow")
        shown = plan.warnings if settings.verbose else plan.warnings[:_FIRST]
        for row, key, text in shown:
            console.result(f"  {source.name}:{row}: {key}: {text}")
        if len(shown) < plan.warned:
            more = "" if settings.verbose else ": --verbose shows all"
            console.result(f"  and {plan.warned - len(shown)} more{more}")
    console.result(f"Next: {next_command}")


def _show_way(plan: Plan, settings: "Settings") -> None:
    """How the pictures of this computer would get to the API."""
    from jobs.sheets.images.album import Way
    from runner.settings import UNPROVEN

    where = f"are put into {settings.upload}" if settings.way is Way.STORE else "go inside the request"
    jobs = count_of(plan.pictured, "job")
    console.result(f"Pictures of this computer: {jobs} with some. Before a job is sent they {where}.")
    if settings.way is Way.INSIDE and not settings.emulator:
        console.result(UNPROVEN, "yellow")


def _show_samples(plan: Plan) -> None:
    """What families of jobs came to: a slip in a matrix is seen here, before it is paid a thousand times."""
    for job in plan.samples:
        if job is plan.last and plan.jobs > len(plan.samples):
            console.result("  ...")
        said = ", ".join(f"{name}: {console.short(str(value))}" for name, value in job.inputs.items())
        console.result(f"  {job.key}: {said}")
