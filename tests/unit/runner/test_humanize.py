"""Counts, money and durations as people read them."""

from decimal import Decimal

import pytest

from runner.humanize import count_of, duration, jobs_a_minute, money, number, price


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
    assert (count_of(1, "job"), count_of(0, "job"), count_of(1200, "job")) == (
        "1 job",
        "0 jobs",
        "1,200 jobs",
    )


def test_price() -> None:
    """A range only where there is one."""
    low, high = Decimal("0.04"), Decimal("0.12")
    assert price(low, high) == "for $0.04 to $0.12"
    assert price(low, low) == "for $0.04"
    assert price(None, high) == price(low, None) == "at an unknown price"


@pytest.mark.parametrize(("value", "told"), [(30.0, "30"), (7.5, "7.5"), (Decimal("1E+2"), "100"), (0, "0")])
def test_number(value: float | Decimal, told: str) -> None:
    """No more places than it has."""
    assert number(value) == told


@pytest.mark.parametrize(
    ("pace", "told"),
    [(0.25, "0.2 jobs a minute"), (99.9, "99.9 jobs a minute"), (10047.3, "10,047 jobs a minute")],
)
def test_a_pace_has_its_unit(pace: float, told: str) -> None:
    """And no tenths of ten thousands."""
    assert jobs_a_minute(pace) == told
