"""Nights of eight hours, in seconds: hundreds of jobs, faults by the seed, and an oracle between the runs.

The seed stands in the name of each test. It makes the faults, and not the order in which threads come back.
"""

import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from jobs.pauses import UNTIL_RESUMED
from jobs.states import JobState
from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from runner.emulator.faults.profiles import PROFILES
from runner.events.report import RunReport
from tests.simulation.oracle import SETTLED, check
from tests.support.night import Night, night
from tests.support.virtual_time import virtual

GATE = 4
NIGHT_SECONDS = 8 * 3600.0
SLOW = {"slots": 2, "median_seconds": 430.0}
"""Of the emulator: some 200 jobs take the whole night."""
PACE: dict[str, Any] = {"poll_min": 30.0, "poll_max": 120.0, "deadline": 6 * 3600.0, "outage_limit": 1800.0}

LOOK_SECONDS = 120.0

OUTAGES = (
    Fault(endpoint=Endpoint.ANY, kind=FaultKind.DROP, times=None, after_seconds=600, for_seconds=1200),
    Fault(endpoint=Endpoint.ANY, kind=FaultKind.DROP, times=None, after_seconds=6000, for_seconds=5000),
    Fault(endpoint=Endpoint.SUBMIT, kind=FaultKind.DROP, times=None, after_seconds=15000, for_seconds=600),
    Fault(endpoint=Endpoint.MEDIA, kind=FaultKind.RESET, times=None, after_seconds=18000, for_seconds=900),
)


async def runs_until_settled(w: Night, rows: int, most: int = 30) -> int:
    """Run and resume, as a patient person does; returns how many runs it took."""
    sheet = w.sheet(rows)
    report: RunReport | None = None
    for runs in range(1, most + 1):
        stopped = report is not None and report.paused is not None and report.paused.reason in UNTIL_RESUMED
        report = await (w.resume(**PACE) if stopped else w.run(sheet, **PACE))
        assert report is not None
        assert sum(report.counts.values()) == rows
        check(w, rows, gate=GATE)
        assert report.exit_code in (0, 1, 69, 75)
        if set(w.states()) <= SETTLED:
            return runs
        await w.clock.sleep(300)
    raise AssertionError(f"not settled after {most} runs: {w.states()}")


async def nothing_more(w: Night, rows: int) -> None:
    """A night that is over asks the API nothing."""
    calls = len(w.transport.calls)
    await w.run(w.sheet(rows), **PACE)
    assert len(w.transport.calls) == calls


@pytest.mark.parametrize(
    ("name", "faults", "rows", "seed"),
    [
        ("calm", PROFILES["calm"], 60, 1),
        ("busy", PROFILES["busy"], 60, 2),
        ("flaky", PROFILES["flaky"], 60, 3),
        ("outage", (*PROFILES["outage"], *OUTAGES), 80, 4),
        ("hostile", PROFILES["hostile"], 220, 5),
    ],
)
def test_a_night(tmp_path: Path, name: str, faults: Sequence[Fault], rows: int, seed: int) -> None:
    """Under each profile: all that is not in doubt ends, and the books balance."""

    @virtual
    async def test() -> None:
        async with night(tmp_path, faults=faults, look_seconds=LOOK_SECONDS, seed=seed, **SLOW) as w:
            await runs_until_settled(w, rows)
            await nothing_more(w, rows)
            if name in ("calm", "busy"):
                w.everything_once(rows)
            if name == "outage":  # silence costs a request now and then
                during = [at for at, _method, _path in w.transport.calls if 6060 < at < 10_900]
                assert len(during) < 400
                assert w.states()[JobState.UNCONFIRMED] <= 20 + GATE
            if name == "hostile":
                assert w.clock.monotonic() > NIGHT_SECONDS

    test()


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("seed", range(20, 24))
def test_a_night_of_kills(tmp_path: Path, seed: int) -> None:
    """Killed at the submit edge again and again, offline at times, the wall clock set at times."""
    rows, kills = 40, 8

    @virtual
    async def test() -> None:
        dice = random.Random(seed)
        async with night(
            tmp_path, faults=PROFILES["flaky"], look_seconds=LOOK_SECONDS, seed=seed, **SLOW
        ) as w:
            left = kills

            def probe(name: str) -> None:
                nonlocal left
                if left and dice.random() < 0.08:
                    left -= 1
                    raise Killed(name)

            async def weather() -> None:
                while True:
                    await w.clock.sleep(dice.uniform(60, 2000))
                    w.transport.offline = dice.random() < 0.3
                    if dice.random() < 0.3:
                        w.clock.jump(timedelta(days=dice.uniform(-4000, 4000)))

            w.probe = probe
            sheet = w.sheet(rows)
            async with anyio.create_task_group() as beside:
                beside.start_soon(weather)
                for _run in range(80):
                    doubts = w.states()[JobState.UNCONFIRMED] if w.database.exists() else 0
                    killed = False
                    try:
                        await w.run(sheet, **PACE)
                    except BaseException as error:
                        if "Killed" not in repr(error):
                            raise
                        killed = True
                    if not killed:
                        check(w, rows, gate=GATE)
                        if set(w.states()) <= SETTLED:
                            break
                    else:
                        open_ones = w.states()[JobState.SUBMITTING]
                        assert open_ones <= GATE, f"{open_ones} in doubt by one kill, after {doubts}"
                    w.transport.offline = False
                    await w.clock.sleep(60)
                else:
                    raise AssertionError(f"never settled: {w.states()}")
                beside.cancel_scope.cancel()
            assert left < kills
            await nothing_more(w, rows)

    test()
