"""The plan of a sheet for a person, as `check` prints it."""

import shlex

from jobs.sheets.images.way import UNPROVEN, Way
from runner.cli.console import console
from runner.cli.console.formatting import brief_model, then
from runner.cli.console.problem_blocks import row_ranges
from runner.cli.reports.plans.plan import Plan
from runner.cli.reports.plans.plan_text import cost, difference, identical, source_of_prices
from runner.humanize import count_of, duration
from runner.planning.paid_words import HINT, adopted_notice, told
from runner.planning.prices import Prices
from runner.providers.vendor import VENDOR
from runner.settings import Settings

_CAUSES = 20
"""Causes of warnings that are shown."""

Warned = tuple[int | None, str | None, str]


def show(sheet: str, plan: Plan, prices: Prices, settings: Settings, next_command: str) -> None:
    """Jobs, images and price; what is odd; and the command that would run it."""
    _show_totals(plan, prices, settings)
    _show_known(plan)
    if plan.repeats:
        console.result(identical(plan.repeats, prices.usd, plan.repeated, dedupe=plan.dedupe), "yellow")
    if plan.looked_at:
        beyond = f"; the sheet names {plan.not_looked_at:,} more" if plan.not_looked_at else ""
        console.result(f"Looked at: {count_of(plan.looked_at, 'hosted picture')}{beyond}.")
    if plan.pictured:
        _show_local_images(plan, settings)
    for column, name in plan.otherwise.items():
        console.result(f"The column {console.short(column)} is read as {name}.")
    if plan.unsent:
        names = ", ".join(map(console.short, plan.unsent))
        console.result(f"Not sent, and kept for the manifest: {names}.")
    if plan.minutes is not None:
        console.result(f"It will take about {duration(60 * plan.minutes)}, at the pace of the last run.")
    if plan.rows < plan.jobs:
        _show_samples(plan)
    if plan.warned:
        show_warnings(sheet, plan, all_warnings=settings.verbose)
    if plan.paused is not None:
        detail = plan.paused.detail
        is_told = shlex.join(["nightsheet", "resume", plan.batch]) in detail
        how = "" if is_told else f" To go on: `{then(settings, 'resume', plan.batch)}`."
        console.result(
            f"Paused ({plan.paused.reason}), and `run` sends nothing: {detail}{how}", "bold yellow"
        )
    if plan.needs_token:
        console.result(
            f"A run needs a token, and there is none: make one at {VENDOR.token_page} and put it into "
            f"{VENDOR.token_variable}. With --emulator it is a rehearsal, which needs none.",
            "yellow",
        )
    console.result(f"Next: {next_command}")


def _show_totals(plan: Plan, prices: Prices, settings: Settings) -> None:
    size = f"{count_of(plan.jobs, 'job')}, at most {count_of(plan.pictures, 'picture')}"
    if plan.rows < plan.jobs:
        size = f"{count_of(plan.rows, 'row')}, {size}"
    if plan.known or (plan.dedupe and plan.repeats):
        console.result(f"Batch {plan.batch}: {size}.", "bold green")
        console.result(difference(plan, prices.usd), "bold")
    else:
        console.result(f"Batch {plan.batch}: {size}, {cost(plan.to_send, prices.usd)}.", "bold green")
    if plan.to_send and not settings.emulator:
        console.result(source_of_prices(prices))
    console.table(
        ("model", "jobs", "pictures at most"),
        [(model, jobs, images) for model, (jobs, images) in plan.work.items()],
        numbers=("jobs", "pictures at most"),
        brief={"model": brief_model},
    )


def _show_known(plan: Plan) -> None:
    """What costs nothing, or is not sent unasked, for it was paid for before."""
    if plan.changes["adopted"]:
        console.result(adopted_notice(plan.changes["adopted"]))
    for sentence in told(tuple(plan.paid_before.values()), plan.jobs, plan.at, plan.beside):
        console.result(sentence, "yellow")
    if plan.held_work:
        console.result(f"A run asks before it pays for them, and --yes does not send them. {HINT}")


def _show_local_images(plan: Plan, settings: Settings) -> None:
    """How the images of this computer would get to the API."""
    settings = settings if plan.upload is None else settings.model_copy(update={"upload": plan.upload})
    where = f"are uploaded to {settings.upload}" if settings.way is Way.STORE else "go inside the request"
    jobs = count_of(plan.pictured, "job")
    uses = "uses" if plan.pictured == 1 else "use"
    console.result(f"{jobs} {uses} pictures of this computer, which {where} before the job is sent.")
    if settings.way is Way.INSIDE and not settings.emulator:
        console.result(UNPROVEN, "yellow")


def _show_samples(plan: Plan) -> None:
    """Jobs of families: a mistake in a matrix is seen here, before it is paid a thousand times."""
    for job in plan.samples:
        if job is plan.last and plan.jobs > len(plan.samples):
            console.result("  ...")
        inputs = ", ".join(f"{name}: {console.short(str(value))}" for name, value in job.inputs.items())
        console.result(f"  {job.key}: {inputs}")


def show_warnings(sheet: str, plan: Plan, *, all_warnings: bool = False) -> None:
    """What may not be meant: a line a cause, which names its rows; with `all_warnings` a line each."""
    console.result(f"{count_of(plan.warned, 'warning')}:", "yellow")
    causes: dict[object, list[Warned]] = {}
    for index, warning in enumerate(plan.warnings):
        causes.setdefault(index if all_warnings else warning[2], []).append(warning)
    shown = list(causes.values()) if all_warnings else list(causes.values())[:_CAUSES]
    for same in shown:
        row, key, text = same[0]
        place = ":".join(str(part) for part in (sheet, row, key) if part is not None)
        if len(same) > 1:
            rows = row_ranges([row for row, _, _ in same if row is not None])
            place = f"{count_of(len(same), 'row')} ({rows})"
        console.result(f"  {place}: {text}")
    if (left := plan.warned - sum(map(len, shown))) > 0:
        more = "" if all_warnings else ": --verbose shows all"
        console.result(f"  and {left:,} more{more}")
