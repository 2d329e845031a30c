"""The progress of a run: a bar on a terminal, a line now and then elsewhere."""

import io
import re
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.views import Account, Pause
from runner.cli.console.progress import Display, bar, drawn, line, stamp
from runner.events.observer import Progress
from tests.unit.runner.cli.world import ansi

NOW = datetime(2026, 3, 4, 1, 2, 3, tzinfo=UTC)


def progress(seconds: float = 0.0, counts: Mapping[JobState, int] | None = None, **more: Any) -> Progress:
    """A run at a glance."""
    values: dict[str, Any] = {
        "batch": "night",
        "counts": dict.fromkeys(JobState, 0) | {JobState.QUEUED: 10} | dict(counts or {}),
        "images": 0,
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


def test_each_line_says_its_day_and_the_place_of_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    """A night has two days, and its log may be read elsewhere."""
    lines = shown(capsys, 0, 30, 60)
    here = NOW.astimezone()
    assert len(lines) == 3
    for told in lines:
        assert re.match(rf"{here:%Y-%m-%d %H:%M:%S} UTC([+-]\d\d:\d\d)? night: ", told)


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
    assert capsys.readouterr().err == f"{stamp(NOW)} Careful: [bold]\\x1b[31m\n"


def test_each_notice_in_a_log_is_dated(capsys: pytest.CaptureFixture[str]) -> None:
    """The first one, too: a log holds many nights."""
    with Display(lambda: NOW, quiet=True) as display:
        display.notice("To be sent: 2 jobs.")
        display.progress(progress(0))
        display.notice("Job 'a' failed.")
    assert capsys.readouterr().err == f"{stamp(NOW)} To be sent: 2 jobs.\n{stamp(NOW)} Job 'a' failed.\n"


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
            images=9,
            account=Account(Decimal("1.2"), Decimal("0.3"), 12),
            budget_usd=Decimal(5),
            ended_here=3,
            done_at=NOW + timedelta(minutes=1),
            paused=Pause(PauseReason.OUTAGE, "gone\x1b", NOW),
            waiting_for="the API\x1b",
            to_come_usd=Decimal("0.3"),
            idle_seconds=30.0,
        ),
        NOW,
    )
    then = (NOW + timedelta(minutes=1)).astimezone()
    assert told == (
        f"{stamp(NOW)} night: 18/36 jobs done (50 %), 5 in flight, 4 fetching, 6 failed, 8 unconfirmed, "
        f"9 pictures, $1.50 of $5.00, at most $0.30 to come, done about {then:%H:%M}, in 60 s, 2 min gone, "
        "2.0 jobs a minute, paused, waiting: the API\\x1b"
    )


@pytest.mark.parametrize(("spent", "said"), [("0", ", $ unknown, "), ("0.04", ", $0.04 + unknown, ")])
def test_a_price_that_is_unknown_is_not_nothing(spent: str, said: str) -> None:
    """Of what the API took and told no price of."""
    account = Account(Decimal(spent), Decimal(0), 3, unpriced=2)
    assert said in line(progress(30, {JobState.RUNNING: 3}, account=account), NOW)


BUSY: dict[str, Any] = {
    "seconds": 120.0,
    "counts": {
        JobState.RUNNING: 8,
        JobState.FETCHING: 2,
        JobState.FAILED: 3,
        JobState.UNCONFIRMED: 2,
        JobState.SUCCEEDED: 990,
    },
    "batch": "a-long-batch-name",
    "images": 3000,
    "account": Account(Decimal(120), Decimal(0), 1000),
    "budget_usd": Decimal(500),
    "ended_here": 993,
    "done_at": NOW + timedelta(minutes=10),
    "waiting_for": "the API asks to wait, and that for a while",
}


