"""The closing words: one clear thing to do next, in every situation."""

import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.admission import ACCOUNT_BUDGET, NO_KNOWN_PRICE
from jobs.failures import FailureKind
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.views import Account, Pause
from runner.cli.reports.summary import FailureBreakdown, lines, next_step
from runner.settings import Settings
from tests.unit.runner.cli.commands.test_run import report
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
        (PauseReason.TOKEN, "Put a good token into RUNCOMFY_API_TOKEN, then go on."),
        (PauseReason.BALANCE, "Top up the account at runcomfy.com, then go on."),
        (PauseReason.OUTAGE, "Wait until the API can be reached, then go on."),
        (PauseReason.DISK, "Make room on the disk, or give permission to write, then go on."),
        (PauseReason.PERSON, "Go on when you want to."),
    ],
)
def test_a_pause_says_how_to_go_on(reason: PauseReason, said: str) -> None:
    """First what it is, then what to do, then the command alone; nothing else."""
    told = next_of(paused=Pause(reason, "The detail.", NOW), counts={_S.FAILED: 1, _S.UNCONFIRMED: 1})
    assert told.splitlines() == [f"Paused ({reason}): The detail.", said, "Next: nightsheet resume night"]


def test_a_spent_budget_says_how_to_raise_it() -> None:
    """The command can be pasted: what it means stands before it."""
    told = next_of(REHEARSAL, paused=Pause(PauseReason.BUDGET, "Used up.", NOW)).splitlines()
    assert "higher budget" in told[1]
    assert told[2:] == [
        "Next: nightsheet resume night --budget USD --emulator --db 'my night.db' --output-dir o"
    ]


@pytest.mark.parametrize(
    ("more", "what", "first"),
    [
        ("", "Raise the account's budget", "First: nightsheet account set --budget USD"),
        (NO_KNOWN_PRICE, "Write the price", "Without a price: nightsheet account set --budget none"),
    ],
)
def test_an_account_s_budget_says_what_helps(more: str, what: str, first: str) -> None:
    """More money, unless a price is unknown: no budget has room for that."""
    pause = Pause(PauseReason.BUDGET, f"No room in {ACCOUNT_BUDGET} of 9 USD{more}.", NOW)
    told = next_of(paused=pause).splitlines()
    assert told[1].startswith(what)
    assert told[2:] == [first, "Next: nightsheet resume night"]


def test_a_guard_is_looked_into_first() -> None:
    """Then one goes on."""
    told = next_of(paused=Pause(PauseReason.GUARD, "All fail.", NOW), counts={_S.FAILED: 20}).splitlines()
    assert told[2:] == ["Next: nightsheet jobs night --state failed", "Next: nightsheet resume night"]


def test_a_guard_that_no_job_is_to_blame_for() -> None:
    """A store of pictures that takes none: the detail says all there is."""
    told = next_of(paused=Pause(PauseReason.GUARD, "The store refuses.", NOW), counts={_S.QUEUED: 2})
    assert told.splitlines()[1:] == ["Put that right, then go on.", "Next: nightsheet resume night"]


@pytest.mark.parametrize(
    ("counts", "more", "said"),
    [
        ({_S.UNCONFIRMED: 1, _S.FAILED: 1}, {}, "nightsheet review night"),
        ({_S.FAILED: 1}, {}, "nightsheet jobs night --state failed"),
        ({_S.FAILED: 1}, {}, "nightsheet retry night"),
        ({_S.RUNNING: 1, _S.FAILED: 1}, {"overdue": 1}, "nightsheet resume night"),
        ({_S.CANCELLED: 1}, {}, "nightsheet retry night --kind cancelled"),
        ({_S.RUNNING: 2, _S.QUEUED: 1}, {"interrupted": True}, "3 jobs to go on with. What is at the API"),
        ({_S.QUEUED: 1}, {"interrupted": True}, "1 job to go on with.\nNext: nightsheet resume night"),
    ],
)
def test_what_to_do_next(counts: dict[JobState, int], more: dict[str, Any], said: str) -> None:
    """The most pressing first."""
    assert said in next_of(counts=counts, **more)


