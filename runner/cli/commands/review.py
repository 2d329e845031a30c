"""`nightsheet review`: the submits without an answer, and what a person decides about each."""

from collections.abc import Sequence
from typing import Annotated

import typer

from jobs.exit_codes import ExitCode
from runner.cli.console import console
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.options.settings import CHANGING
from runner.cli.reports import review as report
from runner.cli.steps.decisions import carry_out, decisions_from
from runner.cli.steps.open import batch_to_change, execute, process_environment
from runner.deciding.reviewable import unconfirmed_jobs
from runner.providers.vendor import VENDOR
from runner.recovery.journal_places import places_of
from runner.recovery.recover import settle_beside
from runner.settings import Settings

EXAMPLE = "nightsheet review --attach lighthouse=6d2b7a10-... --discard harbour"


@with_settings(*CHANGING)
def command(
    settings: Settings,
    batch: BatchName = None,
    attach: Annotated[
        list[str] | None,
        typer.Option(
            "--attach",
            metavar="KEY=REQUEST_ID",
            help="The API knows it by this id: fetch it, which is free. This works for lost, discarded and "
            "cancelled jobs as well, and with the id of an earlier submit.",
        ),
    ] = None,
    resubmit: Annotated[
        list[str] | None,
        typer.Option(
            "--resubmit",
            metavar="KEY|all",
            help="Send it again, `all` for all of them. If it was accepted, it is paid twice.",
        ),
    ] = None,
    discard: Annotated[
        list[str] | None,
        typer.Option(
            "--discard",
            metavar="KEY|all",
            help="Give it up, `all` for all of them. If it was accepted, it was paid for nothing.",
        ),
    ] = None,
) -> int:
    """List the submits that got no usable answer, and decide about them."""
    return execute(lambda: review_jobs(settings, batch, attach or (), resubmit or (), discard or ()))


# Not written as a docstring: `--help` shows it, and the name of the site is the vendor's.
command.__doc__ = f"""List the submits that got no usable answer, and decide about them.

Look at your requests on {VENDOR.website}: what is there was accepted and paid for, so attach it. If two
revisions of a row are unconfirmed, KEY@REVISION names one of them. The exit code is 1 if a decision could
not be carried out.
"""


async def review_jobs(
    settings: Settings,
    name: str | None,
    attach: Sequence[str],
    resubmit: Sequence[str],
    discard: Sequence[str],
) -> ExitCode:
    """List the unconfirmed jobs, or carry out what the words decide about them."""
    environment = process_environment()
    clock = environment.clock
    async with batch_to_change(settings, clock, name) as (store, batch):
        places = await places_of(store, batch, settings, environment.state_folder)
        await settle_beside(store, batch, places, command="review", clock=clock, notice=console.message)
        unconfirmed = await unconfirmed_jobs(store, batch, attaching=bool(attach))
        if not (attach or resubmit or discard):
            if settings.as_json:
                console.as_json(report.unconfirmed_json(unconfirmed))
            else:
                report.show_unconfirmed(batch, unconfirmed, settings, clock.now())
            return ExitCode.OK
        decisions = decisions_from(unconfirmed, attach, resubmit, discard)
        result = await carry_out(decisions, store, batch, settings, environment)
        if settings.as_json:
            console.as_json(report.result_json(batch, unconfirmed, result))
        else:
            report.show_result(batch, result, settings)
        return result.exit_code
