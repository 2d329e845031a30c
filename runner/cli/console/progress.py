"""Shows a run as it goes: a bar on a terminal, else a line every half minute.

A terminal may stand still (Ctrl-S, a pager): a thread of its own does the printing, so that the run goes on.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from jobs.states import ENDED, JobState
from runner.cli.console import console
from runner.cli.console.folding import folded
from runner.cli.console.formatting import zone_name
from runner.humanize import clock_time, count_of, duration, jobs_a_minute, money

if TYPE_CHECKING:
    from datetime import datetime

    from runner.events.observer import Progress

LINE_SECONDS = 30.0
PAUSED = "Paused ("
"""How a run's notice of its pause begins."""
HELD_SECONDS = 10.0
"""A run that ends this soon after its pause gives the reason only at its end."""
_LAST_WORDS_SECONDS = 2.0
_BETWEEN = "  "
_SHORTEST_NAME = 8
_ROOM_FOR_PERCENT = 72
"""Columns; on fewer, what failed and what it cost matter more, and the bar shows the share."""


class Display:
    """The observer of the command line. `quiet` leaves out the progress, not what a person should read."""

    def __init__(self, now: Callable[[], "datetime"], *, quiet: bool = False) -> None:
        self._now = now
        self._quiet = quiet
        self._console = console.console(errors=True)
        self._live: Live | None = None
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._newest: Progress | None = None
        self._shown: Progress | None = None
        self._aside = False
        self._failed = False
        self._held: tuple[Text, float] | None = None
        self._draws = console.draws(self._console)
        self._thread = threading.Thread(target=self._print, daemon=True)

    def __enter__(self) -> "Display":
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._failed = kind is not None
        self._work.put(self._end)
        self._work.put(None)
        self._thread.join(_LAST_WORDS_SECONDS)

    @property
    def batch(self) -> str | None:
        """The batch that runs; None before its first progress."""
        return None if self._newest is None else self._newest.batch

    def progress(self, progress: "Progress") -> None:
        """Show where the run stands."""
        self._newest = progress
        if not self._aside:
            self._work.put(self._refresh)

    def notice(self, text: str) -> None:
        """Print what a person should read, above the bar."""
        wide = self._console.width if self._console.is_terminal else None
        line = Text("\n".join(folded(self._dated(console.shown(text)), wide)))
        holds = text.startswith(PAUSED) and not self._draws
        self._work.put(lambda: self._hold(line) if holds else self._say(line))

    def _dated(self, text: str) -> str:
        """A log is read in the morning, perhaps elsewhere; at a terminal one sees when a notice comes."""
        return text if self._draws else f"{stamp(self._now())} {text}"

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

    def _say(self, line: Text) -> None:
        if self._held is not None:
            (held, _since), self._held = self._held, None
            self._console.print(held)
        self._console.print(line)

    def _hold(self, line: Text) -> None:
        """Keep the reason of a pause back for a moment: in a log, the end of a run says it again."""
        if self._held is not None:
            self._console.print(self._held[0])
        self._held = line, 0.0 if self._newest is None else self._newest.seconds

    def _refresh(self) -> None:
        newest = self._newest
        if newest is None or newest is self._shown:
            return
        if self._held is not None and newest.seconds - self._held[1] >= HELD_SECONDS:
            (held, _since), self._held = self._held, None
            self._console.print(held)
        if self._quiet:
            return
        if self._draws:
            if self._live is None:
                self._live = Live(
                    console=self._console, auto_refresh=False, transient=True, redirect_stdout=False
                )
                self._live.start()
            self._live.update(bar(newest, self._now(), self._console), refresh=True)
        elif self._shown is None or newest.seconds - self._shown.seconds >= LINE_SECONDS:
            self._print_line(newest)
        else:
            return
        self._shown = newest

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _end(self) -> None:
        self._stop()
        if self._held is not None and self._failed:
            self._console.print(self._held[0])
        newest = self._newest
        if newest is not None and newest is not self._shown and not self._quiet:
            self._print_line(newest)

    def _print_line(self, progress: "Progress") -> None:
        self._console.print(Text(line(progress, self._now())))


def stamp(now: "datetime") -> str:
    """`2026-03-04 01:02:03 UTC+01:00`: how each line of a log begins."""
    return f"{now.astimezone():%Y-%m-%d %H:%M:%S} {zone_name(now)}"


