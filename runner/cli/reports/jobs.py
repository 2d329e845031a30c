"""Jobs of a batch: as rows with columns of choice, and one of them in full."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.catalog.registry import find
from jobs.errors import UsageProblem
from jobs.failures import FailureKind
from jobs.manifests.record import dollars, moment, relative
from jobs.sheets.rows.column_names import fields_of, known_inputs, plain, word_for
from jobs.states import JobState
from jobs.suggestions import closest, did_you_mean
from runner.cli.console import console
from runner.cli.console.formatting import brief_model, then
from runner.humanize import clock_time, money
from runner.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.manifests.columns import ColumnNames
    from jobs.views import AttemptView, BatchView, JobView

USUAL = ("key", "row", "state", "model", "attempts", "cost", "prompt", "reason")
_PLAIN = (
    *("batch", "key", "id", "row", "model", "state", "reason", "attempts", "cost", "request_id", "images"),
    *("warnings", "revision", "created_at", "submitted_at", "finished_at"),
)
"""Columns that every job has, whatever its sheet has. Others are inputs, then the sheet's own."""
_OF_INPUTS, _OF_SHEET = "inputs.", "columns."
_LONGEST = {"reason": 100, "prompt": 60}
_LONGEST_OTHER = 30
_NUMBERS = frozenset({"row", "attempts", "cost", "revision", "seed", "count"})

Conditions = Mapping[str, set[str]]
"""By column the values that will do."""


def columns_of(asked: Sequence[str], names: "ColumnNames") -> list[str]:
    """The columns to show: those asked for, or the usual ones and the sheet's own.

    Raises:
        UsageProblem: no job of the batch has such a column.
    """
    if not asked:
        own = [f"{_OF_SHEET}{name}" if _is_taken(name) else name for name in names.columns]
        return [*USUAL[:-1], *own, USUAL[-1]]
    columns = [name.strip() for word in asked for name in word.split(",") if name.strip()]
    for name in columns:
        check_column("--columns", name, names)
    return list(dict.fromkeys(columns))


def conditions_of(words: Sequence[str], names: "ColumnNames") -> Conditions:
    """The conditions of --where: values of one column are alternatives, and every column must match.

    Raises:
        UsageProblem: a word has no `=`, or no job of the batch has such a column.
    """
    conditions: dict[str, set[str]] = {}
    for word in words:
        column, equals, value = word.partition("=")
        if not equals or not column.strip():
            raise UsageProblem(f"--where {word}: a column, =, and its value are needed.")
        check_column("--where", column.strip(), names)
        conditions.setdefault(column.strip(), set()).add(value.strip())
    return conditions


def check_column(option: str, name: str, names: "ColumnNames") -> None:
    """Raise UsageProblem where no job of the batch has this column."""
    bare = name.removeprefix(_OF_INPUTS).removeprefix(_OF_SHEET)
    if _is_taken(name) or bare in names.columns or bare in names.inputs:
        return
    all_names = [*_PLAIN, *names.columns, *dict.fromkeys(known_inputs().values())]
    meant = closest(bare, all_names)
    raise UsageProblem(
        f"{option}: no job has a column {name!r}.", did_you_mean(meant, f"Columns: {', '.join(all_names)}.")
    )


def fits(job: "JobView", conditions: Conditions) -> bool:
    """Whether the job meets every condition."""
    return all(text_of(job, column) in values for column, values in conditions.items())


def row(job: "JobView", columns: Sequence[str], *, whole: bool) -> tuple[object, ...]:
    """The cells of one job; long ones are cut unless `whole`."""
    cells = (text_of(job, name) for name in columns)
    if whole:
        return tuple(cells)
    return tuple(
        cell if name in ("key", "model") else console.short(cell, _LONGEST.get(name, _LONGEST_OTHER))
        for name, cell in zip(columns, cells, strict=True)
    )


