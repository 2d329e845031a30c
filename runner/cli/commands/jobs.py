"""`nightsheet jobs`: the jobs with their state and the reason for it, or one of them in full."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.errors import UsageProblem
from jobs.manifests.record import record
from jobs.states import JobState
from runner.cli.console import console
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.options.settings import LOOKING
from runner.cli.reports import jobs as report
from runner.cli.steps.open import execute, open_existing, system_clock, tell_if_retired
from runner.cli.steps.standing import whereabouts
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView

EXAMPLE = "nightsheet jobs --state failed --columns key,prompt,reason"
_PAGE = 500


@with_settings(*LOOKING)
def command(
    settings: Settings,
    batch: BatchName = None,
    key: Annotated[
        str | None,
        typer.Argument(
            metavar="KEY",
            help="Show one job in full. Without BATCH it is looked for in the batch that ran last.",
        ),
    ] = None,
    state: Annotated[
        list[JobState] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help=f"Only jobs in this state: {', '.join(JobState)}; may be repeated.",
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="COLUMN=VALUE", help="Only jobs with this value; may be repeated."),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--columns",
            metavar="NAMES",
            help="Show only these columns, separated by commas: inputs, your own columns, cost, images, ...",
        ),
    ] = None,
) -> None:
    """List the jobs with their state and the reason for it, in sheet order; or show one in full.

    In a file or a pipe nothing is cut. --json prints an array of manifest records, or of the columns that you
    ask for; paths of pictures are relative to the current folder.
    """
    execute(lambda: _jobs(settings, batch, key, state or (), where or (), columns or ()))


async def _jobs(
    settings: Settings,
    name: str | None,
    key: str | None,
    states: Sequence[JobState],
    where: Sequence[str],
    columns: Sequence[str],
) -> None:
    async with open_existing(settings, system_clock()) as store:
        await tell_if_retired(store)
        batch, key = await _resolved(store, name, key)
        if key is not None:
            if states or where or columns:
                raise UsageProblem("A job in full cannot be combined with --state, --where or --columns.")
            await _in_full(store, batch, key, settings)
        else:
            await _list(store, batch, settings, states, where, columns)


async def _resolved(store: "Store", name: str | None, key: str | None) -> tuple["BatchView", str | None]:
    """The batch, and the key of one job of it. One word alone is a batch's name, or else a key."""
    if name is not None and key is None and await store.batches.find(name) is None:
        last = await store.batches.named(None)
        if await store.jobs.by_key(last.id, name) is not None:
            return last, name
    return await store.batches.named(name), key


async def _in_full(store: "Store", batch: "BatchView", key: str, settings: Settings) -> None:
    job = await store.jobs.by_key(batch.id, key)
    if job is None:
        raise UsageProblem(
            f"Batch {batch.name} has no job {key!r}.", hint="`nightsheet jobs` lists the keys."
        )
    if settings.as_json:
        console.as_json([record(job, Path.cwd(), whereabouts(batch, settings).of)])
        return
    attempts = await store.ledger.attempts(batch.id, job.id)
    for line, style in report.full(job, batch, attempts, settings, system_clock().now()):
        console.result(line, style)


async def _list(
    store: "Store",
    batch: "BatchView",
    settings: Settings,
    states: Sequence[JobState],
    where: Sequence[str],
    asked: Sequence[str],
) -> None:
    from jobs.manifests.columns import column_names_of

    names = await column_names_of(store, batch.id)
    columns, conditions = report.columns_of(asked, names), report.conditions_of(where, names)

    async def chosen() -> AsyncIterator["JobView"]:
        async for job in store.jobs.each(batch.id, states=states):
            if report.fits(job, conditions):
                yield job

    places = whereabouts(batch, settings)
    if settings.as_json:
        with console.json_array() as write:
            async for job in chosen():
                write(
                    {name: report.value_of(job, name) for name in columns}
                    if asked
                    else record(job, Path.cwd(), places.of)
                )
    elif not await _as_tables(chosen(), columns, whole=settings.verbose or console.width() is None):
        wanted = " or ".join(dict.fromkeys(state.value for state in states))
        none = f"no job is {wanted}" if wanted else "no job fits" if where else "it has no jobs"
        console.result(f"Batch {batch.name}: {none}.")


async def _as_tables(jobs: AsyncIterator["JobView"], columns: Sequence[str], *, whole: bool) -> int:
    """A table for every few hundred rows, as a batch may have many; returns how many rows."""
    number = 0
    rows: list[tuple[object, ...]] = []
    async for job in jobs:
        rows.append(report.row(job, columns, whole=whole))
        number += 1
        if len(rows) == _PAGE:
            report.show_table(columns, rows)
            rows = []
    if rows:
        report.show_table(columns, rows)
    return number
