"""How a batch stood when a run ended, as texts of `summary.md` and `summary.json`. Pure."""

import json
from typing import Any

from jobs.manifests.record import moment
from jobs.states import JobState
from runner.cli.console import console
from runner.cli.reports.status import BatchStatus, advice, as_json, facts, heading, why_of
from runner.settings import Settings

NAMES = ("summary.md", "summary.json")
_MARK = "<!-- Nightsheet replaces this file at the end of each run. -->"


def markdown(status: BatchStatus, settings: Settings, exit_code: int) -> str:
    """What `status` says, to be read in any viewer; each command is a block of its own, to be copied."""
    done = status.counts[JobState.SUCCEEDED]
    states = [
        f"| {state.value} | {status.counts[state]:,} | {_text(why_of(status, state))} |"
        for state in JobState
        if status.counts[state]
    ]
    steps = [f"{_text(why)}:\n\n    {console.clean(command)}\n" for why, command in advice(status, settings)]
    return "\n".join(
        [
            _MARK,
            f"# {_text(status.batch.name)}: {done:,} of {status.total:,} jobs succeeded",
            "",
            f"{_text(heading(status))}, {status.at.astimezone():%Y-%m-%d}. Exit code {exit_code}.",
            "",
            "| state | jobs | |",
            "|---|---:|---|",
            *states,
            "",
            *(f"- {_text(fact)}" for fact, _style in facts(status)),
            "",
            *(["## What to do", "", *steps] if steps else ["There is nothing left to do."]),
            "",
        ]
    )


def document(status: BatchStatus, settings: Settings, exit_code: int) -> dict[str, Any]:
    """What `status --json` says, with the run's end and what to do."""
    return {
        **as_json(status),
        "exit_code": exit_code,
        "ended_at": moment(status.at),
        "next": [{"why": why, "command": command} for why, command in advice(status, settings)],
    }


def is_ours(name: str, data: bytes) -> bool:
    """Whether a file of that name is an earlier summary, which may be replaced."""
    if name == "summary.md":
        return data.startswith(_MARK.encode())
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.keys() >= {"batch", "counts", "exit_code", "next"}


def _text(text: str) -> str:
    """A sentence that no viewer takes for markup."""
    return "".join(f"\\{letter}" if letter in "\\`*<[|" else letter for letter in console.clean(text))
