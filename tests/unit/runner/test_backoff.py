"""The waits that the rest of the runner counts on."""

import random

import pytest

from runner.backoff import Backoff


@pytest.mark.parametrize(
    ("tries", "seconds"), [(0, 1), (1, 2), (2, 4), (4, 16), (5, 30), (6, 30), (10**9, 30)]
)
def test_it_doubles_up_to_the_longest(tries: int, seconds: float) -> None:
    """And stays there."""
    assert Backoff(first=1, longest=30).plain(tries) == seconds


def test_another_factor() -> None:
    """Polls grow more slowly."""
    assert Backoff(first=2, longest=100, factor=1.5).plain(2) == 4.5


def test_the_longest_wins_over_the_first() -> None:
    """Where a setting has them the wrong way round."""
    assert Backoff(first=10, longest=5).plain(0) == 5


def test_waiters_come_apart() -> None:
    """A hundred that wait for the same thing are spread over half of the wait."""
    rng = random.Random(1)
    waits = [Backoff(first=8, longest=8).jittered(0, rng) for _ in range(100)]
    assert len(set(waits)) == 100
    assert max(waits) - min(waits) > 3