def test_an_interruption_beats_a_pause() -> None:
    """The person is there, and wants to know how to go on."""
    pause = Pause(PauseReason.OUTAGE, "x", NOW)
    told = next_of(interrupted=True, paused=pause, counts={_S.RUNNING: 1})
    assert "Paused" not in told
    assert told.endswith("Next: nightsheet resume night")


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ({}, "Give what failed another chance, which says what that costs."),
        ({FailureKind.EXPIRED: 2}, "Give what failed another chance (2 for free)."),
        ({FailureKind.REFUSED: 1}, "Give what failed another chance (1 for another payment)."),
        (
            {FailureKind.EXPIRED: 2, FailureKind.LOST: 1, FailureKind.MODERATED: 4},
            "Give what failed another chance (2 for free, 1 for another payment).",
        ),
        ({FailureKind.MODERATED: 4}, None),
    ],
)
def test_doubts_and_failures_are_both_named(kinds: dict[FailureKind, int], said: str | None) -> None:
    """`review` first, then `retry`, with what is free apart; not where it would do nothing."""
    found = report(counts={_S.UNCONFIRMED: 1, _S.FAILED: 7})
    told = list(next_step(found, Settings(), FailureBreakdown(kinds)))
    assert told[1] == "Next: nightsheet review night"
    assert told[2:] == ([] if said is None else [said, "Next: nightsheet retry night"])


@pytest.mark.parametrize(
    "counts",
    [
        {_S.UNCONFIRMED: 1},
        {_S.UNCONFIRMED: 1, _S.FAILED: 1},
        {_S.FAILED: 1},
        {_S.RUNNING: 1},
        {_S.CANCELLED: 1},
    ],
)
def test_commands_can_be_copied(counts: dict[JobState, int]) -> None:
    """They stand alone, and carry what makes them speak of the same batch."""
    commands = [line for line in next_of(REHEARSAL, counts=counts).splitlines() if "nightsheet" in line]
    assert commands
    for line in commands:
        assert re.fullmatch(
            r"Next: nightsheet [a-z]+ night( --\w+ \w+)? --emulator --db 'my night.db'.*", line
        )
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
    known = FailureBreakdown(kinds, Decimal("0.40"))
    told = [line for line, _style in lines(found, Settings(), known)]
    assert told[:9] == [
        "Batch night: 2 of 14 jobs succeeded, in 62 s.",
        "  1 of them with a warning, which is in the manifest",
        "  2 failed (2 refused)",
        "  1 unconfirmed: sent without an answer, perhaps paid",
        "  4 still at the API, paid for",
        "  2 of them past the deadline: this run stopped waiting for them",
        "  4 not sent",
        "  1 cancelled",
        "Spent so far: $1.245 ($1.20 reported by the API, $0.045 estimated where it reported nothing) "
        "in 9 submits, and up to $0.40 in doubt",
    ]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            "0",
            "Spent so far: an unknown amount ($0.00 reported by the API, the price of 2 submits is",
        ),
        (
            "0.04",
            "Spent so far: $0.04 and an unknown amount ($0.04 reported by the API, the price of 2",
        ),
    ],
)
def test_what_nobody_knows_the_price_of_is_not_free(told: str, said: str) -> None:
    """`$0.00` would say so."""
    found = report(counts={_S.SUCCEEDED: 3}, account=Account(Decimal(told), Decimal(0), 3, unpriced=2))
    assert any(line.startswith(said) for line, _style in lines(found, Settings()))


def test_a_doubt_that_is_settled_is_not_told() -> None:
    """A person has decided about it."""
    told = [
        line
        for line, _style in lines(report(), Settings(), FailureBreakdown(unconfirmed_usd=Decimal("0.40")))
    ]
    assert not any("in doubt" in line for line in told)
