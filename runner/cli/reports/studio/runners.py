"""The runners of a server, in words and as JSON."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from jobs.manifests.record import moment
from runner.cli.console import console
from runner.humanize import clock_time, duration

if TYPE_CHECKING:
    from jobs.runners import RunnerView


def as_json(runner: "RunnerView") -> dict[str, Any]:
    """The shape that scripts rely on."""
    return {
        "id": runner.id,
        "host": runner.identity.host,
        "pid": runner.identity.pid,
        "version": runner.identity.version,
        "batch": runner.batch,
        "since": moment(runner.since),
        "in_hand": {
            "submitting": runner.submitting,
            "running": runner.running,
            "fetching": runner.fetching,
        },
        "last_beat_seconds": round(runner.silent_seconds, 1),
        "last_progress_seconds": round(runner.idle_seconds, 1),
        "lease_left_seconds": round(runner.left_seconds, 1),
    }


def show(runners: "Sequence[RunnerView]", now: datetime) -> None:
    """A line a runner."""
    if not runners:
        console.result("No runner is at work on this database.")
        return
    console.table(
        ("runner", "host", "pid", "version", "batch", "since", "in hand", "last beat"),
        [
            (
                str(one.id),
                one.identity.host,
                str(one.identity.pid),
                one.identity.version,
                one.batch or "",
                clock_time(one.since, now),
                str(one.in_hand),
                _last_beat(one, now),
            )
            for one in runners
        ],
    )


def _last_beat(runner: "RunnerView", now: datetime) -> str:
    if runner.left_seconds > 0:
        return f"{duration(runner.silent_seconds)} ago"
    since = clock_time(now - timedelta(seconds=runner.silent_seconds), now)
    return f"silent since {since}; its lease is over"
