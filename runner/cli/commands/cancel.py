"""`nightsheet cancel`: nothing new is submitted, and what is queued at the API is cancelled there."""

from collections.abc import Sequence

from jobs.exit_codes import ExitCode
from runner.cli.console import console
from runner.cli.options.batch import BatchName, JobKeys
from runner.cli.options.command import with_settings
from runner.cli.options.settings import LOOKING
from runner.cli.reports import cancel as report
from runner.cli.steps.open import execute, opened_batch, opener_of_api, process_environment
from runner.deciding.cancel import cancel
from runner.settings import Settings

EXAMPLE = "nightsheet cancel first-night --job lighthouse"


@with_settings(*LOOKING)
def command(settings: Settings, batch: BatchName = None, job: JobKeys = None) -> int:
    """Cancel a batch, or some of its jobs: nothing new is sent, what waits at the API is cancelled there.

    What the API works on already is paid for: it goes on, and the next resume fetches it. Ends with exit
    code 1 if jobs were named, and none of them could be cancelled.
    """
    return execute(lambda: cancel_jobs(settings, batch, list(dict.fromkeys(job)) if job else None))


async def cancel_jobs(settings: Settings, name: str | None, keys: Sequence[str] | None) -> ExitCode:
    """Cancel, and report."""
    environment = process_environment()
    async with opened_batch(settings, environment.clock, name) as (store, batch):
        result = await cancel(
            store,
            batch,
            keys,
            database=settings.database,
            clock=environment.clock,
            open_api=opener_of_api(batch, settings, environment),
            notice=console.message,
        )
        report.show_api_messages(result)
        if settings.as_json:
            console.as_json(report.as_json(batch.name, result))
        else:
            report.show(batch.name, result, settings)
    return result.exit_code
