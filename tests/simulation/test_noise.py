"""I16: what others do beside a run (second runners, a new pace, pauses that are cleared) changes no end."""

from collections import Counter
from dataclasses import replace

import pytest

from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from tests.simulation.evidence import gather
from tests.simulation.oracle import between_runs
from tests.simulation.orders import carry_out
from tests.simulation.schedule import Event, Schedule
from tests.simulation.stage import in_world
from tests.simulation.world import World

_FAULTS = tuple(
    Fault(endpoint=endpoint, kind=kind, prompt=f"no. {row}", times=None, **more)
    for row, endpoint, kind, more in (
        (1, Endpoint.SUBMIT, FaultKind.DROP, {"accepted": True}),
        (2, Endpoint.RESULT, FaultKind.FAILED, {}),
        (3, Endpoint.MEDIA, FaultKind.WRONG_BYTES, {}),
        (4, Endpoint.SUBMIT, FaultKind.MODERATED, {}),
    )
)
_PLAN = Schedule(
    seed=16,
    rows=7,
    crashes=(),
    faults=_FAULTS,
    emulator={"seed": 16},
    settings={"poll_min": 2.0, "poll_max": 8.0},
    look_seconds=2.0,
)
_NOISE = ("second runner", "tune", "pause", "resume", "second runner", "tune", "resume")

Ends = tuple[dict[str, str], Counter[str]]


async def _ends(w: World) -> Ends:
    """Run until nothing is queued or under way; the state of each key, and what was accepted."""

    async def noise() -> None:
        for number, event in enumerate(w.plan.orders, start=1):
            await w.clock.sleep(event.at - w.clock.monotonic())
            await carry_out(w, number, event)

    beside = w.loop.create_task(noise())
    while True:
        ended = await w.live()
        if ended.report is not None and ended.report.paused is None and beside.done():
            break
        await w.clock.sleep(5)
    between_runs(gather(w), set())
    return {job.key: str(job.state) for job in w.table.jobs.values()}, w.submits()


@pytest.mark.parametrize("seed", range(5))
def test_noise_changes_nothing(seed: int) -> None:
    """With faults that belong to rows, each row ends as it would have in silence."""
    silent = in_world(_PLAN, _ends, limit_seconds=86_400)
    orders = tuple(Event(1.0 + 3.1 * n + seed * 0.37, what) for n, what in enumerate(_NOISE))
    noisy = in_world(replace(_PLAN, seed=16 + seed, orders=orders), _ends, limit_seconds=86_400)
    assert noisy == silent
    assert set(silent[0].values()) == {"succeeded", "unconfirmed", "failed"}
