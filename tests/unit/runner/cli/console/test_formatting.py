"""Times of this place."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from runner.cli.console.formatting import zone, zone_name
from runner.humanize import clock_time


def test_clock_time() -> None:
    """The day is told where it is another one."""
    now = datetime(2026, 3, 4, 12, 0, tzinfo=UTC).astimezone()
    assert clock_time(now + timedelta(minutes=1), now) == f"{now + timedelta(minutes=1):%H:%M}"
    assert clock_time(now + timedelta(days=1), now).startswith(f"{now + timedelta(days=1):%a} ")


@pytest.mark.parametrize(
    ("place", "told"), [("UTC", "UTC"), ("Asia/Kolkata", "UTC+05:30"), ("America/New_York", "UTC-05:00")]
)
def test_the_zone_of_this_place(monkeypatch: pytest.MonkeyPatch, place: str, told: str) -> None:
    """By its offset, which holds for all that is told with it, in summer too."""
    winter, summer = datetime(2026, 1, 15, 12, 0, tzinfo=UTC), datetime(2026, 7, 15, 12, 0, tzinfo=UTC)
    with monkeypatch.context() as patch:
        patch.setenv("TZ", place)
        time.tzset()
        assert zone_name(winter) == told
        assert f"{summer.astimezone(zone(winter)):%z}" == f"{winter.astimezone():%z}"
    time.tzset()
