"""Health: one free question at a time after trouble, and a pause when it lasts too long."""

import itertools
import random
from datetime import timedelta

import anyio

from jobs.pauses import PauseReason
from runner.humanize import clock_time
from runner.limits.brake import Brake, Reach
from runner.limits.health import Health
from runner.providers.base import CallFailed, NoSuchModel, Priced, RemoteStatusReport, Stopped, UnknownId
from tests.support.scripted import ScriptedProvider
from tests.support.virtual_time import VirtualClock, virtual

SILENT = CallFailed("no answer")
BUSY = CallFailed("429", answered=True)
CERTIFICATE = CallFailed("not trusted", certificate=True)


class World:
    """Health over a scripted provider."""

    def __init__(self, *, outage_limit: float = 1800, ask_first: bool = False) -> None:
        self.clock = VirtualClock()
        self.provider = ScriptedProvider(self.clock)
        self.brake = Brake()
        self.notices: list[str] = []
        self.health = Health(
            self.provider,
            "model",
            self.clock,
            random.Random(1),
            self.brake,
            outage_limit=outage_limit,
            notice=self.notices.append,
            ask_first=ask_first,
        )

    @property
    def asked(self) -> int:
        return len(self.provider.asked("price"))

    async def guarded_ready(self, seconds: float = 1e6) -> None:
        """Be ready, as all callers are: under the brake."""
        with self.brake.guarding(Reach.POLLS), anyio.move_on_after(seconds):
            await self.health.ready()


@virtual
async def test_nothing_is_asked_while_all_is_well() -> None:
    """A good API costs no extra call."""
    world = World()
    await world.health.ready()
    assert (world.asked, world.health.suspect, world.health.last_submit_unconfirmed) == (0, False, False)


@virtual
async def test_a_run_may_ask_before_its_first_submit() -> None:
    """So that a wrong token is found while it is free."""
    world = World(ask_first=True)
    assert world.health.suspect
    await world.health.ready()
    assert (world.asked, world.health.suspect) == (1, False)


@virtual
async def test_after_a_doubt_one_question_serves_everybody() -> None:
    """Fifty that wait cost one request."""
    world = World()
    world.health.submit_unconfirmed()
    assert world.health.suspect
    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(world.health.ready)
    assert world.asked == 1
    assert (world.health.suspect, world.health.last_submit_unconfirmed) == (False, True)
    world.health.submit_answered()
    assert not world.health.last_submit_unconfirmed


@virtual
async def test_an_outage_is_asked_about_now_and_then() -> None:
    """An hour of silence costs a request every half minute at most, and is told once."""
    world = World(outage_limit=7200)

    def up_after_an_hour(_call: object) -> Priced | CallFailed:
        return Priced(None) if world.clock.monotonic() >= 3600 else SILENT

    world.provider.says("price", up_after_an_hour)
    world.health.submit_unconfirmed()
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(world.health.ready)
        await anyio.sleep(60)
        waiting = world.health.waiting
        assert waiting is not None
        until = clock_time(waiting.until, world.clock.now())
        assert world.health.waiting_for == f"the API does not answer (no answer), asking until {until}"
        assert waiting.reason == "outage"
        assert waiting.since == world.clock.now() - timedelta(seconds=60)
        assert waiting.until - waiting.since == timedelta(seconds=7200)
    assert 3600 / 31 < world.asked < 3600 / 14
    assert 3600 <= world.clock.monotonic() < 3632
    assert world.notices == [
        f"The API does not answer (no answer). Asking again until {until}, for up to 2 h 00 min "
        "(--outage-limit); then the batch is paused.",
        "The API answers again.",
    ]
    assert world.health.waiting_for is None
    assert world.brake.stop is None


@virtual
async def test_an_outage_beyond_the_limit_pauses_the_batch() -> None:
    """And sends those home who wait."""
    world = World(outage_limit=600)
    world.provider.says("price", SILENT)
    world.health.submit_unconfirmed()
    await world.guarded_ready()
    assert world.brake.stop is not None
    assert world.brake.stop.reason is PauseReason.OUTAGE
    assert "600 s: no answer" in world.brake.stop.detail
    assert 600 <= world.clock.monotonic() < 632


@virtual
async def test_a_refused_certificate_pauses_at_once() -> None:
    """No retry changes it."""
    world = World()
    world.provider.says("price", CERTIFICATE)
    world.health.submit_unconfirmed()
    await world.guarded_ready()
    assert world.brake.stop is not None
    assert (world.brake.stop.reason, world.asked) == (PauseReason.OUTAGE, 1)
    assert world.clock.monotonic() < 5
    direct = World()
    direct.health.call_failed(CERTIFICATE)
    assert direct.brake.stop is not None
    assert direct.brake.stop.reason is PauseReason.OUTAGE


