"""The progress of a run: a bar on a terminal, a line now and then elsewhere."""

import io
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from jobs.states import JobState
from jobs.tables import PauseReason
from jobs.views import Account, Pause
from runner.cli.progress import Display, line
from runner.events import Progress
from tests.unit.runner.cli.world import ansi

NOW = datetime(2026, 3, 4, 1, 2, 3, tzinfo=UTC)


def progress(seconds: float = 0.0, counts: Mapping[JobState, int] | None = None, **more: Any) -> Progress:
    """A run at a glance."""
    values: dict[str, Any] = {
        "batch": "night",
        "counts": dict.fromkeys(JobState, 0) | {JobState.QUEUED: 10} | dict(counts or {}),
        "pictures": 0,
        "account": Account(Decimal(0), Decimal(0), 0),
        "budget_usd": None,
        "ended_here": 0,
        "seconds": seconds,
        "done_at": None,
        "paused": None,
        "waiting_for": None,
    }
    return Progress(**(values | more))


def shown(capsys: pytest.CaptureFixture[str], *seconds: float, quiet: bool = False) -> list[str]:
    """The lines that appear where there is no terminal."""
    with Display(lambda: NOW, quiet=quiet) as display:
        for moment in seconds:
            display.progress(progress(moment))
            with display.aside():
                pass  # until it is printed
    out, err = capsys.readouterr()
    assert out == ""
    assert ansi(err) == []
    return err.splitlines()


def test_a_line_at_the_start_each_half_minute_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    """A log of a night stays readable."""
    assert len(shown(capsys, 0, 1, 29, 30, 31, 59, 61, 62)) == 4


def test_the_last_line_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    """It was shown already."""
    assert len(shown(capsys, 0)) == 1


def test_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """No progress at all."""
    assert shown(capsys, 0, 30, 60, quiet=True) == []


@pytest.mark.parametrize("quiet", [True, False])
def test_notices_are_always_printed(capsys: pytest.CaptureFixture[str], quiet: bool) -> None:
    """They are what a person should read; they cannot play tricks."""
    with Display(lambda: NOW, quiet=quiet) as display:
        display.notice("Careful: [bold]\x1b[31m")
    assert capsys.readouterr().err == "Careful: [bold]\\x1b[31m\n"


def test_a_run_at_a_glance() -> None:
    """All that there is to tell."""
    counts = {
        JobState.QUEUED: 1,
        JobState.SUBMITTING: 2,
        JobState.RUNNING: 3,
        JobState.FETCHING: 4,
        JobState.SUCCEEDED: 5,
        JobState.FAILED: 6,
        JobState.CANCELLED: 7,
        JobState.UNCONFIRMED: 8,
    }
    told = line(
        progress(
            120,
            counts,
            pictures=9,
            account=Account(Decimal("1.2"), Decimal("0.3"), 12),
            budget_usd=Decimal(5),
            ended_here=3,
            done_at=NOW + timedelta(minutes=1),
            paused=Pause(PauseReason.OUTAGE, "gone\x1b", NOW),
            waiting_for="the API",
        ),
        NOW,
    )
    here, then = NOW.astimezone(), (NOW + timedelta(minutes=1)).astimezone()
    assert told == (
        f"{here:%H:%M:%S} night: 18/36 jobs done, 5 in flight, 4 fetching, 6 failed, 8 unconfirmed, "
        f"9 pictures, $1.50 of $5.00, 1.5 a minute, done about {then:%H:%M}, "
        "paused (outage): gone\\x1b, waiting: the API"
    )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "stderr", made)
    return made


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn in place; notices above it; the cursor comes back."""
    screen = at_a_terminal(monkeypatch)
    with Display(lambda: NOW) as display:
        display.progress(progress(0))
        with display.aside():
            pass
        display.progress(progress(1, {JobState.SUCCEEDED: 5, JobState.QUEUED: 5}))
        display.notice("Careful.")
    written = screen.getvalue()
    assert "0/10 jobs done" in written
    assert "5/10 jobs done" in written
    assert "Careful." in written
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 2


def test_nothing_is_drawn_while_a_question_is_put(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar would overwrite it."""
    screen = at_a_terminal(monkeypatch)
    with Display(lambda: NOW) as display:
        display.progress(progress(0))
        with display.aside():
            before = screen.getvalue()
            display.progress(progress(1))
        with display.aside():
            assert screen.getvalue() == before


def test_a_terminal_that_stands_still_does_not_hold_up_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-S, or a pager that nobody pages: the run goes on, and ends."""
    monkeypatch.setattr("runner.cli.progress._LAST_WORDS_SECONDS", 0.01)
    go_on = threading.Event()

    class Stuck(io.StringIO):
        def write(self, text: str) -> int:
            go_on.wait(30)
            return super().write(text)

    stuck = Stuck()
    monkeypatch.setattr(sys, "stderr", stuck)
    with Display(lambda: NOW) as display:
        for second in range(0, 300, 30):
            display.progress(progress(second))
            display.notice("Still here.")
    assert stuck.getvalue() == ""
    go_on.set()
    display._thread.join()
    assert stuck.getvalue().count("Still here.") == 10


def test_a_terminal_that_has_gone_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed window is no reason to stop."""

    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stderr", Gone())
    with Display(lambda: NOW) as display:
        display.progress(progress(0))
        display.notice("Still here.")
        display.progress(progress(60))
