"""`nightsheet check`: validate a sheet and show its plan. Loads nothing, pays nothing, needs no token."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.errors import SheetProblems
from jobs.exit_codes import ExitCode
from jobs.sheets import SheetSource
from jobs.sheets.images.way import Way
from runner.cli.console import console
from runner.cli.console.formatting import then
from runner.cli.options.command import with_settings
from runner.cli.options.settings import LOOKING
from runner.cli.options.sheet import SheetOptions
from runner.cli.reports import problems
from runner.cli.reports.plans import plan_shown
from runner.cli.reports.plans.plan import Plan
from runner.cli.steps.new_database import tell_of_another
from runner.cli.steps.open import execute
from runner.cli.steps.sheets.plan_sheet import plan_sheet
from runner.humanize import count_of
from runner.settings import Settings
from runner.uploads.object_store import open_bucket

EXAMPLE = "nightsheet check my.csv"


@with_settings(*LOOKING, "upload", "again")
def command(
    settings: Settings,
    sheet: SheetOptions,
    remote: Annotated[
        bool,
        typer.Option("--remote", help="Look at the first bytes of hosted pictures."),
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write all problems there, as CSV.")
    ] = None,
) -> int:
    """Check every row, and show the plan: jobs, pictures, price. Loads nothing, pays nothing.

    It needs no token. With one it asks the API for its prices, which is free; without, it takes the prices of
    the batch's last run, or those in the table `prices` of nightsheet.toml. Jobs that an earlier run finished
    do not count again. With --remote it asks the hosts of the sheet's pictures for their first bytes.
    """
    problems.check_target(output, sheet.path)
    with sheet.source() as source:
        if settings.way is Way.STORE and settings.upload is not None:
            open_bucket(settings.upload)  # checks that it can be opened, and asks it nothing
        tell_of_another(settings, source, "check", *sheet.words())
        plan = Plan("")
        try:
            plan, prices = execute(lambda: plan_sheet(source, sheet, settings, remote=remote))
            if plan.problems:
                found = count_of(len(plan.problems), "problem")
                raise SheetProblems(
                    f"{source.name} has {found}.",
                    plan.problems,
                )
        except SheetProblems as error:
            return _report_problems(source, plan, error, settings, output)
        if output is not None:
            problems.write((), output)
        if settings.as_json:
            console.as_json(plan.as_json(source.name, prices.usd, prices.source))
        else:
            plan_shown.show(source.name, plan, prices, settings, then(settings, "run", *sheet.words()))
    return ExitCode.OK


def _report_problems(
    source: SheetSource, plan: Plan, error: SheetProblems, settings: Settings, output: Path | None
) -> ExitCode:
    if output is not None:
        problems.write(error.problems, output)
    if settings.as_json:
        console.as_json(Plan(plan.batch, problems=list(error.problems)).as_json(source.name, {}))
    else:
        problems.show(error.problems)
        if plan.warned:
            plan_shown.show_warnings(source.name, plan, all_warnings=settings.verbose)
        console.result(error.message, style="bold red")
        console.result("Nothing is loaded or paid until that is fixed.")
        if output is not None:
            console.message(f"Written: {output}")
    return error.exit_code
