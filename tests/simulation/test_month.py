"""A month on a laptop, in seconds: sleep, clocks that are set, links that run out, hours offline."""

import pytest

from tests.simulation.month import DAYS, live_a_month


@pytest.mark.timeout(180)  # of a machine that does other things as well
def test_thirty_days() -> None:
    """Every row is paid once and comes home, in less than a minute of real time."""
    month = live_a_month()
    assert month.virtual_days >= DAYS
    assert month.seconds < 60
    assert month.sleeps >= DAYS / 2
    assert month.expired_links > 0
    assert month.paid_twice == 0
