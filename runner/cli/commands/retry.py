"""`nightsheet retry`: give failed and cancelled jobs another chance. Sends nothing itself."""

from collections.abc import Sequence
from typing import Annotated

import typer

from jobs.exit_codes import ExitCode
from jobs.failures import FailureKind
from runner.cli.console import console
from runner.cli.options.batch import BatchName, JobKeys
from runner.cli.options.command import with_settings
from runner.cli.options.settings import CHANGING
from runner.cli.reports import retry as report
from runner.cli.steps.consent import agrees
from runner.cli.steps.open import batch_to_change, execute, opener_of_api, process_environment
from runner.deciding.changes import price_to_send
from runner.deciding.retry import carry_out, plan_retry, without_payment
from runner.humanize import count_of
from runner.recovery.moved_images import find_moved
from runner.settings import Settings, as_kept

EXAMPLE = "nightsheet retry first-night --kind remote_failed"
_KINDS = tuple(kind for kind in FailureKind if kind is not FailureKind.UNCONFIRMED)
"""Kinds that can be retried; `review` decides about unconfirmed jobs."""


@with_settings(*CHANGING)
def command(
    settings: Settings,
    batch: BatchName = None,
    job: JobKeys = None,
    kind: Annotated[
        list[FailureKind] | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help=f"Retry only jobs that failed like this: {', '.join(_KINDS)}; may be repeated.",
        ),
    ] = None,
    free: Annotated[
        bool, typer.Option("--free", help="Retry only what is free; pay for nothing again.")
    ] = False,
) -> int:
    """Give failed jobs another chance: free where the API holds the result, else a new paid submit.

    It sends nothing itself: the next run does. Moderated, discarded and cancelled jobs are retried only if
    --kind or --job names them. Pictures that are missing on disk are fetched again, free, as long as the API
    has them. The exit code is 1 if it had to leave jobs out and retried none.
    """
    return execute(lambda: retry_jobs(settings, batch, job or (), kind or (), free=free))


async def retry_jobs(
    settings: Settings,
    name: str | None,
    keys: Sequence[str],
    kinds: Sequence[FailureKind],
    *,
    free: bool = False,
) -> ExitCode:
    """Plan, ask for consent, queue again, report."""
    environment = process_environment()
    clock = environment.clock
    async with batch_to_change(settings, clock, name) as (store, batch):
        if batch.output_root is not None:  # what was only moved is not fetched again
            await find_moved(store, batch, as_kept(settings, batch).output_root)
        # Opened, and held against the batch's origin, only where a lost request is asked for.
        plan = await plan_retry(
            store,
            batch,
            keys,
            kinds,
            lambda: opener_of_api(batch, settings, environment)(),
            submit_timeout=settings.submit_timeout,
        )
        what = f"{count_of(len(plan.paid), 'job')} would be sent and paid for again"
        if free or (plan.paid and not await agrees(settings, what, *price_to_send(batch, plan.paid))):
            plan = without_payment(plan, batch)
        retried = await carry_out(plan, store, clock)
        if settings.as_json:
            console.as_json(report.as_json(batch, retried))
        else:
            report.show(batch, retried, settings)
    return ExitCode.INCOMPLETE if retried.is_empty and retried.not_retried else ExitCode.OK
