"""A total outage of an hour costs less than an hour of work, and nobody storms the API when it is back."""

import pytest

from tests.simulation.outage import Silence, live_through


@pytest.mark.parametrize("silence", ["drop", "stall", "offline"])
def test_an_hour_of_silence(silence: Silence) -> None:
    """Fewer requests while it lasts; no minute and no second after is twice as full as any before."""
    outage = live_through(silence)
    assert outage.usual_rate > 0
    assert outage.ratio <= 1.1
    assert outage.minute_after > 0, "it goes on within a minute"
    assert outage.minute_after <= 2 * outage.usual_minute
    assert outage.busiest_second_after <= 2 * outage.busiest_second_usual