def line(progress: "Progress", now: "datetime") -> str:
    """A run at a glance, on one line. A notice gives the reason of a pause, once."""
    texts = [
        _share(progress),
        *(figure.text for figure in _figures(progress)),
        *_pace(progress, now),
    ]
    if progress.paused is not None:
        texts.append("paused")
    if progress.waiting_for:
        texts.append(f"waiting: {progress.waiting_for}")
    return console.clean(f"{stamp(now)} {progress.batch}: {', '.join(texts)}")


def bar(progress: "Progress", now: "datetime", where: Console) -> RenderableType:
    """A run at a glance, on three lines of a terminal. Where it is narrow, the least important figures go."""
    width = where.width
    figures = list(_figures(progress))
    text = _share(progress, percent=width >= _ROOM_FOR_PERCENT)
    room = width - cell_len(text) - len(_BETWEEN)
    while len(figures) > 1 and _length(figures) + _SHORTEST_NAME > room:
        figures.remove(max(figures, key=lambda figure: figure.rank))
    name = Text(console.clean(progress.batch), style="bold")
    name.truncate(max(_SHORTEST_NAME, room - _length(figures)), overflow="ellipsis")
    counts = name.append(f"{_BETWEEN}{text}")
    for figure in figures:
        counts.append(_BETWEEN).append(figure.text, style=figure.style)
    pace = list(_pace(progress, now))
    if progress.paused is not None:
        pace.append(f"paused ({progress.paused.reason}): {progress.paused.detail}")
    if progress.waiting_for:
        pace.append(f"waiting: {progress.waiting_for}")
    last = Text(console.clean(_BETWEEN.join(pace)), style="dim")
    last.truncate(width, overflow="ellipsis")
    done = _ended(progress) / max(1, progress.total)
    return Group(counts, drawn(done, width, plain=where.options.ascii_only), last)


def drawn(done: float, width: int, *, plain: bool = False) -> Text:
    """A bar of `width` cells, whose two parts differ without colours, too; `plain` is ASCII."""
    full, rest = ("=", "-") if plain else ("━", "─")
    filled = int(done * width)
    return Text(full * filled, style="bar.complete").append(rest * (width - filled), style="bar.back")


def _share(progress: "Progress", *, percent: bool = True) -> str:
    """`27/40 jobs done (67 %)`. It is 100 % only when all are done."""
    done, total = _ended(progress), progress.total
    share = f" ({100 * done // max(1, total)} %)" if percent else ""
    return f"{done:,}/{count_of(total, 'job')} done{share}"


@dataclass(frozen=True, slots=True)
class _Figure:
    """One figure. Where there is no room, the highest rank goes first."""

    text: str
    rank: int
    style: str = ""


def _length(figures: Sequence[_Figure]) -> int:
    return sum(cell_len(figure.text) + len(_BETWEEN) for figure in figures)


def _ended(progress: "Progress") -> int:
    return sum(progress.counts[state] for state in ENDED)


def _figures(progress: "Progress") -> Iterator[_Figure]:
    counts = progress.counts
    yield _Figure(f"{counts[JobState.SUBMITTING] + counts[JobState.RUNNING]} in flight", 3)
    yield _Figure(f"{counts[JobState.FETCHING]} fetching", 5)
    if counts[JobState.FAILED]:
        yield _Figure(f"{counts[JobState.FAILED]} failed", 1, "red")
    if counts[JobState.UNCONFIRMED]:
        yield _Figure(f"{counts[JobState.UNCONFIRMED]} unconfirmed", 2, "yellow")
    yield _Figure(count_of(progress.images, "picture"), 4)
    paid = money(progress.account.spent_usd)
    if progress.account.unpriced:
        paid = f"{paid} + unknown" if progress.account.spent_usd else "$ unknown"
    yield _Figure(paid if progress.budget_usd is None else f"{paid} of {money(progress.budget_usd)}", 0)
    if progress.to_come_usd:
        yield _Figure(f"at most {money(progress.to_come_usd)} to come", 2)


def _pace(progress: "Progress", now: "datetime") -> Iterator[str]:
    if progress.done_at is not None and _ended(progress) < progress.total:
        left = duration(max(0.0, (progress.done_at - now).total_seconds()))
        yield f"done about {clock_time(progress.done_at, now)}, in {left}"
    if progress.seconds >= 1:
        yield f"{duration(progress.seconds)} gone"
    at_work = progress.seconds - progress.idle_seconds
    if progress.ended_here and at_work > 0:
        yield jobs_a_minute(progress.ended_here * 60 / at_work)
