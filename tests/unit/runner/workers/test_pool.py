"""The two pools: slots, downloads beside them, jobs that go wrong alone, and the end of it all."""

from collections import Counter
from decimal import Decimal
from pathlib import Path
from unittest import mock

import anyio
import httpx

from jobs.errors import CannotWrite
from jobs.outcomes import Accepted, RemoteDone
from jobs.pauses import PauseReason
from jobs.states import JobState
from runner.limits.brake import Reach
from runner.providers.base import RemoteStatus, RemoteStatusReport, ResultReady, Taken
from runner.recovery.healing import Healing
from runner.recovery.recover import Recovered
from runner.workers.pool import start
from tests.support.scripted import DONE, PRICE, URL, Call
from tests.support.tables import claimed, select
from tests.support.virtual_time import virtual
from tests.support.world import World, pictures, world

KEYS = [f"{number:02}" for number in range(30)]
NOTHING = Recovered(unconfirmed=0, healing=Healing(), running=[], fetching=[])


async def run_to_its_end(w: World, found: Recovered = NOTHING, downloads: int = 2) -> list[tuple[str, str]]:
    """What was told of defects, as (key, error)."""
    defects: list[tuple[str, str]] = []

    def told(key: str, error: BaseException) -> None:
        defects.append((key, repr(error)))

    async with anyio.create_task_group() as tasks:
        start(tasks, w.run, w.ready, found, downloads=downloads, defect=told)
    return defects


async def states(w: World) -> Counter[JobState]:
    return Counter((await w.states()).values())


@virtual
async def test_a_batch_runs_to_its_end(tmp_path: Path) -> None:
    """Every job once, with its picture, in the order of the sheet."""
    async with world(tmp_path, *KEYS) as w:
        assert await run_to_its_end(w) == []
        assert await states(w) == {JobState.SUCCEEDED: len(KEYS)}
        assert len(w.provider.asked("submit")) == len(KEYS)
        assert [w.attempts(key)[0]["id"] for key in KEYS] == list(range(1, len(KEYS) + 1))


@virtual
async def test_no_more_jobs_at_the_api_than_there_are_slots(tmp_path: Path) -> None:
    """And no fewer, while there is work."""
    async with world(tmp_path, *KEYS, slots=5) as w:
        seen: list[int] = []

        def finish(_call: Call) -> RemoteStatusReport:
            running = sum(state in (JobState.RUNNING, JobState.SUBMITTING) for state in on_disk(w))
            seen.append(running)
            return (
                DONE if w.clock.monotonic() > 20 else RemoteStatusReport(RemoteStatus.WORKING, "in_progress")
            )

        w.provider.says("status", finish)
        await run_to_its_end(w)
        assert max(seen) == 5
        assert await states(w) == {JobState.SUCCEEDED: len(KEYS)}


def on_disk(w: World) -> list[JobState]:
    return [JobState(row["state"]) for row in select(w.path, "SELECT state FROM job")]


@virtual
async def test_a_job_that_meets_a_defect_stops_nobody_else(tmp_path: Path) -> None:
    """It is told, and left as it stands, at each of the places where it may strike."""
    async with world(tmp_path, *KEYS) as w:

        def crash(call: Call) -> object:
            if call.about == "req-3":
                raise ZeroDivisionError("in a poll")
            return DONE

        def odd(call: Call) -> object:
            if call.about == "req-5":
                raise LookupError("in a result")
            return ResultReady(("https://pictures.runcomfy.net/1.png",), PRICE)

        w.provider.says("status", crash)
        w.provider.says("result", odd)
        defects = await run_to_its_end(w)
        assert sorted(error for _key, error in defects) == [
            "LookupError('in a result')",
            "ZeroDivisionError('in a poll')",
        ]
        assert await states(w) == {JobState.SUCCEEDED: len(KEYS) - 2, JobState.RUNNING: 2}


@virtual
async def test_a_submit_that_meets_a_defect_is_not_sent_again(tmp_path: Path) -> None:
    """Nobody knows how far it came: the next run finds it in doubt."""
    async with world(tmp_path, "a", "b") as w:
        first = True

        def crash(call: Call) -> Taken:
            nonlocal first
            if first:
                first = False
                raise ZeroDivisionError
            return Taken("req-b")

        w.provider.says("submit", crash)
        w.provider.seconds = 0
        assert [key for key, _error in await run_to_its_end(w)] == ["a"]
        assert len(w.provider.asked("submit")) == 2
        assert await w.states() == {"a": JobState.SUBMITTING, "b": JobState.SUCCEEDED}


@virtual
async def test_a_database_that_refuses_pauses(tmp_path: Path) -> None:
    """Wherever it does."""
    async with world(tmp_path, *KEYS) as w:
        full = CannotWrite("database or disk is full")
        with mock.patch.object(w.store.jobs, "succeed", side_effect=full):
            assert await run_to_its_end(w) == []
        assert [stop.reason for stop in w.stops] == [PauseReason.DISK]
        assert JobState.FETCHING in await states(w)


