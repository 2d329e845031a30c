"""How close a night comes to the shortest that it could be: `python -m benchmarks.makespan`.

The bound is list scheduling of the same draws over the same slots: no slot idles while a job is left, and an
end is known the moment it comes. What a run loses to it is the time until it notices an end, and its own
calls. The whole product runs against its emulator in virtual time, so the machine's speed plays no part, and
the figures are the same each time. A call takes 20 ms.
"""

import tempfile
from functools import partial
from pathlib import Path
from statistics import fmean

from benchmarks.rounds import Column, by_turns, options, tell
from benchmarks.scheduling import bound, ends
from tests.support.night import Night, night
from tests.support.virtual_time import START, run_virtual

COLUMNS = (
    Column("over_bound", "makespan/bound", 3),
    Column("polls", "polls/job", 2),
    Column("delay", "delay s", 2),
    Column("makespan", "makespan s", 1),
)
UNBOUNDED = 10_000
"""Slots of an API that works on all that it accepts."""


async def one_night(
    folder: Path, jobs: int, slots: int, ahead: int, median: float, sigma: float
) -> dict[str, float]:
    """A night of the product. With `ahead`, the API queues beyond `slots`, and so many more are in flight."""
    at_the_api = slots if ahead else UNBOUNDED
    async with night(folder, look_seconds=1.0, slots=at_the_api, median_seconds=median, sigma=sigma) as over:
        sheet = over.sheet(jobs, series_every=UNBOUNDED)
        await over.run(sheet, concurrency=slots + ahead)
        over.everything_once(jobs)
        return _figures(over, slots, at_the_api)


def _figures(over: Night, slots: int, at_the_api: int) -> dict[str, float]:
    """What the emulator has seen of it."""
    ledger = over.service.ledger
    work = [(one.at - START.timestamp(), one.draw.seconds) for one in ledger]
    calls = [(at, path.split("/")) for at, method, path in over.transport.calls if method == "GET"]
    noticed = {path[-2]: at for at, path in calls if path[-1] == "result"}
    makespan = max(noticed.values()) - work[0][0]
    delays = [noticed[one.request_id] - end for one, end in zip(ledger, ends(work, at_the_api), strict=True)]
    return {
        "over_bound": makespan / bound([seconds for _at, seconds in work], slots),
        "makespan": makespan,
        "polls": sum(path[-1] == "status" for _at, path in calls) / len(ledger),
        "delay": fmean(delays),
    }


def measured(jobs: int, slots: int, ahead: int, median: float, sigma: float) -> dict[str, float]:
    """The same from nothing, in a loop and a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return run_virtual(partial(one_night, Path(folder), jobs, slots, ahead, median, sigma))


def main() -> None:
    """Measure each service time, at an API that works on everything and at one that queues."""
    parser = options("makespan", __doc__)
    parser.add_argument("--jobs", type=int, default=512)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--median", type=float, nargs="+", default=[12.0, 2.0])
    parser.add_argument("--sigma", type=float, default=0.4)
    parser.add_argument("--ahead", type=int, nargs="+", default=[0, 8, 32])
    given = parser.parse_args()
    cases = {
        f"median {median:g} s, {ahead or 'none'} ahead": partial(
            measured, given.jobs, given.slots, ahead, median, given.sigma
        )
        for median in given.median
        for ahead in given.ahead
    }
    title = f"{given.jobs} jobs, {given.slots} slots, lognormal, sigma {given.sigma:g}"
    note = "ahead: so many more are in flight than an API works on that queues the others"
    tell(given.json, [(title, by_turns(cases, 1), COLUMNS)], [note])


if __name__ == "__main__":
    main()
