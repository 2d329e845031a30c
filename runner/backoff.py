"""How long to wait before asking again. Pure: chance is passed in."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that grow from `first` to `longest` seconds, by `factor` each time."""

    first: float
    longest: float
    factor: float = 2.0

    def plain(self, tries: int) -> float:
        """Seconds after `tries` tries (from 0), without chance."""
        # Beyond 64 doublings the power would leave the floats long after it has left `longest`.
        return min(self.longest, self.first * self.factor ** min(tries, 64))

    def jittered(self, tries: int, rng: random.Random) -> float:
        """Between half of it and all of it: many waiters come apart, and none comes at once."""
        return self.plain(tries) * rng.uniform(0.5, 1.0)
