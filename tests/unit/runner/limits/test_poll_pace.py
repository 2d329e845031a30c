"""How often the API is asked about jobs: as often as it answers, over all of them."""

from collections import deque
from functools import partial

import anyio
import pytest

from runner.limits.poll_pace import GROWS_EVERY_SECONDS, SLOWEST, PollPace
from tests.support.virtual_time import VirtualClock, virtual


class Api:
    """Answers so many polls in any second, and turns away the others."""

    def __init__(self, a_second: float, *, retry_after: float | None = None) -> None:
        self.clock = VirtualClock()
        self.pace = PollPace(self.clock)
        self.limit = a_second
        self.retry_after = retry_after
        self.answered: list[float] = []
        self.refused: list[float] = []
        self._recent: deque[float] = deque()

    async def poll(self) -> bool:
        """Ask once, in turn; whether it was answered."""
        await self.pace.turn()
        now = self.clock.monotonic()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= self.limit:
            self.refused.append(now)
            self.pace.turned_away(self.retry_after)
            return False
        self._recent.append(now)
        self.answered.append(now)
        self.pace.answered()
        return True

    async def jobs(self, many: int, *, every: float, seconds: float) -> None:
        """So many jobs, each asked about again so long after its last answer."""

        async def one() -> None:
            while self.clock.monotonic() < seconds:
                await self.poll()
                await self.clock.sleep(every)

        async with anyio.create_task_group() as tasks:
            for number in range(many):
                await self.clock.sleep(every / many if number else 0)
                tasks.start_soon(one)


@virtual
async def test_there_is_no_limit_until_one_is_turned_away() -> None:
    """All come when they want to."""
    api = Api(1000)
    await api.jobs(50, every=0.5, seconds=5)
    assert (api.refused, api.pace.pace) == ([], None)
    assert len(api.answered) >= 450


@virtual
async def test_all_wait_as_long_as_it_says() -> None:
    """Also those that were on their way, and those that ask for the first time."""
    api = Api(0, retry_after=30)
    assert not await api.poll()
    api.limit = 1000
    await api.jobs(5, every=100, seconds=50)
    assert min(api.answered) == 30


@virtual
async def test_it_goes_at_half_the_pace_and_finds_back() -> None:
    """An API that answers 20 a second is asked 50 times: few are turned away, and most of the 20 are used."""
    api = Api(20)
    await api.jobs(50, every=1, seconds=600)
    assert len(api.refused) / (len(api.refused) + len(api.answered)) < 0.03
    assert len([at for at in api.answered if at > 60]) / 540 > 0.6 * 20
    api.limit = 1000
    await api.jobs(50, every=1, seconds=900)
    assert api.pace.pace is None


@virtual
async def test_those_turned_away_together_count_once() -> None:
    """Half of the pace, not a thousandth."""
    api = Api(1000)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(api.jobs, 40, every=1, seconds=5))
        await api.clock.sleep(3.9)
        for _ in range(10):
            api.pace.turned_away(None)
    assert api.pace.pace == pytest.approx(20, rel=0.1)


@virtual
async def test_it_is_never_asked_less_than_now_and_then() -> None:
    """However often it turns a poll away, with nothing measured or with much."""
    api = Api(0)
    for _ in range(20):
        await api.poll()
    assert api.pace.pace == SLOWEST
    assert len(api.refused) == 20
    api.limit = 5
    for _ in range(3):
        assert await api.poll()
    await api.clock.sleep(GROWS_EVERY_SECONDS)
    await api.poll()
    assert api.pace.pace is None


@virtual
async def test_who_came_first_goes_first() -> None:
    """A job is not overtaken for ever."""
    api = Api(0)
    await api.poll()
    api.limit = 1000
    order: list[int] = []

    async def one(number: int) -> None:
        await api.pace.turn()
        order.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(6):
            tasks.start_soon(one, number)
            await anyio.wait_all_tasks_blocked()
    assert order == [0, 1, 2, 3, 4, 5]
