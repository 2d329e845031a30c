"""Exponential backoff with jitter. Pure: the random generator is passed in."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that grow from `first` to `longest` seconds, by `factor` each time."""

    first: float
    longest: float
    factor: float = 2.0

    def plain(self, tries: int) -> float:
        """Seconds to wait after `tries` tries (from 0), without jitter."""
        # More than 64 doublings would overflow a float, and exceed `longest` anyway.
        return min(self.longest, self.first * self.factor ** min(tries, 64))

    def jittered(self, tries: int, rng: random.Random) -> float:
        """Between half of that and all of it: many waiters spread out, and none retries at once."""
        return self.plain(tries) * rng.uniform(0.5, 1.0)