def show_table(columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    """A table of jobs; where the terminal is narrow, the sheet's own columns go first."""
    own = [name for name in columns if name not in USUAL]
    console.table(
        columns,
        rows,
        numbers=[name for name in columns if name in _NUMBERS],
        flowing=("prompt", "reason"),
        spare=(*reversed(own), "attempts", "row", "model", "cost", "prompt"),
        brief={"model": brief_model},
    )


def value_of(job: "JobView", name: str) -> Any:
    """What a job has in a column, as JSON; None where it has nothing there."""
    if name.startswith(_OF_SHEET):
        return job.columns.get(name.removeprefix(_OF_SHEET))
    if name in _PLAIN:
        return _plain_value(job, name)
    bare = name.removeprefix(_OF_INPUTS)
    inputs, spec = json.loads(job.inputs), find(job.model)
    field = bare if spec is None else fields_of(spec).get(plain(bare), bare)
    return inputs[field] if field in inputs else job.columns.get(name)


def text_of(job: "JobView", name: str) -> str:
    """The same as text; empty where there is nothing."""
    value = value_of(job, name)
    if name == "cost":
        return "" if job.cost_usd is None else money(job.cost_usd)
    if isinstance(value, list):
        return ("|" if name == "images" else " | ").join(map(str, value))
    return "" if value is None else str(value)


def reason_of(job: "JobView") -> str:
    """Why a job is as it is; empty where nothing has to be said."""
    if job.failure is not None:
        return f"{job.failure.kind}: {job.failure.message}"
    if job.held is not None:
        where = f" ({job.held.database})" if job.held.database else ""
        return f"held: paid for on {job.held.at.astimezone():%Y-%m-%d} under batch {job.held.batch}{where}"
    if job.warnings:
        return f"warning: {' | '.join(job.warnings)}"
    return "" if job.twin is None else f"the result of {job.twin.key}, an identical job"


def full(
    job: "JobView",
    batch: "BatchView",
    attempts: Sequence["AttemptView"],
    settings: Settings,
    now: "datetime",
) -> Iterator[tuple[str, str]]:
    """Everything that is known of one job, each line with its style; the last one says what to do."""
    yield f"Job {job.key} of batch {batch.name}: {job.state}", "bold"
    lines = [("row", f"{job.row} of {batch.sheet}"), ("model", job.model), *_inputs(job)]
    lines += [(f"own: {name}", value) for name, value in job.columns.items() if value]
    lines += [("reason", reason_of(job))] if reason_of(job) else []
    lines += [("warning", warning) for warning in job.warnings if job.failure is not None]
    lines += [("submit", _attempt(attempt, now)) for attempt in attempts]
    for image in job.images:
        size = f"{image.width}x{image.height}, {image.bytes:,} bytes"
        lines.append(("image", f"{relative(image.path, Path.cwd())} ({size})"))
    wide = max(len(name) for name, _text in lines)
    for name, text in lines:
        yield f"  {name:<{wide}}  {text}", ""
    if job.state is JobState.UNCONFIRMED:
        yield f"Decide about it: {then(settings, 'review', batch.name)}", "bold"
    elif job.state is JobState.FAILED and job.failure is not None:
        how = (
            " (the same prompt is likely to be refused again)"
            if job.failure.kind is FailureKind.MODERATED
            else ""
        )
        command = then(settings, "retry", batch.name, "--job", job.key)
        yield f"Give it another chance{how}: {command}", "bold"


def _inputs(job: "JobView") -> list[tuple[str, str]]:
    spec = find(job.model)
    return [
        (
            field if spec is None else word_for(spec, field),
            "|".join(map(str, value)) if isinstance(value, list) else str(value),
        )
        for field, value in json.loads(job.inputs).items()
    ]


def _attempt(attempt: "AttemptView", now: "datetime") -> str:
    """One submit: when, what came of it, what it cost."""
    parts = [f"{clock_time(attempt.started_at, now)}: {attempt.outcome}"]
    if attempt.request_id:
        parts.append(f"request {attempt.request_id}")
    if attempt.ended:
        parts.append(f"ended: {attempt.ended}")
    if attempt.cost_usd is not None:
        parts.append(money(attempt.cost_usd))
    elif attempt.estimate_usd is not None:
        parts.append(f"{money(attempt.estimate_usd)} at most")
    return ", ".join(parts)


def _is_taken(name: str) -> bool:
    """Whether a name means the same in every batch, and so hides a column of the sheet's own."""
    return name in _PLAIN or plain(name) in known_inputs()


def _plain_value(job: "JobView", name: str) -> Any:
    match name:
        case "id":
            return job.key
        case "state":
            return job.state.value
        case "reason":
            return reason_of(job) or None
        case "cost":
            return dollars(job.cost_usd)
        case "images":
            return [relative(image.path, Path.cwd()) for image in job.images]
        case "warnings":
            return list(job.warnings)
        case "created_at" | "submitted_at" | "finished_at":
            return moment(getattr(job, name))
        case _:
            return getattr(job, name)
