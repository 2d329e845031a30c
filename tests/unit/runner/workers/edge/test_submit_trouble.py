"""The submit edge in trouble: at most the gate in doubt, no herd, few requests, and a pause in the end."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import anyio

from jobs.pauses import PauseReason
from jobs.states import JobState
from runner.providers.base import CallFailed, Priced, Stopped, SubmitVerdict, Taken, TurnedAway, Unconfirmed
from runner.workers.edge.submit import submit
from tests.support.scripted import PRICE, Call
from tests.support.virtual_time import virtual
from tests.support.world import World, world

KEYS = [f"{number:02}" for number in range(40)]
UNCONFIRMED = Unconfirmed("no answer")
SILENT = CallFailed("no answer")


async def submit_all(w: World, *, slots: int = 40) -> None:
    """Submit every job, as so many workers do."""
    jobs = iter(await w.store.jobs.queued(w.run.batch.id, limit=1000))

    async def work() -> None:
        for job in jobs:
            await submit(w.run, job)

    async with anyio.create_task_group() as tasks:
        for _ in range(slots):
            tasks.start_soon(work)


@virtual
async def test_an_outage_leaves_at_most_the_gate_in_doubt(tmp_path: Path) -> None:
    """Silence all night: four submits were on their way, and no fifth leaves."""
    async with world(tmp_path, *KEYS, gate=4, outage_limit=600) as w:
        w.provider.says("submit", UNCONFIRMED)
        w.provider.says("price", SILENT)
        await submit_all(w)
        states = Counter((await w.states()).values())
        assert states == {JobState.UNCONFIRMED: 4, JobState.QUEUED: 36}
        assert len(w.provider.asked("submit")) == 4
        assert [stop.reason for stop in w.stops] == [PauseReason.OUTAGE]
        assert len(w.provider.asked("price")) < 60


@virtual
async def test_after_a_doubt_one_free_answer_and_then_one_by_one(tmp_path: Path) -> None:
    """Until a submit is answered; the others follow through the gate."""
    async with world(tmp_path, *KEYS, gate=4) as w:
        ids = iter(range(100))
        w.provider.says("submit", *[UNCONFIRMED] * 6, lambda _call: Taken(f"req-{next(ids)}"))
        await submit_all(w)
        submits = [call.at for call in w.provider.asked("submit")]
        questions = [call.at for call in w.provider.asked("price")]
        assert submits[:4] == [0, 0, 0, 0]
        for earlier, later in pairwise(submits[3:7]):
            assert any(earlier < question < later for question in questions), "a free answer comes in between"
        assert Counter((await w.states()).values()) == {JobState.UNCONFIRMED: 6, JobState.RUNNING: 34}
        assert w.provider.most_submits_at_once == 4


@virtual
async def test_submits_that_go_unanswered_while_the_api_is_up_come_slowly(tmp_path: Path) -> None:
    """Else a night's sheet is in doubt within minutes; the guard ends it in any case."""
    async with world(tmp_path, *KEYS, gate=4) as w:
        w.provider.says("submit", UNCONFIRMED)
        await submit_all(w)
        states = Counter((await w.states()).values())
        assert states[JobState.UNCONFIRMED] == 21
        assert [stop.reason for stop in w.stops] == [PauseReason.GUARD]
        assert w.clock.monotonic() > 300


@virtual
async def test_a_short_outage_is_ridden_out(tmp_path: Path) -> None:
    """Ten minutes without a connection: a few questions, no doubt, every job accepted afterwards."""
    async with world(tmp_path, *KEYS, outage_limit=1800) as w:
        up_at = 600.0

        def connect(call: Call) -> SubmitVerdict:
            up = w.clock.monotonic() >= up_at
            return taken_once(call) if up else TurnedAway("cannot connect")

        count = iter(range(1000))

        def taken_once(_call: Call) -> Taken:
            return Taken(f"req-{next(count)}")

        w.provider.says("submit", connect)
        w.provider.says("price", lambda _call: Priced(None) if w.clock.monotonic() >= up_at else SILENT)
        await submit_all(w)
        assert set((await w.states()).values()) == {JobState.RUNNING}
        during = [call for call in w.provider.calls if call.at < up_at]
        assert len(during) < 4 + 60
        assert w.stops == []
        assert w.clock.monotonic() < up_at + 60


