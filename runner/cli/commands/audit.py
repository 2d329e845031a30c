"""`nightsheet audit`: every paid submit, what came of it, and what is paid and not in hand."""

from typing import TYPE_CHECKING

from jobs.exit_codes import ExitCode
from jobs.ledger import balance
from runner.cli.console import console
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.options.settings import FINDING, LOOKING
from runner.cli.reports import audit as report
from runner.cli.reports.audit import Audit
from runner.cli.reports.ledger import SheetRows
from runner.cli.steps.missing_images import missing_images
from runner.cli.steps.open import execute, opened_batch, process_environment, tell_if_retired
from runner.cli.steps.standing import whereabouts
from runner.recovery.healing import unmatched
from runner.recovery.journal_places import places_of
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.store.store import Store

EXAMPLE = "nightsheet audit --json"


@with_settings(*LOOKING, *FINDING)
def command(settings: Settings, batch: BatchName = None) -> int:
    """Show every submit that was or may have been paid, and what was paid without pictures here.

    The exit code is 1 if the books do not balance (a job was sent more often than was allowed), if the
    journal knows submits that the database does not, or if a row's pictures are no longer on disk.
    """
    return execute(lambda: _audit(settings, batch))


async def _audit(settings: Settings, name: str | None) -> ExitCode:
    environment = process_environment()
    clock = environment.clock
    async with opened_batch(settings, clock, name) as (store, batch):
        await tell_if_retired(store)
        places = await places_of(store, batch, settings, environment.state_folder)
        attempts = await store.ledger.attempts(batch.id)
        audit = Audit(
            batch,
            attempts,
            balance(attempts),
            SheetRows(await store.jobs.revisions(batch.id)),
            await store.links.listed(batch.id),
            await missing_images(store, batch, whereabouts(batch, settings)),
            [record for record in await unmatched(store, places) if record.batch == batch.name],
            await _recounted(store, batch.id),
        )
    if settings.as_json:
        console.as_json(report.as_json(audit))
    else:
        report.show(audit, settings, clock.now())
    return ExitCode.OK if audit.is_clean else ExitCode.INCOMPLETE


async def _recounted(store: "Store", batch_id: int) -> int:
    """Hold the kept counts against the jobs; how many were wrong. They are put right."""
    wrong = await store.counts.wrong(batch_id)
    if wrong:
        await store.counts.recount(batch_id)
    return wrong