def bar_of(width: int) -> list[str]:
    screen = io.StringIO()
    where = Console(file=screen, width=width, force_terminal=True, color_system=None, soft_wrap=True)
    where.print(bar(progress(**BUSY), NOW, where))
    return [re.sub(r"\x1b\[\d*m", "", line) for line in screen.getvalue().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_narrow_bar_keeps_what_matters(width: int) -> None:
    """Three lines that fit; how far, the money and the end are in them whatever the width."""
    counts, share, pace = bar_of(width)
    assert max(map(len, (counts, share, pace))) <= width
    assert len(share) == width
    assert ("993/1,015 jobs done (97 %)" if width > 60 else "993/1,015 jobs done") in counts
    assert "$120.00 of $500.00" in counts
    assert pace.startswith(
        f"done about {(NOW + timedelta(minutes=10)).astimezone():%H:%M}, in 10 min  2 min gone"
    )


def test_a_bar_without_colours_has_an_end() -> None:
    """What is left is another sign, not another colour; and ASCII where the terminal knows no other."""
    assert drawn(0.5, 10).plain == "━━━━━─────"
    assert drawn(0.999, 10).plain == "━━━━━━━━━─"
    assert drawn(1.0, 10, plain=True).plain == "=========="
    assert drawn(0.0, 4, plain=True).plain == "----"


def test_all_is_done_only_when_all_is_done() -> None:
    """999 of 1,000 are not 100 %."""
    told = line(progress(0, {JobState.SUCCEEDED: 1999, JobState.QUEUED: 1}), NOW)
    assert "1,999/2,000 jobs done (99 %)" in told
    assert "to come" not in told


def test_what_matters_least_goes_first() -> None:
    """What failed and what is in doubt stay longest."""
    assert "3 failed" in bar_of(60)[0]
    assert "fetching" not in bar_of(100)[0]
    everything = bar_of(200)[0]
    for part in ("a-long-batch-name", "8 in flight", "2 fetching", "3 failed", "2 unconfirmed", "3,000 pic"):
        assert part in everything


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot draw, and used to show nothing at all."""
    screen = at_a_terminal(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    with Display(lambda: NOW) as display:
        display.progress(progress(0))
        with display.aside():
            pass
    assert "0/10 jobs done" in screen.getvalue()
    assert "\x1b" not in screen.getvalue()


PAUSE = "Paused (budget): The budget of 5 USD is used up."
DATED = f"{stamp(NOW)} {PAUSE}"


def log_of_a_pause(capsys: pytest.CaptureFixture[str], *seconds: float, quiet: bool = False) -> list[str]:
    """What a run says that is paused at its beginning, and is looked at then."""
    with Display(lambda: NOW, quiet=quiet) as display:
        display.notice(PAUSE)
        for moment in seconds:
            display.progress(
                progress(moment, paused=Pause(PauseReason.BUDGET, "The budget of 5 USD is used up.", NOW))
            )
            with display.aside():
                pass
    return capsys.readouterr().err.splitlines()


def test_a_pause_that_ends_the_run_is_left_to_the_summary(capsys: pytest.CaptureFixture[str]) -> None:
    """In a log it would stand there up to four times."""
    (only,) = log_of_a_pause(capsys, 0)
    assert only.endswith(", paused")
    assert "budget" not in only


@pytest.mark.parametrize("quiet", [True, False])
def test_a_pause_that_a_run_outlives_is_told_once(capsys: pytest.CaptureFixture[str], quiet: bool) -> None:
    """What is at the API is fetched for an hour yet: the reason is not kept back so long."""
    told = log_of_a_pause(capsys, 0, 5, 11, 40, 70, quiet=quiet)
    assert [line for line in told if "budget" in line] == [DATED]
    assert told.index(DATED) == (0 if quiet else 1)


def test_a_pause_comes_before_what_is_said_after_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A log is read from above."""
    with Display(lambda: NOW) as display:
        display.notice(PAUSE)
        display.notice("Going on.")
    assert capsys.readouterr().err.splitlines() == [DATED, f"{stamp(NOW)} Going on."]


def test_a_run_that_breaks_off_tells_its_pause(capsys: pytest.CaptureFixture[str]) -> None:
    """There is no summary then."""

    def break_off() -> None:
        with Display(lambda: NOW) as display:
            display.notice(PAUSE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert capsys.readouterr().err.splitlines() == [DATED]


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
    monkeypatch.setattr("runner.cli.console.progress._LAST_WORDS_SECONDS", 0.01)
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
