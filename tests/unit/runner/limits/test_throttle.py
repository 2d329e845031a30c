"""The throttle: the gate, the rate, a shared cool-down, and no herd at the end of trouble."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import anyio
import pytest

from jobs.pauses import PauseReason
from runner.limits.brake import Brake
from runner.limits.concurrency import InFlight
from runner.limits.health import Health
from runner.limits.throttle import Throttle
from runner.providers.base import TurnedAway
from tests.support.scripted import ScriptedProvider
from tests.support.virtual_time import VirtualClock, virtual


class World:
    """A throttle, and submits that take `seconds` each."""

    def __init__(self, *, gate: int = 4, rate: float | None = None, outage_limit: float = 1800) -> None:
        self.clock = VirtualClock()
        self.provider = ScriptedProvider(self.clock)
        self.brake = Brake()
        rng = random.Random(3)
        self.health = Health(
            self.provider,
            "model",
            self.clock,
            rng,
            self.brake,
            outage_limit=outage_limit,
            notice=lambda _text: None,
        )
        self.throttle = Throttle(
            self.clock,
            rng,
            self.brake,
            self.health,
            InFlight(100, self.clock.monotonic),
            gate=gate,
            rate=rate,
            outage_limit=outage_limit,
        )
        self.left: list[float] = []
        self.at_once = 0
        self.most = 0

    async def submit(self, answer: Callable[[], None], seconds: float = 0.5) -> None:
        async with self.throttle.admit(1):
            self.left.append(self.clock.monotonic())
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            await self.clock.sleep(seconds)
            answer()
            self.at_once -= 1

    async def submits(self, number: int, answer: Callable[[], None], seconds: float = 0.5) -> None:
        """So many at once."""
        async with anyio.create_task_group() as tasks:
            for _ in range(number):
                tasks.start_soon(self.submit, answer, seconds)

    def took(self) -> None:
        self.throttle.answered()
        self.health.submit_answered()


@virtual
async def test_the_gate() -> None:
    """No more are on their way than fit through it, and it is always full."""
    world = World(gate=3)
    await world.submits(9, world.took, seconds=1)
    assert world.most == 3
    assert Counter(world.left) == {0: 3, 1: 3, 2: 3}


@virtual
async def test_the_rate() -> None:
    """Spaced evenly, whatever the gate would let through."""
    world = World(gate=8, rate=30)
    await world.submits(10, world.took)
    assert world.left == pytest.approx([2.0 * number for number in range(10)])


@virtual
async def test_an_idle_time_is_not_made_up_for() -> None:
    """A minute's rest does not allow a minute's burst."""
    world = World(gate=8, rate=30)
    await world.submits(1, world.took)
    await world.clock.sleep(100)
    await world.submits(3, world.took)
    assert world.left[1:] == pytest.approx([world.left[1], world.left[1] + 2, world.left[1] + 4])


@virtual
async def test_turned_away_everybody_waits() -> None:
    """As long as the API asks for, and not a moment less; longer is our own choice."""
    world = World()
    assert world.throttle.turned_away(1, TurnedAway("429", 120.0, busy=True)) == 120
    assert world.throttle.waiting_for == "the API is busy, next submit in 120 s"
    waiting = world.throttle.waiting
    assert waiting is not None
    assert (waiting.reason, waiting.since) == ("busy", world.clock.now())
    assert waiting.until == world.clock.now() + timedelta(seconds=120)
    await world.submits(5, world.took)
    assert min(world.left) >= 120
    assert world.throttle.waiting_for is None
    assert world.throttle.waiting is None


@virtual
async def test_a_short_retry_after_does_not_shorten_our_own_wait() -> None:
    """An API that always says one second is asked less and less often."""
    world = World(gate=1)
    waits: list[float] = []
    for _ in range(9):
        waits.append(world.throttle.turned_away(1, TurnedAway("429", 1.0, busy=True)))
        await world.clock.sleep(waits[-1])
    assert waits[0] == 1
    assert all(wait >= 0.5 * 2**number for number, wait in enumerate(waits[:6]))
    assert 30 <= waits[-1] <= 60


@virtual
async def test_those_turned_away_together_count_once() -> None:
    """Four answers to four submits that left together are one sign of a busy API."""
    together, alone = World(), World()
    waits = [together.throttle.turned_away(1, TurnedAway("429", None, busy=True)) for _ in range(4)]
    assert max(waits) <= 1
    assert alone.throttle.turned_away(1, TurnedAway("429", None, busy=True)) <= 1


@virtual
async def test_no_herd_after_a_storm() -> None:
    """While the API is busy one at a time asks; when it takes one, the others follow through the gate."""
    world = World(gate=4)
    busy_until = 300.0

    def answer() -> None:
        if world.clock.monotonic() < busy_until:
            world.throttle.turned_away(1, TurnedAway("429", None, busy=True))
        else:
            world.took()

    async def persistent() -> None:
        accepted = False

        def noted() -> None:
            nonlocal accepted
            answer()
            accepted = world.clock.monotonic() >= busy_until

        while not accepted:
            await world.submit(noted)

    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(persistent)
    during = [moment for moment in world.left if moment < busy_until]
    assert len(during) < 4 + 20
    assert all(later > earlier for earlier, later in pairwise(during[4:]))
    seconds = Counter(int(moment) for moment in world.left)
    assert max(seconds.values()) <= 8
    assert world.most == 4


@virtual
async def test_turned_away_for_too_long_is_an_outage() -> None:
    """Counted from the first time since a submit was answered."""
    world = World(outage_limit=100)
    world.throttle.turned_away(1, TurnedAway("429", None, busy=True))
    await world.clock.sleep(99)
    world.throttle.turned_away(1, TurnedAway("429", None, busy=True))
    assert world.brake.stop is None
    world.throttle.answered()
    await world.clock.sleep(99)
    world.throttle.turned_away(1, TurnedAway("429", None, busy=True))
    await world.clock.sleep(100)
    assert world.brake.stop is None
    world.throttle.turned_away(1, TurnedAway("Too many requests", None, busy=True))
    assert world.brake.stop is not None
    assert world.brake.stop.reason is PauseReason.OUTAGE
    assert world.brake.stop.detail == "The API has turned every submit away for 100 s: Too many requests."


@virtual
async def test_after_a_doubt_nothing_leaves_before_a_free_answer() -> None:
    """Those that wait in the gate wait on; then they go one by one until a submit is answered."""
    world = World(gate=4)
    verdicts = iter([world.health.submit_unconfirmed, *[world.took] * 20])

    def answer() -> None:
        next(verdicts)()

    await world.submits(1, answer)
    await world.submits(8, answer)
    (question,) = world.provider.asked("price")
    assert question.at == 0.5
    assert world.left[1] == pytest.approx(0.6)
    assert world.left[2] >= world.left[1] + 0.5
    assert world.left[3] == world.left[2]


@virtual
async def test_a_place_is_given_back_however_the_block_ends() -> None:
    """An error or a cancellation inside keeps no place, and no single file."""
    world = World(gate=1)
    with pytest.raises(ValueError, match="why"):
        async with world.throttle.admit(1):
            raise ValueError("why")
    world.health.submit_unconfirmed()
    with anyio.move_on_after(1):
        async with world.throttle.admit(1):
            await anyio.sleep(10)
    with anyio.fail_after(10):
        await world.submits(2, world.took)


@virtual
async def test_who_waits_may_be_cancelled() -> None:
    """And leaves the way open for others."""
    world = World(gate=1, rate=1)
    await world.submits(1, world.took)
    with anyio.move_on_after(5) as scope:
        await world.submits(1, world.took)
    assert scope.cancelled_caught
    await world.submits(1, world.took)
    assert world.left == pytest.approx([0, 60])
