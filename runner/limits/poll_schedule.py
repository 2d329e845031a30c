"""When to ask about a job again: learned from how long its model's jobs took. Pure: times in, waits out.

An end is noticed at the first poll after it. A poll that comes late costs delay, one that comes in vain costs
a call; a call has a price in seconds of delay. For the service times seen, dynamic programming finds the wait
with the least expected cost at every age that an unfinished job may have: a survival problem.

Of a service time a span is known: it is longer than the last poll that found the job unfinished, and no
longer than the first that found it done. A schedule that came too late for everything sees so only wide
spans, which call for earlier polls: it cannot confirm itself.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil
from typing import NamedTuple

PRICE_SECONDS = 0.12
"""What a poll may cost: it is as bad as to notice an end so much later."""
PRICE_SHARE = 0.03
"""It costs no more than this share of the middle service time: where jobs are short, a delay weighs more."""
ENOUGH = 20
"""Service times of a model from which on they are believed."""
REMEMBERED = 300
"""The last of them count: a model becomes faster or slower."""
_KNOWN_WITHIN = 1 / 3
"""Of a time from the table only the poll that noticed the end is known: the waits of that night were about
so long a share of it."""
_POINTS = 8
"""A span counts as so many times, evenly spaced in it."""
_MOST_STEPS = 400
_OUTLIERS = 3.0
"""The grid ends at so many times what nine of ten jobs take: one straggler must not make it coarse."""
_TAIL = 0.2
"""Behind the grid a job is asked about after so long a share of its age."""


class Span(NamedTuple):
    """What is known of a service time, in seconds: longer than `after`, no longer than `by`."""

    after: float
    by: float


@dataclass(frozen=True, slots=True)
class PollSchedule:
    """The next poll of an unfinished job of any age. Each wait lies between `least` and `most` seconds."""

    least: float
    most: float
    step: float
    next_at: tuple[float, ...]
    """By age in steps."""

    def wait(self, age: float) -> float:
        """Seconds until the next poll of a job that is `age` old and not done."""
        # Rounded: a timer that fires a moment early must not read the line before.
        number = round(age / self.step)
        wait = self.next_at[number] - age if number < len(self.next_at) else age * _TAIL
        return min(self.most, max(self.least, wait))


def poll_schedule(
    spans: Sequence[Span], least: float, most: float, price: float | None = None
) -> PollSchedule | None:
    """The schedule with the least expected delay plus `price` a poll; None if the bounds leave no choice.

    The price is in seconds of delay.
    """
    by = sorted(span.by for span in spans)
    if price is None:
        price = price_of(by[len(by) // 2])
    end = min(by[-1], by[len(by) * 9 // 10] * _OUTLIERS)
    step = max(least / 2, end / _MOST_STEPS)
    fewest, furthest = ceil(least / step), int(most / step)
    if furthest <= fewest:
        return None
    steps = ceil(end / step)
    ended, moments = _by_step(spans, step, steps)
    costs = [0.0] * (steps + 1)
    next_at = [0.0] * steps
    for here in range(steps - 1, -1, -1):
        alive = len(spans) - ended[here]
        best, best_at = float("inf"), here + fewest
        for there in range(here + fewest, max(here + fewest, min(here + furthest, steps)) + 1):
            cell = min(there, steps)
            # The delay of those that end in between, and what those cost that do not.
            late = there * step * (ended[cell] - ended[here]) - (moments[cell] - moments[here])
            if late + costs[cell] < best:
                best, best_at = late + costs[cell], there
        costs[here] = price * alive + best
        next_at[here] = best_at * step
    return PollSchedule(least, most, step, tuple(next_at))


def price_of(middle: float) -> float:
    """What a poll may cost where the middle service time is so long; both in seconds."""
    return min(PRICE_SECONDS, PRICE_SHARE * middle)


def _by_step(spans: Sequence[Span], step: float, steps: int) -> tuple[list[float], list[float]]:
    """For each step: how many jobs have ended by then, and the sum of their times."""
    ended, moments = [0.0] * (steps + 1), [0.0] * (steps + 1)
    for after, by in spans:
        for point in range(_POINTS):
            seconds = after + (by - after) * (point + 0.5) / _POINTS
            cell = ceil(seconds / step)
            if cell <= steps:
                ended[cell] += 1 / _POINTS
                moments[cell] += seconds / _POINTS
    return list(accumulate(ended)), list(accumulate(moments))


class _Model:
    """The service times of one model, and the schedule that they made."""

    def __init__(self, known: Sequence[float]) -> None:
        spans = (Span(seconds * (1 - _KNOWN_WITHIN), seconds) for seconds in known)
        self.spans: deque[Span] = deque(spans, maxlen=REMEMBERED)
        self.new = len(self.spans)
        self.schedule: PollSchedule | None = None


class LearnedPolls:
    """The schedules of a run's models, each from the service times that are known of it."""

    def __init__(self, least: float, most: float, known: Mapping[str, Sequence[float]]) -> None:
        """`known` are service times of earlier runs, by model, the newest last."""
        self._least = least
        self._most = most
        self._models = {model: _Model(seconds) for model, seconds in known.items()}

    def ended(self, model: str, span: Span) -> bool:
        """Learn from a job that has ended; False where the span is too wide to tell anything.

        An outage lay in between, or the job was done when this run began.
        """
        if span.by - span.after > 2 * self._most:
            return False
        known = self._models.setdefault(model, _Model(()))
        known.spans.append(span)
        known.new += 1
        return True

    def wait(self, model: str, age: float) -> float | None:
        """Seconds until the next poll of an unfinished job; None while too little is known of its model."""
        known = self._models.get(model)
        if known is None:
            return None
        if known.new >= max(ENOUGH, len(known.spans) // 4):
            known.schedule = poll_schedule(known.spans, self._least, self._most)
            known.new = 0
        return None if known.schedule is None else known.schedule.wait(age)
