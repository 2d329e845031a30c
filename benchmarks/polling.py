"""Policies of polling side by side: `python -m benchmarks.polling`.

Pure simulation: slots that are busy until the poll that notices a job's end, the same draws for every policy,
each of so many nights from nothing. A poll takes no time. What a run does without knowing anything, fixed
waits, and what it does once it learns; and as the bound of what can be learned, a schedule made of the true
distribution.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from statistics import median

from benchmarks.rounds import Column, Row, Sample, options, tell
from benchmarks.scheduling import bound
from runner.backoff import Backoff
from runner.limits.poll_schedule import (
    PRICE_SECONDS,
    PRICE_SHARE,
    REMEMBERED,
    LearnedPolls,
    PollSchedule,
    Span,
    poll_schedule,
    price_of,
)

LEAST, MOST = 0.25, 5.0
"""The bounds of a run's waits: `--poll-min` and `--poll-max` as they are by default."""
COLUMNS = (
    Column("polls", "polls/job", 2),
    Column("delay", "delay s", 3),
    Column("cost", "delay + price", 3),
    Column("over_bound", "makespan/bound", 3),
)
FIXED = (0.5, 1.0, 2.0, 5.0)
LEARNING = ("knows nothing", "learns, first night", "learns, second night", "knows the distribution")
_MODEL = "model"
_KNOWN_DRAWS = 5000

Draw = Callable[[random.Random], float]
Ended = Callable[[Span], object]
Wait = Callable[[float, int], float]
"""The wait of a job by its age and the number of its polls so far."""


def lognormal(median: float, sigma: float = 0.4) -> Draw:
    """Service times of one kind of work."""
    return lambda dice: median * dice.lognormvariate(0.0, sigma)


def bimodal(dice: random.Random) -> float:
    """Seven of ten jobs take about 4 s, the others about 30 s."""
    median = 4.0 if dice.random() < 0.7 else 30.0
    return median * dice.lognormvariate(0.0, 0.1)


SERVICES: dict[str, Draw] = {
    "lognormal, median 12 s": lognormal(12.0),
    "bimodal, 4 s and 30 s": bimodal,
    "lognormal, median 2 s": lognormal(2.0),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """How long to wait, and what to learn of an end."""

    wait: Wait
    ended: Ended = lambda _span: None


def fixed(seconds: float) -> Policy:
    """The same wait each time."""
    return Policy(lambda _age, _polls: seconds)


def growing(dice: random.Random) -> Policy:
    """What a run does with a model that it knows nothing of."""
    waits = Backoff(1.0, MOST, factor=1.5)
    return Policy(lambda _age, polls: max(waits.jittered(max(0, polls - 1), dice), 1.0))


def learning(dice: random.Random, known: Sequence[float] = ()) -> Policy:
    """What a run does, over what the table knows."""
    polls = LearnedPolls(LEAST, MOST, {_MODEL: known} if known else {})
    first = growing(dice)

    def wait(age: float, asked: int) -> float:
        learned = polls.wait(_MODEL, age)
        return first.wait(age, asked) if learned is None else learned

    return Policy(wait, lambda span: polls.ended(_MODEL, span))


def scheduled(schedule: PollSchedule) -> Policy:
    """A schedule as it is."""
    return Policy(lambda age, _polls: schedule.wait(age))


def oracle(service: Draw) -> Policy:
    """The schedule of one who knows the distribution."""
    dice = random.Random(999)  # noqa: S311 - service times
    times = [service(dice) for _ in range(_KNOWN_DRAWS)]
    schedule = poll_schedule([Span(one, one) for one in times], LEAST, MOST)
    assert schedule is not None
    return scheduled(schedule)


@dataclass(slots=True)
class _Job:
    begun: float
    takes: float
    polls: int = 0
    missed: float = 0.0


def night(seconds: Sequence[float], slots: int, policy: Policy) -> tuple[Sample, list[float]]:
    """A night under a policy: its figures, and when each job's end was noticed, in that order."""
    polls, delays = 0, 0.0
    noticed: list[float] = []
    left = iter(seconds)
    now = 0.0
    asked: list[tuple[float, int, _Job]] = []  # the number keeps equal moments in order

    def begin() -> None:
        if (takes := next(left, None)) is not None:
            heappush(asked, (now + policy.wait(0.0, 0), len(noticed) + len(asked), _Job(now, takes)))

    for _ in range(slots):
        begin()
    while asked:
        now, number, job = heappop(asked)
        polls += 1
        job.polls += 1
        age = now - job.begun
        if age < job.takes:
            job.missed = age
            heappush(asked, (now + policy.wait(age, job.polls), number, job))
            continue
        policy.ended(Span(job.missed, age))
        noticed.append(age)
        delays += age - job.takes
        begin()
    many = len(seconds)
    found = {"polls": polls / many, "delay": delays / many, "over_bound": now / bound(seconds, slots)}
    price = price_of(median(seconds))
    return found | {"cost": found["delay"] + price * found["polls"]}, noticed


def measured(service: Draw, jobs: int, slots: int, nights: int) -> list[Row]:
    """Every policy over the same draws, a sample a night."""
    knows = oracle(service)
    rows = [Row(name) for name in (*map("fixed {:g} s".format, FIXED), *LEARNING)]
    for seed in range(nights):
        dice = random.Random(seed)  # noqa: S311 - service times
        before, seconds = ([service(dice) for _ in range(jobs)] for _ in range(2))
        _found, known = night(before, slots, learning(dice))
        policies = [
            *map(fixed, FIXED),
            growing(dice),
            learning(dice),
            learning(dice, known[-REMEMBERED:]),
            knows,
        ]
        for row, policy in zip(rows, policies, strict=True):
            row.samples.append(dict(night(seconds, slots, policy)[0]))
    return rows


def main() -> None:
    """Measure each distribution."""
    parser = options("polling", __doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--nights", type=int, default=5)
    given = parser.parse_args()
    tell(
        given.json,
        [
            (f"{name}, {given.jobs} jobs, {given.slots} slots", rows, COLUMNS)
            for name, service in SERVICES.items()
            if (rows := measured(service, given.jobs, given.slots, given.nights))
        ],
        [
            f"delay + price: a poll has the price of {PRICE_SECONDS:g} s of delay, "
            f"and at most {PRICE_SHARE:.0%} of the median"
        ],
    )


if __name__ == "__main__":
    main()
