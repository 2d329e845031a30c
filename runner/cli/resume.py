"""`nightsheet resume`: clear a pause and go on with a batch, without its sheet."""

from typing import TYPE_CHECKING

from runner.cli import closing, parts, render
from runner.cli.asking import consent_of
from runner.cli.opening import execute, must_exist, surroundings
from runner.cli.options import RUNNING, BatchName
from runner.cli.options import command as made
from runner.cli.rehearsing import check_rehearsal

if TYPE_CHECKING:
    from runner.events.report import RunReport
    from runner.settings import Settings

EXAMPLE = "nightsheet resume first-night --budget 20"


@made(*RUNNING)
def command(
    settings: "Settings",
    batch: BatchName = None,
    only: parts.Only = None,
    where: parts.Where = None,
    limit: parts.Limit = None,
    sample: parts.Sample = None,
) -> int:
    """Clear a pause and go on with a batch, without its sheet.

    Where another runner works on it already, only the pause is cleared.
    """
    check_rehearsal(settings)
    part = parts.part_of(only, where, limit, sample)
    must_exist(settings)
    from runner.cli.progress import Display
    from runner.run import resume_batch

    around = surroundings()

    async def work(display: Display) -> "RunReport | None":
        consent = consent_of(settings, display)
        return await resume_batch(
            batch, settings=settings, around=around, consent=consent, watcher=display, part=part
        )

    with Display(around.clock.now, quiet=settings.quiet) as display:
        report = execute(lambda: work(display))
    if report is not None:
        return closing.show(report, settings, around)
    if settings.as_json:
        render.as_json({"batch": batch, "exit_code": 0, "resumed_by": "another runner"})
    else:
        render.result("Another runner holds this database: the pause is cleared.")
    return 0
