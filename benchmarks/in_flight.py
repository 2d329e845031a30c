"""How well `--concurrency auto` finds out what the API takes: `python -m benchmarks.in_flight`.

Two APIs that tell nobody their limit. One queues what it does not work on yet: measured is the makespan over
list scheduling of the same draws, and how many wait there. The other answers 429 beyond its limit, and has
its limit raised in mid-run: measured is how much of each limit is used once twenty jobs' time has passed, and
how many submits are turned away. The whole product runs against its emulator in virtual time.
"""

import math
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from benchmarks.rounds import Column, by_turns, options, tell
from benchmarks.scheduling import bound, ends
from runner.emulator.service.history import Submit
from tests.support.night import night
from tests.support.virtual_time import START, run_virtual

QUEUES = (Column("over_bound", "makespan/bound", 3), Column("waiting", "waiting", 1))
REFUSES = (
    Column("first", "first limit used", 3),
    Column("second", "second limit used", 3),
    Column("refused", "submits refused", 4),
)
SETTLED = 20
"""So many jobs' time after a limit came to hold, its use is measured."""
SINGLES = 10_000
"""No row of the sheet is a series."""


async def queueing(
    folder: Path, jobs: int, slots: int, median: float, concurrency: int | str
) -> dict[str, float]:
    """A night at an API that works on `slots` requests, and queues the others."""
    async with night(folder, look_seconds=1.0, slots=slots, median_seconds=median, sigma=0.4) as over:
        await over.run(over.sheet(jobs, series_every=SINGLES), concurrency=concurrency)
        over.everything_once(jobs)
        work = [(one.at, one.draw.seconds) for one in over.service.ledger]
    ended = ends(work, slots)
    waited = sum(end - seconds - at for (at, seconds), end in zip(work, ended, strict=True))
    makespan = max(ended) - work[0][0]
    return {
        "over_bound": makespan / bound([seconds for _at, seconds in work], slots),
        "waiting": waited / makespan,
    }


async def refusing(
    folder: Path, jobs: int, limits: tuple[int, int], median: float, concurrency: int | str
) -> dict[str, float]:
    """A night at an API that answers 429 beyond its limit, which is raised after half of the jobs."""
    async with night(
        folder,
        look_seconds=1.0,
        slots=limits[0],
        queue_limit=0,
        retry_after="none",
        median_seconds=median,
        sigma=0.4,
    ) as over:
        ledger, raised = over.service.ledger, []

        async def raise_it() -> None:
            while len(ledger) < jobs // 2:
                await over.clock.sleep(median / 10)
            over.service.resize(limits[1])
            raised.append(over.clock.now().timestamp())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(raise_it)
            await over.run(over.sheet(jobs, series_every=SINGLES), concurrency=concurrency)
        over.everything_once(jobs)
        submits = sum(method == "POST" for _at, method, _path in over.transport.calls)
        settle = SETTLED * median
        first = _used(ledger, START.timestamp() + settle, raised[0], limits[0])
        second = _used(ledger, raised[0] + settle, ledger[-1].at, limits[1])
    return {"first": first, "second": second, "refused": 1 - jobs / submits}


def _used(ledger: Sequence[Submit], begin: float, end: float, limit: int) -> float:
    """The share of the machines' time between two moments that they worked; NaN where there was none."""
    if end <= begin:
        return math.nan
    busy = (min(one.at + one.draw.seconds, end) - max(one.at, begin) for one in ledger)
    return sum(max(0.0, seconds) for seconds in busy) / (limit * (end - begin))


def measured(one: Callable[[Path], Coroutine[Any, Any, dict[str, float]]]) -> dict[str, float]:
    """A case from nothing, in a loop and a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return run_virtual(partial(one, Path(folder)))


def main() -> None:
    """Measure both kinds of API, with `auto` and with the default of 8."""
    parser = options("in_flight", __doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--limits", type=int, nargs=2, default=[10, 30])
    parser.add_argument("--median", type=float, nargs="+", default=[12.0, 2.0])
    given = parser.parse_args()
    tables = []
    first, second = given.limits
    for title, over, columns in (
        (f"{given.slots} machines and a queue", partial(queueing, slots=given.slots), QUEUES),
        (f"429 above {first}, then {second}", partial(refusing, limits=(first, second)), REFUSES),
    ):
        cases = {
            f"median {median:g} s, {concurrency}": partial(
                measured, partial(over, jobs=given.jobs, median=median, concurrency=concurrency)
            )
            for median in given.median
            for concurrency in ("auto", 8)
        }
        tables.append((f"{given.jobs} jobs, {title}", by_turns(cases, 1), columns))
    tell(given.json, tables, [])


if __name__ == "__main__":
    main()