@virtual
async def test_any_answer_of_the_api_will_do() -> None:
    """It is there: it says that it is busy, or that it lacks the model."""
    for verdict in (Priced(None), NoSuchModel("no"), BUSY):
        world = World()
        world.provider.says("price", verdict)
        world.health.submit_unconfirmed()
        await world.health.ready()
        assert (world.asked, world.health.suspect, world.brake.stop) == (1, False, None)


@virtual
async def test_an_api_without_prices_is_there_all_the_same() -> None:
    """Where that endpoint is broken or missing, another one tells."""
    broken = CallFailed("HTTP 500", http_status=500)
    for standing in (
        UnknownId("no"),
        BUSY,
        CallFailed("HTTP 404", http_status=404),
        RemoteStatusReport(None, "odd"),
    ):
        world = World(ask_first=True)
        world.provider.says("price", broken)
        world.provider.says("status", standing)
        await world.health.ready()
        assert (world.asked, world.health.suspect, world.brake.stop) == (1, False, None)
    world = World(ask_first=True)
    world.provider.says("price", broken)
    world.provider.says("status", Stopped(PauseReason.TOKEN, "expired"))
    await world.health.ready()
    assert world.brake.stop is not None


@virtual
async def test_a_gateway_that_answers_for_the_api_is_no_api() -> None:
    """502 or a redirect, whatever is asked."""
    for status in (502, 307, 200):
        world = World(outage_limit=60)
        world.provider.says("price", CallFailed("gateway", http_status=status))
        world.provider.says("status", CallFailed("gateway", http_status=status))
        world.health.submit_unconfirmed()
        assert not await world.health.is_up()
        await world.guarded_ready()
        assert world.brake.stop is not None
        assert world.brake.stop.reason is PauseReason.OUTAGE


@virtual
async def test_a_token_that_is_refused_pauses() -> None:
    """Found out with a question that costs nothing."""
    world = World(ask_first=True)
    world.provider.says("price", Stopped(PauseReason.TOKEN, "expired"))
    await world.health.ready()
    assert world.brake.stop is not None
    assert (world.brake.stop.reason, world.brake.stop.detail) == (PauseReason.TOKEN, "expired")


@virtual
async def test_submits_that_stay_unanswered_come_more_and_more_slowly() -> None:
    """Where the free calls are answered all the while: else every row would end in doubt within minutes."""
    world = World()
    waits = []
    for _ in range(9):
        before = world.clock.monotonic()
        world.health.submit_unconfirmed()
        await world.health.ready()
        waits.append(world.clock.monotonic() - before)
    assert waits[0] < 1
    assert all(later >= 0.45 * earlier for earlier, later in itertools.pairwise(waits))
    assert 30 <= waits[-1] <= 61
    world.health.submit_answered()
    world.health.submit_unconfirmed()
    before = world.clock.monotonic()
    await world.health.ready()
    assert world.clock.monotonic() - before < 1


@virtual
async def test_trouble_counts_from_the_last_good_answer() -> None:
    """A call that fails is no outage; calls that have failed for as long as the limit are one."""
    world = World(outage_limit=100)
    world.health.call_failed(BUSY)
    await world.clock.sleep(99)
    world.health.answered()
    await world.clock.sleep(99)
    world.health.call_failed(BUSY)
    await world.clock.sleep(99)
    world.health.call_failed(BUSY)
    assert world.brake.stop is None
    assert not world.health.suspect
    await world.clock.sleep(1)
    world.health.call_failed(BUSY)
    assert world.brake.stop is not None
    assert world.brake.stop.reason is PauseReason.OUTAGE


@virtual
async def test_silence_makes_suspicious() -> None:
    """What was answered, however badly, does not."""
    world = World()
    world.health.call_failed(SILENT)
    assert world.health.suspect
    await world.health.ready()
    assert world.asked == 1


@virtual
async def test_who_asks_may_be_cancelled() -> None:
    """The next one asks in its place."""
    world = World()
    world.provider.says("price", SILENT, Priced(None))
    world.health.submit_unconfirmed()
    await world.guarded_ready(seconds=0.2)
    assert world.health.suspect
    await world.health.ready()
    assert not world.health.suspect
    assert world.health.waiting_for is None