@virtual
async def test_a_long_outage_pauses(tmp_path: Path) -> None:
    """With nothing in doubt, as nothing was sent."""
    async with world(tmp_path, *KEYS, outage_limit=1800) as w:
        w.provider.says("submit", TurnedAway("cannot connect"))
        w.provider.says("price", SILENT)
        await submit_all(w)
        assert set((await w.states()).values()) == {JobState.QUEUED}
        assert [stop.reason for stop in w.stops] == [PauseReason.OUTAGE]
        assert 1800 <= w.clock.monotonic() < 1840
        assert len(w.provider.calls) < 150


@virtual
async def test_a_refused_certificate_pauses_at_once(tmp_path: Path) -> None:
    """Somebody is in between, or has to act."""
    async with world(tmp_path, *KEYS) as w:
        w.provider.says("submit", TurnedAway("not trusted", certificate=True))
        await submit_all(w)
        assert [stop.reason for stop in w.stops] == [PauseReason.OUTAGE]
        assert "certificate" in w.stops[0].detail
        assert len(w.provider.asked("submit")) <= 4
        assert set((await w.states()).values()) == {JobState.QUEUED}


@virtual
async def test_a_storm_of_429_is_waited_out_together(tmp_path: Path) -> None:
    """Retry-After wins; forty workers ask as one; nobody comes in a herd at the end."""
    async with world(tmp_path, *KEYS, gate=4) as w:
        count = iter(range(1000))

        def busy(call: Call) -> SubmitVerdict:
            if call.at < 300:
                return TurnedAway("429", retry_after_seconds=45, busy=True)
            return Taken(f"req-{next(count)}")

        w.provider.says("submit", busy)
        await submit_all(w)
        submits = [call.at for call in w.provider.asked("submit")]
        during = [moment for moment in submits if moment < 300]
        assert len(during) <= 4 + 7
        assert all(later - earlier >= 45 for earlier, later in pairwise(during[3:]))
        assert w.provider.most_submits_at_once == 4
        assert set((await w.states()).values()) == {JobState.RUNNING}
        assert len(w.provider.asked("price")) == 0
        numbers = [row["number"] for key in KEYS for row in w.attempts(key)]
        assert sorted(filter(None, numbers)) == [1] * len(KEYS)
        assert numbers.count(None) == len(during)


@virtual
async def test_the_rate_holds_over_all_workers(tmp_path: Path) -> None:
    """Twelve a minute are one every five seconds."""
    async with world(tmp_path, *KEYS[:10], rate=12) as w:
        await submit_all(w)
        submits = [call.at for call in w.provider.asked("submit")]
        assert all(later - earlier >= 5 - 1e-6 for earlier, later in pairwise(submits))
        assert submits[-1] < 46


@virtual
async def test_a_refused_token_stops_all_at_once(tmp_path: Path) -> None:
    """Those at the gate go back, and no other leaves."""
    async with world(tmp_path, *KEYS, gate=4) as w:
        w.provider.says("submit", Stopped(PauseReason.TOKEN, "expired"))
        await submit_all(w)
        assert len(w.provider.asked("submit")) <= 4
        assert set((await w.states()).values()) == {JobState.QUEUED}
        assert w.run.limits.budget.committed == 0


@virtual
async def test_a_later_that_nothing_proves_is_believed_three_times(tmp_path: Path) -> None:
    """A gateway may say so each time that a submit was accepted. A 429 is believed as long as it takes."""
    async with world(tmp_path, "a", "b", "c") as w:
        w.provider.says("submit", TurnedAway("HTTP 503", 1.0, busy=True, proven=False))
        assert await submit(w.run, await w.queued("a")) is None
        assert len(w.provider.asked("submit")) == 4
        job = await w.job("a")
        assert job.state is JobState.UNCONFIRMED
        assert job.failure is not None
        assert "more than 3 times in a row" in job.failure.message
        assert w.run.limits.budget.committed == PRICE

        busy = [TurnedAway("HTTP 429", 1.0, busy=True)] * 9
        unproven = [TurnedAway("HTTP 503", 1.0, busy=True, proven=False)] * 3
        w.provider.says("submit", *unproven, *busy, *unproven, Taken("req-b"))
        assert await submit(w.run, await w.queued("b")) is not None
        assert w.run.limits.budget.committed == 2 * PRICE

        w.provider.says("submit", *unproven, TurnedAway("no connection"), *unproven)
        assert await submit(w.run, await w.queued("c")) is None
        assert (await w.job("c")).state is JobState.UNCONFIRMED
