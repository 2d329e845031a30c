"""When time is left over."""

import pytest

from runner.downloads.spare_time import SpareTime
from tests.support.served_page import SteppedClock


@pytest.mark.parametrize(
    ("used", "own", "left"),
    [(0.1, 0.0, True), (0.59, 0.0, True), (0.6, 0.0, False), (2.0, 0.0, False), (0.9, 0.5, True)],
)
def test_a_second_of_the_process(used: float, own: float, left: bool) -> None:
    """What is spent on what can wait does not count: it would hold itself up."""
    clock, waited = SteppedClock(), 0.0
    spare = SpareTime(clock, lambda: waited)
    assert spare.is_left()
    clock.cpu_seconds, waited = used, own
    assert spare.is_left()  # no time has passed: nothing is known yet
    clock.advance(1.0)
    assert spare.is_left() is left


def test_only_what_was_used_of_late_counts() -> None:
    """A busy evening is no reason to wait in the morning."""
    clock = SteppedClock()
    spare = SpareTime(clock, lambda: 0.0)
    clock.cpu_seconds = 100.0
    clock.advance(100.0)
    assert not spare.is_left()
    clock.advance(0.4)
    assert not spare.is_left()  # too short to tell
    clock.advance(0.2)
    assert spare.is_left()
