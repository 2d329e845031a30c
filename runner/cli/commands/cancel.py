"""`nightsheet cancel`: nothing new is submitted, and what is queued at the API is cancelled there."""

from collections.abc import Mapping, Sequence

from jobs.errors import UsageProblem
from jobs.exit_codes import ExitCode
from jobs.states import JobState
from runner.cli.console import console
from runner.cli.options.batch import BatchName, JobKeys
from runner.cli.options.command import with_settings
from runner.cli.options.settings import CHANGING
from runner.cli.reports import cancel as report
from runner.cli.steps.consent import put
from runner.cli.steps.open import batch_to_change, execute, opener_of_api, process_environment
from runner.deciding.cancel import cancel
from runner.humanize import count_of
from runner.settings import Settings

EXAMPLE = "nightsheet cancel first-night --job lighthouse"


@with_settings(*CHANGING)
def command(settings: Settings, batch: BatchName = None, job: JobKeys = None) -> int:
    """Cancel a batch, or some of its jobs: send nothing new, and cancel what waits at the API.

    A job that the API works on already is paid for: it goes on, and the next resume fetches it. On a terminal
    the command asks before it cancels a whole batch; --yes agrees beforehand. The exit code is 1 if you named
    jobs and none of them could be cancelled.
    """
    return execute(lambda: cancel_jobs(settings, batch, list(dict.fromkeys(job)) if job else None))


async def cancel_jobs(settings: Settings, name: str | None, keys: Sequence[str] | None) -> ExitCode:
    """Cancel, and report."""
    environment = process_environment()
    async with batch_to_change(settings, environment.clock, name) as (store, batch):
        if keys is None:
            await _agree_to_all(settings, await store.jobs.counts(batch.id), batch.name)
        result = await cancel(
            store,
            batch,
            keys,
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


async def _agree_to_all(settings: Settings, counts: Mapping[JobState, int], name: str) -> None:
    """Ask a person before a whole batch is cancelled; a script that names no job means all of them.

    Raises:
        UsageProblem: the person does not want it.
    """
    unsent = counts[JobState.QUEUED]
    at_the_api = counts[JobState.SUBMITTING] + counts[JobState.RUNNING]
    if not (unsent or at_the_api) or settings.yes or settings.emulator or not console.is_interactive():
        return
    what = f"{count_of(unsent, 'job')} not sent yet"
    if at_the_api:
        what += f" and {at_the_api:,} at the API"
    if not await put(f"Cancel all of batch {name}: {what}?"):
        raise UsageProblem("Nothing was cancelled.")
