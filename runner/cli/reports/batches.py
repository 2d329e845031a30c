"""The batches of a database, in words and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs.manifests.record import moment
from jobs.states import JobState
from runner.cli.console import console
from runner.cli.console.formatting import then
from runner.cli.reports.status import BatchStatus, cost_json, paused_json
from runner.humanize import clock_time, count_of, money
from runner.settings import Settings

if TYPE_CHECKING:
    from jobs.views import RunView

_SHOWN = (JobState.SUCCEEDED, JobState.FAILED, JobState.UNCONFIRMED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A batch, and its newest run."""

    status: BatchStatus
    last_run: "RunView | None"


def as_json(entry: BatchLine) -> dict[str, Any]:
    """The shape that scripts rely on."""
    status, run = entry.status, entry.last_run
    return {
        "batch": status.batch.name,
        "origin": status.batch.origin,
        "sheet": status.batch.sheet,
        "total": status.total,
        "counts": {state.value: status.counts[state] for state in JobState},
        "cost": cost_json(status),
        "paused": paused_json(status.batch.paused),
        "last_run": None
        if run is None
        else {
            "started_at": moment(run.started_at),
            "ended_at": moment(run.ended_at),
            "exit_code": run.exit_code,
        },
    }


def show(entries: Sequence[BatchLine], settings: Settings, now: datetime) -> None:
    """A line a batch, and how to see one of them."""
    if not entries:
        console.result("There is no batch in this database yet. Load one: `nightsheet run SHEET`")
        return
    console.table(
        ("batch", "jobs", "state", "spent", "to come", "last run"),
        [
            (
                entry.status.batch.name,
                entry.status.total,
                _state(entry.status),
                _spent(entry.status),
                _to_come(entry.status),
                _last_run(entry, now),
            )
            for entry in entries
        ],
        numbers=("jobs", "spent", "to come"),
        flowing=("state",),
        spare=("to come", "last run"),
    )
    console.result(f"One of them: {then(settings, 'status', entries[-1].status.batch.name)}")


def _state(status: BatchStatus) -> str:
    counts = status.counts
    words = ["running now"] if status.is_active else []
    if status.batch.paused is not None:
        words.append(f"paused ({status.batch.paused.reason})")
    words += [f"{counts[state]:,} {state.value}" for state in _SHOWN if counts[state]]
    if waits := status.total - sum(counts[state] for state in _SHOWN):
        words.append(f"{count_of(waits, 'job')} to go")
    return ", ".join(words) or "empty"


def _spent(status: BatchStatus) -> str:
    account = status.account
    if not account.unpriced:
        return money(account.spent_usd)
    return f"{money(account.spent_usd)} + unknown" if account.spent_usd else "unknown"


def _to_come(status: BatchStatus) -> str:
    if status.unpriced:
        return "unknown"
    return money(status.queued_usd) if status.queued_usd else "-"


def _last_run(entry: BatchLine, now: datetime) -> str:
    run = entry.last_run
    if run is None:
        return "never"
    began = clock_time(run.started_at, now)
    if (now - run.started_at).days >= 6:  # the name of a day would mean another one
        began = f"{run.started_at.astimezone():%Y-%m-%d}"
    if entry.status.is_active:
        return f"{began}, at work"
    return f"{began}, ended at once" if run.exit_code is None else f"{began}, exit {run.exit_code}"
