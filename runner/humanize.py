"""Numbers as people read them: counts, money, throughput and durations."""

from datetime import datetime
from decimal import Decimal


def count_of(number: int, thing: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def money(usd: Decimal) -> str:
    """`$1.20`; more decimal places only where they are not zero."""
    places = max(2, -int(usd.normalize().as_tuple().exponent)) if usd else 2
    return f"${usd:,.{places}f}"


def spent(usd: Decimal, unpriced: int) -> str:
    """What is spent; `unpriced` counts the submits whose price nobody knows."""
    if not unpriced:
        return money(usd)
    return f"{money(usd)} and an unknown amount" if usd else "an unknown amount"


def number(value: float | Decimal) -> str:
    """`30`, `7.5`: without trailing zeros."""
    return f"{Decimal(str(value)).normalize():f}"


def price(low: Decimal | None, high: Decimal | None) -> str:
    """What something costs in USD, as a range where both bounds are known."""
    if low is None or high is None:
        return "at an unknown price"
    return f"for {money(low)}" if low == high else f"for {money(low)} to {money(high)}"


def jobs_a_minute(rate: float) -> str:
    """`1.5 jobs a minute`, `10,047 jobs a minute`."""
    return f"{rate:.1f} jobs a minute" if rate < 100 else f"{rate:,.0f} jobs a minute"


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
