"""Shows a run as it goes: a bar on a terminal, else a line every half minute.

A terminal may stand still (Ctrl-S, a pager): a thread of its own does the printing, so that the run goes on.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from jobs.states import ENDED, JobState
from runner.cli import render
from runner.cli.words import clock_time, many, money

if TYPE_CHECKING:
    from datetime import datetime

    from runner.events import Progress

LINE_SECONDS = 30.0
_LAST_WORDS_SECONDS = 2.0
_BAR_WIDTH = 40


class Display:
    """The Watcher of the command line. `quiet` leaves out the progress, not what a person should read."""

    def __init__(self, now: Callable[[], "datetime"], *, quiet: bool = False) -> None:
        self._now = now
        self._quiet = quiet
        self._console = render.console(errors=True)
        self._live: Live | None = None
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._newest: Progress | None = None
        self._shown: Progress | None = None
        self._aside = False
        self._thread = threading.Thread(target=self._print, daemon=True)

    def __enter__(self) -> "Display":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._work.put(self._end)
        self._work.put(None)
        self._thread.join(_LAST_WORDS_SECONDS)

    def progress(self, progress: "Progress") -> None:
        """Show where the run stands."""
        self._newest = progress
        if not self._quiet and not self._aside:
            self._work.put(self._refresh)

    def notice(self, text: str) -> None:
        """Print what a person should read, above the bar."""
        line = Text(render.clean(text))
        self._work.put(lambda: self._console.print(line))

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Leave the terminal to somebody else, such as a question, for as long as the block lasts."""
        self._aside = True
        done = threading.Event()
        self._work.put(self._stop)
        self._work.put(done.set)
        done.wait(_LAST_WORDS_SECONDS)
        try:
            yield
        finally:
            self._aside = False

    # -- in the printing thread --------------------------------------------------------------------------

    def _print(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except (OSError, ValueError):  # the terminal has gone; the run has not
                self._quiet = True

    def _refresh(self) -> None:
        newest = self._newest
        if newest is None or newest is self._shown:
            return
        if self._console.is_terminal:
            if self._live is None:
                self._live = Live(
                    console=self._console, auto_refresh=False, transient=True, redirect_stdout=False
                )
                self._live.start()
            self._live.update(bar(newest, self._now()), refresh=True)
        elif self._shown is None or newest.seconds - self._shown.seconds >= LINE_SECONDS:
            self._console.print(Text(line(newest, self._now())))
        else:
            return
        self._shown = newest

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _end(self) -> None:
        self._stop()
        newest = self._newest
        if newest is not None and newest is not self._shown and not self._quiet:
            self._console.print(Text(line(newest, self._now())))


def line(progress: "Progress", now: "datetime") -> str:
    """A run at a glance, on one line."""
    told = [
        f"{_ended(progress)}/{many(progress.total, 'job')} done",
        *(part for part, _style in _parts(progress)),
        *_pace(progress, now),
    ]
    return render.clean(f"{now.astimezone():%H:%M:%S} {progress.batch}: {', '.join(told)}")


def bar(progress: "Progress", now: "datetime") -> RenderableType:
    """A run at a glance, over three lines of a terminal."""
    done = _ended(progress)
    counts = Text(f"{render.clean(progress.batch)}  {done}/{many(progress.total, 'job')} done", style="bold")
    for part, style in _parts(progress):
        counts.append("  ").append(part, style=style)
    share = ProgressBar(total=max(1, progress.total), completed=done, width=_BAR_WIDTH)
    pace = Text(render.clean("  ".join(_pace(progress, now))), style="dim")
    return Group(counts, share, pace)


def _ended(progress: "Progress") -> int:
    return sum(progress.counts[state] for state in ENDED)


def _parts(progress: "Progress") -> Iterator[tuple[str, str]]:
    counts = progress.counts
    yield f"{counts[JobState.SUBMITTING] + counts[JobState.RUNNING]} in flight", ""
    yield f"{counts[JobState.FETCHING]} fetching", ""
    if counts[JobState.FAILED]:
        yield f"{counts[JobState.FAILED]} failed", "red"
    if counts[JobState.UNCONFIRMED]:
        yield f"{counts[JobState.UNCONFIRMED]} unconfirmed", "yellow"
    yield many(progress.pictures, "picture"), ""
    spent = money(progress.account.spent_usd)
    yield spent if progress.budget_usd is None else f"{spent} of {money(progress.budget_usd)}", ""


def _pace(progress: "Progress", now: "datetime") -> Iterator[str]:
    if progress.ended_here and progress.seconds > 0:
        yield f"{progress.ended_here * 60 / progress.seconds:.1f} a minute"
    if progress.done_at is not None and _ended(progress) < progress.total:
        yield f"done about {clock_time(progress.done_at, now)}"
    if progress.paused is not None:
        yield f"paused ({progress.paused.reason}): {progress.paused.detail}"
    if progress.waiting_for:
        yield f"waiting: {progress.waiting_for}"
