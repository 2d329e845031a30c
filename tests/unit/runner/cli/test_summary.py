"""The closing words: one clear thing to do next, in every situation."""

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.failures import FailureKind
from jobs.states import JobState
from jobs.tables import PauseReason
from jobs.views import Account, Pause
from runner.cli.summary import lines, next_step
from runner.settings import Settings
from tests.unit.runner.cli.test_run import report
from tests.unit.runner.cli.world import NOW

_S = JobState
REHEARSAL: dict[str, Any] = {"emulator": True, "db": Path("my night.db"), "output_dir": Path("o")}


def next_of(settings: dict[str, Any] | None = None, **more: Any) -> str:
    """What the run of that report is followed by."""
    return "\n".join(next_step(report(**more), Settings(**(settings or {}))))


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_all_went_well() -> None:
    """Nothing to do."""
    assert next_of() == ""


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (PauseReason.TOKEN, "RUNCOMFY_API_TOKEN, then: nightsheet resume night"),
        (PauseReason.BALANCE, "top up the account at runcomfy.com, then: nightsheet resume night"),
        (PauseReason.BUDGET, "nightsheet resume night --budget USD"),
        (PauseReason.OUTAGE, "then: nightsheet resume night"),
        (PauseReason.DISK, "make room on the disk"),
        (PauseReason.GUARD, "nightsheet jobs night --state failed"),
        (PauseReason.PERSON, "when you want to go on, then: nightsheet resume night"),
    ],
)
def test_a_pause_says_how_to_go_on(reason: PauseReason, said: str) -> None:
    """First what it is, then what to do; nothing else."""
    told = next_of(paused=Pause(reason, "The detail.", NOW), counts={_S.FAILED: 1, _S.UNCONFIRMED: 1})
    first, second = told.splitlines()
    assert first == f"Paused ({reason}): The detail."
    assert said in second


@pytest.mark.parametrize(
    ("counts", "more", "said"),
    [
        ({_S.UNCONFIRMED: 1, _S.FAILED: 1}, {}, "nightsheet review night"),
        ({_S.FAILED: 1}, {}, "nightsheet jobs night --state failed"),
        ({_S.FAILED: 1}, {}, "nightsheet retry night"),
        ({_S.RUNNING: 1, _S.FAILED: 1}, {"overdue": 1}, "nightsheet resume night"),
        ({_S.CANCELLED: 1}, {}, "nightsheet retry night --kind cancelled"),
        ({_S.RUNNING: 2, _S.QUEUED: 1}, {"interrupted": True}, "nightsheet resume night goes on with 3 jobs"),
        ({_S.QUEUED: 1}, {"interrupted": True}, "nightsheet resume night goes on with 1 job."),
    ],
)
def test_what_to_do_next(counts: dict[JobState, int], more: dict[str, Any], said: str) -> None:
    """The most pressing first."""
    assert said in next_of(counts=counts, **more)


def test_an_interruption_beats_a_pause() -> None:
    """The person is there, and wants to know how to go on."""
    pause = Pause(PauseReason.OUTAGE, "x", NOW)
    assert next_of(interrupted=True, paused=pause, counts={_S.RUNNING: 1}).startswith(
        "Next: nightsheet resume"
    )


@pytest.mark.parametrize("counts", [{_S.UNCONFIRMED: 1}, {_S.FAILED: 1}, {_S.RUNNING: 1}, {_S.CANCELLED: 1}])
def test_commands_can_be_copied(counts: dict[JobState, int]) -> None:
    """They carry what makes them speak of the same batch."""
    told = next_of(REHEARSAL, counts=counts)
    for line in told.splitlines():
        assert "--emulator --db 'my night.db'" in line
        assert ("--output-dir o" in line) is ("nightsheet resume" in line)


def test_everything_that_came_of_it() -> None:
    """In a line each."""
    found = report(
        counts={
            _S.FAILED: 2,
            _S.UNCONFIRMED: 1,
            _S.RUNNING: 3,
            _S.FETCHING: 1,
            _S.QUEUED: 4,
            _S.CANCELLED: 1,
        },
        warned=1,
        overdue=2,
        account=Account(Decimal("1.20"), Decimal("0.045"), 9),
    )
    kinds = Counter({FailureKind.REFUSED: 2})
    told = [line for line, _style in lines(found, Settings(), kinds)]
    assert told[:9] == [
        "Batch night: 2 of 14 jobs succeeded, in 62 s.",
        "  1 of them with a warning, which the manifest tells",
        "  2 failed (2 refused)",
        "  1 unconfirmed: sent without an answer, perhaps paid",
        "  4 still at the API, paid for",
        "  2 of them past the deadline: this run stopped waiting for them",
        "  4 not sent",
        "  1 cancelled",
        "Spent so far: $1.245 ($1.20 told by the API, $0.045 estimated where it told nothing) in 9 submits",
    ]
