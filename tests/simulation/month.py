"""Thirty days of one batch: a laptop that sleeps, clocks that jump, links that run out."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from tests.simulation.oracle import check
from tests.simulation.schedule import Schedule
from tests.simulation.stage import in_world
from tests.simulation.weather import sleep
from tests.simulation.world import World

DAY_SECONDS = 24 * 3600.0
DAYS = 30
ROWS = 64

_PLAN = Schedule(
    seed=30,
    rows=ROWS,
    crashes=(),
    faults=(
        Fault(endpoint=Endpoint.RESULT, kind=FaultKind.EXPIRED_LINKS, each=True, times=1, chance=0.4),
        Fault(endpoint=Endpoint.STATUS, kind=FaultKind.RESET, times=None, chance=0.05),
        Fault(endpoint=Endpoint.MEDIA, kind=FaultKind.TRUNCATE, each=True, times=1, chance=0.3),
    ),
    emulator={"slots": 1, "median_seconds": DAY_SECONDS / 2, "url_seconds": 3600.0, "seed": 30},
    settings={
        "poll_min": 300.0,
        "poll_max": 3600.0,
        "deadline": 7 * DAY_SECONDS,
        "outage_limit": DAY_SECONDS,
        "concurrency": 6,
    },
    look_seconds=3600.0,
)


@dataclass(frozen=True, slots=True)
class Month:
    """What it came to. `virtual_days` are the world's, sleep included."""

    virtual_days: float
    seconds: float
    runs: int
    sleeps: int
    expired_links: int
    paid_twice: int


def live_a_month() -> Month:
    """Run it."""
    begun = time.perf_counter()

    async def story(w: World) -> Month:
        slept = 0

        async def nights() -> None:
            nonlocal slept
            while True:
                await w.clock.sleep(w.dice.uniform(0.5, 0.8) * DAY_SECONDS)
                sleep(w, 8 * 3600.0)
                slept += 1
                if w.dice.random() < 0.3:
                    w.clock.jump(timedelta(days=w.dice.uniform(-4000, 4000)))
                if w.dice.random() < 0.3:
                    w.net.offline = True
                    await w.clock.sleep(3600)
                    w.net.offline = False

        beside = asyncio.create_task(nights())
        runs = 0
        try:
            while runs < 30:
                runs += 1
                ended = await w.live()
                assert ended.report is not None
                check(w, ROWS, gate=4)
                if ended.report.exit_code in (0, 1):
                    break
                await w.clock.sleep(3600)
        finally:
            beside.cancel()
            with suppress(asyncio.CancelledError):
                await beside
        w.everything_once(ROWS)
        expired = sum(" fetching -> running" in line for line in w.history.lines)
        world_seconds = w.clock.monotonic() + slept * 8 * 3600
        return Month(world_seconds / DAY_SECONDS, time.perf_counter() - begun, runs, slept, expired, 0)

    return in_world(_PLAN, story, limit_seconds=90 * DAY_SECONDS)
