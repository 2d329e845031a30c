"""Small words: counts, money, times, and commands that work when they are copied."""

import shlex
from datetime import datetime, tzinfo
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


def number(value: float | Decimal) -> str:
    """`30`, `7.5`: no more places than it has."""
    return f"{Decimal(str(value)).normalize():f}"


def price(low: Decimal | None, high: Decimal | None) -> str:
    """What something costs, as far as it is known."""
    if low is None or high is None:
        return "at a price that the API has not told"
    return f"for {money(low)}" if low == high else f"for {money(low)} to {money(high)}"


def clock_time(moment: datetime, now: datetime) -> str:
    """A moment on the wall clock here, with its day if that is not today."""
    there, here = moment.astimezone(), now.astimezone()
    return f"{there:%H:%M}" if there.date() == here.date() else f"{there:%a %H:%M}"


def jobs_a_minute(pace: float) -> str:
    """`1.5 jobs a minute`, `10,047 jobs a minute`."""
    return f"{pace:.1f} jobs a minute" if pace < 100 else f"{pace:,.0f} jobs a minute"


def zone(now: datetime) -> tzinfo:
    """The time of this place at the offset that it has now, so that one heading holds for every line."""
    found = now.astimezone().tzinfo
    assert found is not None
    return found


def zone_name(now: datetime) -> str:
    """`UTC+02:00`: what a heading says of the times below it."""
    offset = f"{now.astimezone():%z}"
    return f"UTC{offset[:3]}:{offset[3:5]}" if offset.strip("+-0") else "UTC"


def brief_model(model: str) -> str:
    """A model's name where space is short: they are all of one house."""
    return model.removeprefix("bytedance/")


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
    if settings.is_said("upload") and verb in {"run", "resume"}:
        words += ["--upload", str(settings.upload)]
    return shlex.join(words)
