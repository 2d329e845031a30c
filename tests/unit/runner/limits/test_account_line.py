"""The line before an account's limits: one asks at a time, when it is worth it; all go once there is room."""

import random
from datetime import timedelta

import anyio
import pytest

from jobs.admission import Bound, NotAdmitted
from jobs.attempts import Intent
from runner.limits.account_line import AccountLine
from runner.limits.brake import Brake
from runner.limits.health import Health
from tests.support.scripted import ScriptedProvider
from tests.support.tables import NIGHT
from tests.support.virtual_time import VirtualClock, virtual

LET_GO = Intent(0)


class World:
    """A line, and a table that answers as it is told; each question takes no time."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.health = Health(
            ScriptedProvider(self.clock),
            "model",
            self.clock,
            random.Random(3),
            Brake(),
            outage_limit=1800,
            notice=lambda _text: None,
        )
        self.line = AccountLine(self.clock, self.health, account_id=1, batch_id=1)
        self.room = 0
        self.refusal = NotAdmitted(Bound.IN_FLIGHT, "the account's limit of 2 in flight")
        self.asked: list[tuple[float, int]] = []

    async def submit(self, job_id: int) -> None:
        """Ask until there is room."""
        while True:
            with self.line.place(job_id):
                await self.line.ready(job_id)
                self.asked.append((self.clock.monotonic(), job_id))
                has_room, self.room = self.room > 0, max(0, self.room - 1)
                self.line.told(job_id, LET_GO if has_room else self.refusal)
                if has_room:
                    return

    async def submits(self, *job_ids: int) -> None:
        async with anyio.create_task_group() as tasks:
            for job_id in job_ids:
                tasks.start_soon(self.submit, job_id)

    @property
    def since_begun(self) -> list[tuple[float, int]]:
        begun = self.asked[0][0]
        return [(round(at - begun, 3), job_id) for at, job_id in self.asked]


@virtual
async def test_nobody_waits_where_there_is_room() -> None:
    """No time passes, and nobody is in anybody's way."""
    w = World()
    w.room = 3
    await w.submits(1, 2, 3)
    assert w.since_begun == [(0, 1), (0, 2), (0, 3)]
    assert w.line.waiting_for is None


@virtual
async def test_one_asks_while_the_account_refuses() -> None:
    """Once a second, however many wait; when it is let go, the next one asks at once, in their order."""
    w = World()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(w.submits, 1, 2, 3)
        await w.clock.sleep(3.5)
        w.room = 3
    first, *_ = w.since_begun
    assert first == (0, 1)
    assert [at for at, _ in w.since_begun] == [0, 1, 2, 3, 4, 4, 4]
    assert len({job_id for at, job_id in w.since_begun if at == 4}) == 3


@virtual
async def test_an_end_wakes_who_asks() -> None:
    """Not in a second: now."""
    w = World()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(w.submits, 1)
        await w.clock.sleep(0.25)
        w.room = 1
        w.line.ended()
    assert w.since_begun == [(0, 1), (0.25, 1)]


@virtual
async def test_an_end_does_not_hurry_the_rate() -> None:
    """What waits for a time waits for it, and asks once a second: a person may have raised the rate."""
    w = World()
    w.refusal = NotAdmitted(Bound.RATE, "the account's limit of 6 submits a minute", 10.0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(w.submits, 1)
        await w.clock.sleep(0.25)
        w.line.ended()
        await w.clock.sleep(9)
        w.room = 1
    assert w.since_begun == [(second, 1) for second in range(11)]


@virtual
async def test_the_last_moment_of_a_rate_is_kept_exactly() -> None:
    """Not rounded up to the next second."""
    w = World()
    w.refusal = NotAdmitted(Bound.RATE, "the account's limit of 100 submits a minute", 0.6)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(w.submits, 1)
        await w.clock.sleep(0.25)
        w.room = 1
    assert w.since_begun == [(0, 1), (0.6, 1)]


@virtual
async def test_a_busy_api_is_not_asked_for_once_a_second() -> None:
    """No person sets that: what is told is waited for."""
    w = World()
    w.refusal = NotAdmitted(Bound.BUSY, "the API, which is busy", 10.0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(w.submits, 1)
        await w.clock.sleep(9)
        w.room = 1
    assert w.since_begun == [(0, 1), (10, 1)]


@virtual
async def test_nothing_waits_where_nobody_wants_to_send() -> None:
    """The last job in line was cancelled."""
    w = World()
    asker = anyio.CancelScope()

    async def last() -> None:
        with asker:
            await w.submit(1)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(last)
        await w.clock.sleep(2.5)
        assert w.line.waiting is not None
        asker.cancel()
    assert w.line.waiting is None


@virtual
async def test_who_is_cancelled_leaves_the_line_to_the_next() -> None:
    """Also the one that asks."""
    w = World()
    asker = anyio.CancelScope()

    async def first() -> None:
        with asker:
            await w.submit(1)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first)
        await w.clock.sleep(0.1)
        tasks.start_soon(w.submit, 2)
        await w.clock.sleep(0.1)
        asker.cancel()
        w.room = 1
    assert w.since_begun[-1] == (1, 2)


@virtual
async def test_what_it_waits_for_is_told() -> None:
    """To a person and to programs, once it is worth telling."""
    w = World()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(w.submits, 1)
        await w.clock.sleep(0.5)
        assert w.line.waiting is None
        await w.clock.sleep(2)
        waiting = w.line.waiting
        assert waiting is not None
        assert (waiting.reason, waiting.detail) == ("account", "the account's limit of 2 in flight")
        assert w.clock.now() - waiting.since == timedelta(seconds=2.5)
        assert waiting.until - w.clock.now() == timedelta(seconds=0.5)
        w.room = 1
    assert w.line.waiting is None


@virtual
async def test_a_doubt_is_cleared_by_an_answer_to_this_run() -> None:
    """Before that, its own doubt and another run's are nobody's to clear."""
    w = World()
    assert w.line.terms(None).cleared is None
    w.line.doubted(NIGHT)
    w.health.submit_unconfirmed()
    assert w.line.terms(None).cleared is None
    await w.health.ready()
    assert w.line.terms(None).cleared == NIGHT
    later = NIGHT + timedelta(seconds=5)
    w.line.told(1, NotAdmitted(Bound.DOUBT, "the API to answer", 0.0, later))
    assert w.health.suspect
    await w.health.ready()
    assert w.line.terms(None).cleared == later


@pytest.mark.parametrize("cleared", [True, False])
@virtual
async def test_who_only_waits_for_another_s_answer_does_not_ask(cleared: bool) -> None:
    """One run asks; the others look again."""
    w = World()
    w.line.told(1, NotAdmitted(Bound.DOUBT, "another runner to ask", doubt=NIGHT if cleared else None))
    assert w.health.suspect is cleared
