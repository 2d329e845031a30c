"""`nightsheet jobs`: the jobs with their state and the reason for it."""

from collections.abc import AsyncIterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.states import JobState
from runner.cli.console import console
from runner.cli.console.formatting import brief_model
from runner.cli.options.settings import LOOKING, BatchName
from runner.cli.options.settings import command as made
from runner.cli.steps.open import execute, opened_batch, system_clock

if TYPE_CHECKING:
    from jobs.views import JobView
    from runner.settings import Settings

EXAMPLE = "nightsheet jobs --state failed --state unconfirmed"
_COLUMNS = ("key", "row", "state", "model", "attempts", "reason")
_SHORT = 100
_PAGE = 500


@made(*LOOKING)
def command(
    settings: "Settings",
    batch: BatchName = None,
    state: Annotated[
        list[JobState] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help=f"Only jobs in this state: {', '.join(JobState)}; may be repeated.",
        ),
    ] = None,
) -> int:
    """List the jobs with their state and the reason for it, in sheet order.

    With --json an array of the manifest's records; pictures' paths are relative to the current folder.
    """
    execute(lambda: _list(settings, batch, state or ()))
    return 0


async def _list(settings: "Settings", name: str | None, states: Sequence[JobState]) -> None:
    async with opened_batch(settings, system_clock(), name) as (store, batch):
        jobs = store.jobs.each(batch.id, states=states)
        if settings.as_json:
            await _as_json(jobs)
        else:
            shown = await _as_tables(jobs, whole=settings.verbose)
            if not shown:
                wanted = " or ".join(dict.fromkeys(state.value for state in states))
                none = f"no job is {wanted}" if wanted else "it has no jobs"
                console.result(f"Batch {batch.name}: {none}.")


async def _as_json(jobs: AsyncIterable["JobView"]) -> None:
    """One array, written as it comes."""
    from jobs.manifests.record import record

    with console.json_array() as write:
        async for job in jobs:
            write(record(job, Path.cwd()))


async def _as_tables(jobs: AsyncIterable["JobView"], *, whole: bool) -> int:
    """A table of some hundred rows at a time, as a batch may have many; returns how many rows."""
    shown = 0
    rows: list[tuple[object, ...]] = []
    async for job in jobs:
        rows.append(_row(job, whole=whole))
        shown += 1
        if len(rows) == _PAGE:
            _table(rows)
            rows = []
    if rows:
        _table(rows)
    return shown


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
    told = "" if job.failure is None else f"{job.failure.kind}: {job.failure.message}"
    if not told and job.warnings:
        told = f"warning: {' | '.join(job.warnings)}"
    if job.twin is not None and not told:
        told = f"the result of {job.twin.key}, which says the same"
    reason = told if whole else console.short(told, _SHORT)
    return job.key, job.row, job.state.value, job.model, job.attempts, reason