@virtual
async def test_what_was_found_is_gone_on_with(tmp_path: Path) -> None:
    """Running jobs are polled, fetching ones fetched: nothing of them is sent again."""
    async with world(tmp_path, "a", "b", "c") as w:
        for key in ("a", "b"):
            job = await w.queued(key)
            await w.store.jobs.claim(claimed(job.id, w.clock.now(), None))
            await w.store.jobs.apply(Accepted(job.id, f"old-{key}", w.clock.now()))
        fetching = await w.running("b")
        await w.store.jobs.apply(RemoteDone(fetching.id, ("https://pictures.runcomfy.net/b.png",), None))
        found = Recovered(0, Healing(), [await w.running("a")], [await w.running("b")])
        assert await run_to_its_end(w, found) == []
        assert await states(w) == {JobState.SUCCEEDED: 3}
        assert len(w.provider.asked("submit")) == 1
        assert {call.about for call in w.provider.asked("status")} == {"old-a", "req-1"}


@virtual
async def test_dead_links_lead_back_to_the_api_and_not_to_a_submit(tmp_path: Path) -> None:
    """Once; the result is asked for again, and its links work."""

    def net(request: httpx.Request) -> httpx.Response:
        return httpx.Response(403) if "old" in str(request.url) else pictures(request)

    async with world(tmp_path, "a", net=net) as w:
        fresh = [
            ResultReady((f"https://pictures.runcomfy.net/{name}.png",), PRICE) for name in ("old", "new")
        ]
        w.provider.says("result", *fresh)
        assert await run_to_its_end(w) == []
        assert await states(w) == {JobState.SUCCEEDED: 1}
        assert len(w.provider.asked("submit")) == 1
        assert len(w.provider.asked("result")) == 2


@virtual
async def test_links_that_stay_dead_end_the_job(tmp_path: Path) -> None:
    """After one refresh, however many download tasks there are."""
    async with world(tmp_path, "a", net=lambda _request: httpx.Response(404)) as w:
        assert await run_to_its_end(w, downloads=4) == []
        failure = (await w.job()).failure
        assert failure is not None
        assert failure.kind == "expired"
        assert len(w.provider.asked("result")) == 2


@virtual
async def test_an_interruption_ends_the_run_and_leaves_all_in_order(tmp_path: Path) -> None:
    """Within the grace: what is paid for stays at the API, nothing new is sent."""
    async with world(tmp_path, *KEYS) as w:
        w.provider.says("status", RemoteStatusReport(RemoteStatus.WORKING, "in_progress"))

        async def interrupt() -> None:
            await w.clock.sleep(30)
            w.run.limits.brake.interrupt(Reach.POLLS)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(interrupt)
            await run_to_its_end(w)
        assert w.clock.monotonic() < 32
        assert await states(w) == {JobState.RUNNING: 8, JobState.QUEUED: 22}


@virtual
async def test_a_pause_lets_what_is_paid_for_come_home(tmp_path: Path) -> None:
    """Balance used up: the jobs in flight end, the others stay queued."""
    async with world(tmp_path, *KEYS) as w:

        async def pause() -> None:
            await w.clock.sleep(0.05)
            w.run.limits.brake.pause(PauseReason.BALANCE, "empty")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pause)
            await run_to_its_end(w)
        assert await states(w) == {JobState.SUCCEEDED: 4, JobState.QUEUED: 26}


@virtual
async def test_slow_downloads_hold_no_slot(tmp_path: Path) -> None:
    """The slots go on with the next jobs while the pictures of the last ones are on their way."""

    class Slow(httpx.AsyncByteStream):
        def __init__(self, data: bytes) -> None:
            self.data = data

        async def __aiter__(self):  # type: ignore[no-untyped-def]
            await anyio.sleep(10)
            yield self.data

    def net(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Slow(pictures(request).content))

    async with world(tmp_path, *KEYS[:6], net=net, slots=2) as w:
        await run_to_its_end(w, downloads=6)
        assert await states(w) == {JobState.SUCCEEDED: 6}
        assert w.provider.asked("submit")[-1].at < 10
        assert w.clock.monotonic() < 25


@virtual
async def test_a_budget_waits_for_what_may_turn_out_cheaper(tmp_path: Path) -> None:
    """Reserved is the most that a job may cost; the limit is held against what it did cost."""
    async with world(tmp_path, *"abcdefg", budget=Decimal("0.08")) as w:
        w.provider.says("result", ResultReady((URL,), Decimal("0.01")))
        assert await run_to_its_end(w) == []
        # 4 cents are to be free for each: the sixth would leave 3.
        assert await states(w) == {JobState.SUCCEEDED: 5, JobState.QUEUED: 2}
        assert [stop.reason for stop in w.stops] == [PauseReason.BUDGET]
        assert w.run.limits.budget.committed == Decimal("0.05")


@virtual
async def test_what_is_set_aside_is_sent_before_the_budget_pauses(tmp_path: Path) -> None:
    """The one that finds no room does not hold up those that have found theirs."""
    async with world(tmp_path, *"abcdefg", budget=Decimal("0.12")) as w:
        w.provider.says("result", ResultReady((URL,), None))
        assert await run_to_its_end(w) == []
        assert await states(w) == {JobState.SUCCEEDED: 3, JobState.QUEUED: 4}
        assert [stop.reason for stop in w.stops] == [PauseReason.BUDGET]
