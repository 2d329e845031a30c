"""The exit code of a run: scripts rely on it."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from jobs.exit_codes import exit_code_of
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.views import Account, Pause
from runner.events.report import RunReport

NOW = datetime(2026, 3, 4, tzinfo=UTC)
CODES = {"token": 77, "balance": 75, "budget": 75, "guard": 75, "person": 75, "outage": 69, "disk": 73}


def code(counts: dict[JobState, int], paused: Pause | None = None, *, interrupted: bool = False) -> int:
    """The exit code of a run that left a batch like this."""
    account = Account(Decimal(0), Decimal(0), 0)
    all_counts = dict.fromkeys(JobState, 0) | counts
    report = RunReport("n", all_counts, account, 0, 0, paused, interrupted, 0, 3, Path("o"), ())
    return report.exit_code


@pytest.mark.parametrize("reason", list(PauseReason))
def test_every_pause_has_its_code(reason: PauseReason) -> None:
    """Those of the contract; it wins over jobs that did not succeed."""
    assert exit_code_of(reason) == CODES[reason]
    pause = Pause(reason, "why", NOW)
    assert code({JobState.FAILED: 1}, pause) == CODES[reason]
    assert code({JobState.SUCCEEDED: 1}, pause) == CODES[reason]


def test_all_succeeded() -> None:
    """Warnings change nothing."""
    assert code({JobState.SUCCEEDED: 3}) == 0


@pytest.mark.parametrize("state", sorted(set(JobState) - {JobState.SUCCEEDED}))
def test_some_did_not(state: JobState) -> None:
    """In whatever state they are."""
    assert code({JobState.SUCCEEDED: 3, state: 1}) == 1


def test_an_interruption_beats_all() -> None:
    """A person was there."""
    assert code({JobState.SUCCEEDED: 1}, interrupted=True) == 130
    assert code({JobState.FAILED: 1}, Pause(PauseReason.TOKEN, "", NOW), interrupted=True) == 130
