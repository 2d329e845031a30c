"""Waits: bounded, growing, and apart."""

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from runner.backoff import Backoff

seconds = st.floats(0.001, 1e6)
backoffs = st.builds(Backoff, seconds, seconds, st.floats(1.0, 10.0))


@given(backoffs, st.integers(0, 10_000))
def test_a_wait_is_never_longer_than_the_longest(backoff: Backoff, tries: int) -> None:
    """Nor infinite, however often it was tried."""
    wait = backoff.plain(tries)
    assert 0 < wait <= backoff.longest
    assert math.isfinite(wait)


@given(backoffs, st.integers(0, 200))
def test_waits_never_shrink(backoff: Backoff, tries: int) -> None:
    """Up to the longest."""
    assert backoff.plain(tries) <= backoff.plain(tries + 1)


@given(backoffs, st.integers(0, 100), st.integers())
def test_chance_takes_away_half_at_most(backoff: Backoff, tries: int, seed: int) -> None:
    """Nobody comes at once."""
    wait = backoff.jittered(tries, random.Random(seed))
    assert backoff.plain(tries) / 2 <= wait <= backoff.plain(tries)
