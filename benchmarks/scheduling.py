"""When jobs end over a number of slots: the bound that a makespan is held against."""

from collections.abc import Sequence
from heapq import heapreplace


def ends(jobs: Sequence[tuple[float, float]], slots: int) -> list[float]:
    """When each of these jobs ends, first come first served: (arrival, seconds), in the order of arrival."""
    free = [0.0] * slots
    ended = []
    for at, seconds in jobs:
        ended.append(max(at, free[0]) + seconds)
        heapreplace(free, ended[-1])
    return ended


def bound(seconds: Sequence[float], slots: int) -> float:
    """List scheduling: the makespan of jobs that are all there, in this order, where no slot ever idles."""
    return max(ends([(0.0, one) for one in seconds], slots))
