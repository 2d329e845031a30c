"""Small words: counts, money, times, and commands that work when they are copied."""

import shlex
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.settings import Settings


def many(number: int, thing: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def money(usd: Decimal) -> str:
    """`$1.20`; more places only where they say something."""
    places = max(2, -int(usd.normalize().as_tuple().exponent)) if usd else 2
    return f"${usd:,.{places}f}"


def price(low: Decimal | None, high: Decimal | None) -> str:
    """What something costs, as far as it is known."""
    if low is None or high is None:
        return "at a price that the API has not told"
    return f"for {money(low)}" if low == high else f"for {money(low)} to {money(high)}"


def clock_time(moment: datetime, now: datetime) -> str:
    """A moment on the wall clock here, with its day if that is not today."""
    there, here = moment.astimezone(), now.astimezone()
    return f"{there:%H:%M}" if there.date() == here.date() else f"{there:%a %H:%M}"


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `7 h 05 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def then(settings: "Settings", verb: str, *arguments: str) -> str:
    """A command to go on with, for the same database and API as this one."""
    words = ["nightsheet", verb, *arguments]
    if settings.emulator:
        words.append("--emulator")
    if settings.db is not None:
        words += ["--db", str(settings.db)]
    if settings.output_dir is not None and verb in {"run", "resume"}:
        words += ["--output-dir", str(settings.output_dir)]
    return shlex.join(words)
