"""`nightsheet jobs`: the jobs with their state and the reason for it."""

from collections.abc import AsyncIterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.manifests.record import record
from jobs.states import JobState
from runner.cli.console import console
from runner.cli.console.formatting import brief_model
from runner.cli.options.batch import BatchName
from runner.cli.options.command import with_settings
from runner.cli.options.settings import LOOKING
from runner.cli.steps.open import execute, opened_batch, system_clock
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.views import JobView

EXAMPLE = "nightsheet jobs --state failed --state unconfirmed"
_COLUMNS = ("key", "row", "state", "model", "attempts", "reason")
_REASON_LENGTH = 100
_PAGE = 500


@with_settings(*LOOKING)
def command(
    settings: Settings,
    batch: BatchName = None,
    state: Annotated[
        list[JobState] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help=f"Only jobs in this state: {', '.join(JobState)}; may be repeated.",
        ),
    ] = None,
) -> None:
    """List the jobs with their state and the reason for it, in sheet order.

    With --json an array of the manifest's records; pictures' paths are relative to the current folder.
    """
    execute(lambda: _list(settings, batch, state or ()))


async def _list(settings: Settings, name: str | None, states: Sequence[JobState]) -> None:
    async with opened_batch(settings, system_clock(), name) as (store, batch):
        jobs = store.jobs.each(batch.id, states=states)
        if settings.as_json:
            await _as_json(jobs)
        elif not await _as_tables(jobs, whole=settings.verbose):
            wanted = " or ".join(dict.fromkeys(state.value for state in states))
            none = f"no job is {wanted}" if wanted else "it has no jobs"
            console.result(f"Batch {batch.name}: {none}.")


async def _as_json(jobs: AsyncIterable["JobView"]) -> None:
    """One array, written job by job."""
    with console.json_array() as write:
        async for job in jobs:
            write(record(job, Path.cwd()))


async def _as_tables(jobs: AsyncIterable["JobView"], *, whole: bool) -> int:
    """A table for every few hundred rows, as a batch may have many; returns how many rows."""
    number = 0
    rows: list[tuple[object, ...]] = []
    async for job in jobs:
        rows.append(_row(job, whole=whole))
        number += 1
        if len(rows) == _PAGE:
            _table(rows)
            rows = []
    if rows:
        _table(rows)
    return number


def _table(rows: Sequence[tuple[object, ...]]) -> None:
    console.table(
        _COLUMNS,
        rows,
        numbers=("row", "attempts"),
        flowing=("reason",),
        spare=("attempts", "row", "model"),
        brief={"model": brief_model},
    )


def _row(job: "JobView", *, whole: bool) -> tuple[object, ...]:
    reason = "" if job.failure is None else f"{job.failure.kind}: {job.failure.message}"
    if not reason and job.held is not None:
        reason = f"held: paid for on {job.held.at.astimezone():%Y-%m-%d} under batch {job.held.batch}"
        reason += f" ({job.held.database})" if job.held.database else ""
    if not reason and job.warnings:
        reason = f"warning: {' | '.join(job.warnings)}"
    if not reason and job.twin is not None:
        reason = f"the result of {job.twin.key}, which says the same"
    shown = reason if whole else console.short(reason, _REASON_LENGTH)
    return job.key, job.row, job.state.value, job.model, job.attempts, shown
