"""An hour in which the API is silent, within a steady night: what is asked of it, then and after."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from tests.simulation.schedule import Schedule
from tests.simulation.stage import in_world
from tests.simulation.world import World

Silence = Literal["drop", "stall", "offline"]

ROWS = 240
CONCURRENCY = 8
HOUR = 3600.0
BEGINS = 1.5 * HOUR
ENDS = BEGINS + HOUR
_USUAL_FROM = 0.5 * HOUR


@dataclass(frozen=True, slots=True)
class Outage:
    """Requests: a second on average before and during the outage, and the busiest second and minute after."""

    usual_rate: float
    rate: float
    usual_minute: int
    """The busiest one before."""
    minute_after: int
    busiest_second_usual: int
    busiest_second_after: int

    @property
    def ratio(self) -> float:
        return self.rate / self.usual_rate


def live_through(silence: Silence) -> Outage:
    """Run the night."""
    faults: tuple[Fault, ...] = ()
    if silence != "offline":
        faults = (
            Fault(
                endpoint=Endpoint.ANY,
                kind=FaultKind(silence),
                times=None,
                after_seconds=BEGINS,
                for_seconds=HOUR,
            ),
        )
    plan = Schedule(
        seed=60,
        rows=ROWS,
        crashes=(),
        faults=faults,
        emulator={"slots": 8, "median_seconds": 300.0, "seed": 60},
        settings={
            "concurrency": CONCURRENCY,
            "poll_min": 5.0,
            "poll_max": 30.0,
            "deadline": 6 * HOUR,
            "outage_limit": 3 * HOUR,
        },
        look_seconds=60.0,
    )

    async def story(w: World) -> Outage:
        async def weather() -> None:
            await w.clock.sleep(BEGINS)
            w.net.offline = silence == "offline"
            await w.clock.sleep(HOUR)
            w.net.offline = False

        beside = w.loop.create_task(weather())
        ended = await w.live()
        await beside
        assert ended.report is not None
        assert ended.report.exit_code in (0, 1), ended.report
        assert ended.seconds > ENDS + HOUR / 2
        return _measured([at for at, _method, _path in w.transport.calls])

    return in_world(plan, story, limit_seconds=24 * HOUR)


def _measured(moments: list[float]) -> Outage:
    usual = [at for at in moments if _USUAL_FROM <= at < BEGINS]
    during = [at for at in moments if BEGINS <= at < ENDS]
    after = [at for at in moments if ENDS <= at < ENDS + 60]
    return Outage(
        usual_rate=len(usual) / (BEGINS - _USUAL_FROM),
        rate=len(during) / HOUR,
        usual_minute=_busiest(usual, 60),
        minute_after=len(after),
        busiest_second_usual=_busiest(usual, 1),
        busiest_second_after=_busiest([at for at in moments if ENDS <= at < ENDS + 600], 1),
    )


def _busiest(moments: list[float], seconds: float) -> int:
    return max(Counter(int(at / seconds) for at in moments).values(), default=0)
