"""Counts, money and times as people read them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runner.cli.words import clock_time, duration, many, money, price


@pytest.mark.parametrize(
    ("usd", "told"),
    [
        ("0", "$0.00"),
        ("0.0", "$0.00"),
        ("1.2", "$1.20"),
        ("100", "$100.00"),
        ("0.045", "$0.045"),
        ("1234.5", "$1,234.50"),
    ],
)
def test_money(usd: str, told: str) -> None:
    """Cents, and more places only where they say something."""
    assert money(Decimal(usd)) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (89.4, "89 s"), (90, "2 min"), (3600, "60 min"), (7 * 3600 + 290, "7 h 05 min")],
)
def test_duration(seconds: float, told: str) -> None:
    """Roughly, as it is meant."""
    assert duration(seconds) == told


def test_many() -> None:
    """One is not many."""
    assert (many(1, "job"), many(0, "job"), many(1200, "job")) == ("1 job", "0 jobs", "1,200 jobs")


def test_price() -> None:
    """A range only where there is one."""
    low, high = Decimal("0.04"), Decimal("0.12")
    assert price(low, high) == "for $0.04 to $0.12"
    assert price(low, low) == "for $0.04"
    assert price(None, high) == price(low, None) == "at a price that the API has not told"


def test_clock_time() -> None:
    """The day is told where it is another one."""
    now = datetime(2026, 3, 4, 12, 0, tzinfo=UTC).astimezone()
    assert clock_time(now + timedelta(minutes=1), now) == f"{now + timedelta(minutes=1):%H:%M}"
    assert clock_time(now + timedelta(days=1), now).startswith(f"{now + timedelta(days=1):%a} ")
