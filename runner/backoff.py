"""Exponential backoff: how long to wait before the next try. Pure: chance is passed in."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that grow from `first` to `longest` seconds, by `factor` with each try."""

    first: float
    longest: float
    factor: float = 2.0

    def plain(self, tries: int) -> float:
        """Seconds to wait after `tries` tries, counted from 0, without jitter."""
        # Beyond 64 doublings the power would leave the floats long after it has left `longest`.
        return min(self.longest, self.first * self.factor ** min(tries, 64))

    def jittered(self, tries: int, rng: random.Random) -> float:
        """Between half of `plain` and all of it: many waiters spread out, and none returns at once."""
        return self.plain(tries) * rng.uniform(0.5, 1.0)
