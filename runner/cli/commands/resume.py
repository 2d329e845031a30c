"""`nightsheet resume`: clear a pause and go on with a batch, without its sheet."""

from typing import TYPE_CHECKING

from runner.cli.console import console
from runner.cli.options import selection
from runner.cli.options.settings import RUNNING, BatchName
from runner.cli.options.settings import command as made
from runner.cli.steps import run_end
from runner.cli.steps.consent import consent_of
from runner.cli.steps.open import execute, must_exist, process_environment
from runner.cli.steps.rehearsal import check_rehearsal

if TYPE_CHECKING:
    from runner.events.report import RunReport
    from runner.settings import Settings

EXAMPLE = "nightsheet resume first-night --budget 20"


@made(*RUNNING)
def command(
    settings: "Settings",
    batch: BatchName = None,
    only: selection.Only = None,
    where: selection.Where = None,
    limit: selection.Limit = None,
    sample: selection.Sample = None,
) -> int:
    """Clear a pause and go on with a batch, without its sheet.

    Where another runner works on it already, only the pause is cleared.
    """
    check_rehearsal(settings)
    part = selection.part_of(only, where, limit, sample)
    must_exist(settings)
    from runner.cli.console.progress import Display
    from runner.run import resume_batch

    environment = process_environment()

    async def work(display: Display) -> "RunReport | None":
        consent = consent_of(settings, display)
        return await resume_batch(
            batch,
            settings=settings,
            environment=environment,
            consent=consent,
            observer=display,
            selection=part,
        )

    with Display(environment.clock.now, quiet=settings.quiet) as display:
        report = execute(lambda: work(display))
    if report is not None:
        return run_end.show(report, settings, environment)
    if settings.as_json:
        console.as_json({"batch": batch, "exit_code": 0, "resumed_by": "another runner"})
    else:
        console.result("Another runner holds this database: the pause is cleared.")
    return 0
