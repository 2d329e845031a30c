"""What reaches a run from outside: signals, pauses in both directions, cancels, and another pace."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from unittest import mock

import anyio
import pytest

from jobs.errors import CannotWrite
from jobs.pauses import PauseReason
from jobs.store.sqlite.notices import LARGEST_WAL_BYTES
from jobs.views import BatchView
from runner.lifecycle.signals import GRACE_SECONDS, LAST_STEP_SECONDS, Exit, LastStep, obey_signals
from runner.lifecycle.supervise import obey_the_table
from runner.limits.brake import Reach, Stop
from runner.providers.base import CallFailed, CancelTaken, NotCancellable, Stopped, UnknownId
from runner.settings import Settings
from runner.workers.edge.submit import submit
from tests.support.virtual_time import virtual
from tests.support.world import World, at_the_api, world


class Looks:
    """What the loop beside a run has told."""

    def __init__(self) -> None:
        self.looks = 0
        self.pauses: list[Stop] = []

    async def look(self) -> None:
        self.looks += 1

    async def pause(self, stop: Stop) -> None:
        self.pauses.append(stop)


@asynccontextmanager
async def obeying(w: World) -> AsyncIterator[Looks]:
    """The table is obeyed for as long as the block lasts."""
    looks = Looks()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(obey_the_table, w.run, Settings(), looks.look, looks.pause)
        yield looks
        tasks.cancel_scope.cancel()


async def paused(w: World) -> tuple[PauseReason, str] | None:
    found = (await w.store.batches.get(w.run.batch.id)).paused
    return None if found is None else (found.reason, found.detail)


@virtual
async def test_the_first_signal_stops_and_the_second_ends(tmp_path: Path) -> None:
    """Downloads under way get their grace in between."""
    async with world(tmp_path, "a") as w:
        exits: list[int] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(obey_signals, w.run.limits.brake, w.clock, w.notices.append, exits.append)
            await w.clock.sleep(1)
            os.kill(os.getpid(), signal.SIGINT)
            await w.clock.sleep(1)
            assert (w.run.limits.brake.interrupted, w.run.limits.brake.reach, exits) == (
                True,
                Reach.POLLS,
                [],
            )
            assert "Stopping" in w.notices[0]
            await w.clock.sleep(GRACE_SECONDS - 2)
            assert not w.run.limits.brake.stops(Reach.DOWNLOADS)
            await w.clock.sleep(2)
            assert w.run.limits.brake.stops(Reach.DOWNLOADS)
            os.kill(os.getpid(), signal.SIGTERM)
            await w.clock.sleep(1)
            assert exits == [130]
            tasks.cancel_scope.cancel()
        assert w.stops == []


@virtual
async def test_the_second_signal_says_how_it_stands_and_waits_for_nobody(tmp_path: Path) -> None:
    """Last words that take too long, or fail, hold up no end."""
    for last_step, waits in ((anyio.sleep_forever, LAST_STEP_SECONDS), (_fails, 0.0)):
        async with world(tmp_path, "a") as w:
            exits: list[float] = []
            brake, begun = w.run.limits.brake, w.clock.monotonic()

            def leave(_code: int, w: World = w, exits: list[float] = exits) -> None:
                exits.append(w.clock.monotonic())
                raise SystemExit

            async def stop(w: World = w, leave: Exit = leave, last_step: LastStep = last_step) -> None:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(
                        obey_signals, w.run.limits.brake, w.clock, w.notices.append, leave, last_step
                    )
                    await w.clock.sleep(1)
                    os.kill(os.getpid(), signal.SIGINT)
                    await w.clock.sleep(10)

            brake.interrupt(Reach.POLLS)
            with pytest.raises(BaseExceptionGroup):
                await stop()
            assert exits == [pytest.approx(begun + 1 + waits, abs=0.2)]


async def _fails() -> None:
    raise OSError(28, "No space left on device")


@virtual
async def test_a_pause_in_the_moment_of_a_look_is_kept(tmp_path: Path) -> None:
    """It was taken for one that stood in the table, and a second later for one that somebody cleared."""
    async with world(tmp_path, "a") as w, obeying(w) as looks:
        real = w.store.batches.get

        async def refresh(batch_id: int) -> BatchView:
            found = await real(batch_id)
            if looks.looks == 0:
                w.run.limits.brake.pause(PauseReason.GUARD, "20 failures in a row")
            return found

        with mock.patch.object(w.store.batches, "get", refresh):
            await w.clock.sleep(3.5)
        assert (looks.looks, await paused(w)) == (4, (PauseReason.GUARD, "20 failures in a row"))
        assert (w.run.limits.brake.stops(Reach.SUBMITS), w.notices) == (True, [])


@virtual
async def test_a_pause_of_ours_is_written_down(tmp_path: Path) -> None:
    """Within a second, and told once; a graver one takes its place."""
    async with world(tmp_path, "a") as w, obeying(w) as looks:
        await w.clock.sleep(4.5)
        assert (looks.looks, await paused(w)) == (5, None)
        w.run.limits.brake.pause(PauseReason.BALANCE, "empty")
        await w.clock.sleep(1.5)
        assert await paused(w) == (PauseReason.BALANCE, "empty")
        await w.clock.sleep(10)
        w.run.limits.brake.pause(PauseReason.TOKEN, "expired")
        await w.clock.sleep(1.5)
        assert await paused(w) == (PauseReason.TOKEN, "expired")
        await w.clock.sleep(10)
        assert [stop.reason for stop in looks.pauses] == [PauseReason.BALANCE, PauseReason.TOKEN]


@virtual
async def test_a_pause_of_another_process_is_obeyed_and_its_end_as_well(tmp_path: Path) -> None:
    """`nightsheet pause` and `nightsheet resume` from a second terminal."""
    async with world(tmp_path, "a") as w, obeying(w):
        await w.clock.sleep(3)
        await w.store.batches.pause(w.run.batch.id, PauseReason.PERSON, "paused by hand")
        await w.clock.sleep(1.5)
        assert w.run.limits.brake.stop == Stop(PauseReason.PERSON, "paused by hand")
        await w.clock.sleep(30)
        assert await paused(w) == (PauseReason.PERSON, "paused by hand")
        await w.store.batches.resume(w.run.batch.id)
        await w.clock.sleep(1.5)
        assert not w.run.limits.brake.stops(Reach.SUBMITS)
        await w.clock.sleep(5)
        assert await paused(w) is None


@virtual
async def test_a_database_that_refuses_pauses(tmp_path: Path) -> None:
    """And is asked on."""
    async with world(tmp_path, "a") as w:
        with mock.patch.object(w.store.batches, "get", side_effect=CannotWrite("locked")) as refused:
            async with obeying(w):
                await w.clock.sleep(4.5)
            assert refused.call_count == 5
        assert [stop.reason for stop in w.stops] == [PauseReason.DISK]


@virtual
async def test_another_pace_is_kept(tmp_path: Path) -> None:
    """`nightsheet tune` from a second terminal."""
    async with world(tmp_path, "a") as w, obeying(w):
        await w.clock.sleep(2)
        await w.store.batches.tune(w.run.batch.id, {"concurrency": 3, "rate": 12.0, "budget": Decimal(5)})
        await w.clock.sleep(1.5)
        assert (w.run.queue.slots.total_tokens, w.run.limits.throttle.rate, w.run.limits.budget.limit) == (
            3,
            12.0,
            Decimal(5),
        )
        assert len(w.notices) == 1
        await w.clock.sleep(5)
        assert len(w.notices) == 1


@virtual
async def test_what_was_not_tuned_stays_as_the_run_has_it(tmp_path: Path) -> None:
    """Flags of this run beat an earlier `tune`; another `tune` touches what it names alone."""
    async with world(tmp_path, "a", slots=3, budget=Decimal(10)) as w:
        await w.store.batches.tune(w.run.batch.id, {"concurrency": 50, "budget": Decimal(100)})
        w = replace(w, run=replace(w.run, batch=await w.store.batches.get(w.run.batch.id)))
        async with obeying(w):
            await w.clock.sleep(2)
            await w.store.batches.tune(w.run.batch.id, {"rate": 30.0})
            await w.clock.sleep(1.5)
            assert (
                w.run.queue.slots.total_tokens,
                w.run.limits.throttle.rate,
                w.run.limits.budget.limit,
            ) == (3, 30, Decimal(10))


@virtual
async def test_a_pause_that_cannot_be_written_down_is_told(tmp_path: Path) -> None:
    """The database lies on the disk that is full."""
    async with world(tmp_path, "a") as w:
        with mock.patch.object(w.store.batches, "pause", side_effect=CannotWrite("full")):
            async with obeying(w) as looks:
                w.run.limits.brake.pause(PauseReason.DISK, "full")
                await w.clock.sleep(3.5)
                assert [stop.reason for stop in looks.pauses] == [PauseReason.DISK]
                assert w.run.limits.brake.stop is not None
        async with obeying(w) as looks:
            await w.clock.sleep(1.5)
        assert await paused(w) == (PauseReason.DISK, "full")


@virtual
async def test_a_cancel_reaches_the_api(tmp_path: Path) -> None:
    """Once: its status will say what came of it."""
    async with at_the_api(tmp_path) as (w, _job), obeying(w):
        await w.store.jobs.cancel(w.run.batch.id)
        w.provider.says("cancel", CancelTaken())
        await w.clock.sleep(10)
        assert [call.about for call in w.provider.asked("cancel")] == ["req-1"]
        assert w.notices == ["Job 'a': the API was asked to cancel it, and took that."]


@virtual
async def test_what_cannot_be_cancelled_runs_on(tmp_path: Path) -> None:
    """It is paid for, and is fetched."""
    told = {"it runs on, and is fetched": NotCancellable(), "It is polled on": UnknownId("gone.")}
    for number, (words, verdict) in enumerate(told.items()):
        (folder := tmp_path / str(number)).mkdir()
        async with at_the_api(folder) as (w, job), obeying(w):
            await w.store.jobs.cancel(w.run.batch.id)
            w.provider.says("cancel", verdict)
            await w.clock.sleep(10)
            assert len(w.provider.asked("cancel")) == 1
            assert words in w.notices[0]
            assert await w.running() == job


@virtual
async def test_a_cancel_without_an_answer_is_asked_again(tmp_path: Path) -> None:
    """Until there is one."""
    async with at_the_api(tmp_path) as (w, _job), obeying(w):
        await w.store.jobs.cancel(w.run.batch.id)
        w.provider.says("cancel", CallFailed("no answer"), Stopped(PauseReason.BALANCE, "odd"), CancelTaken())
        await w.clock.sleep(10)
        assert len(w.provider.asked("cancel")) == 3


@virtual
async def test_an_odd_answer_about_one_cancel_holds_up_no_other(tmp_path: Path) -> None:
    """It may be about that job alone."""
    async with world(tmp_path, "a", "b", "c") as w:
        for key in "abc":
            await submit(w.run, await w.queued(key))
        await w.store.jobs.cancel(w.run.batch.id)
        odd = CallFailed("HTTP 500", http_status=500)
        w.provider.says("cancel", lambda call: odd if call.about == "req-1" else CancelTaken())
        async with obeying(w):
            await w.clock.sleep(3.5)
        assert {call.about for call in w.provider.asked("cancel")} == {"req-1", "req-2", "req-3"}


@virtual
async def test_many_cancels_in_an_outage_are_few_requests(tmp_path: Path) -> None:
    """Without an answer to the first, the others wait."""
    keys = [f"{number:02}" for number in range(20)]
    async with world(tmp_path, *keys) as w:
        for key in keys:
            await submit(w.run, await w.queued(key))
        await w.store.jobs.cancel(w.run.batch.id)
        w.provider.says("cancel", CallFailed("no answer"))
        async with obeying(w):
            await w.clock.sleep(22)
        assert len(w.provider.asked("cancel")) <= 22


@virtual
async def test_nothing_is_cancelled_once_polls_are_stopped(tmp_path: Path) -> None:
    """The token is refused, or the run is about to end."""
    async with at_the_api(tmp_path) as (w, _job), obeying(w):
        w.run.limits.brake.interrupt(Reach.POLLS)
        await w.store.jobs.cancel(w.run.batch.id)
        await w.clock.sleep(10)
        assert w.provider.calls == []


@virtual
async def test_a_log_that_only_grows_is_told_once(tmp_path: Path) -> None:
    """A reader that is stuck keeps SQLite from emptying it, and the disk fills."""
    async with world(tmp_path, "a") as w, obeying(w) as looks:
        log = f"{w.store.database.path}-wal"
        await w.clock.sleep(2.5)
        assert w.notices == []
        os.truncate(log, LARGEST_WAL_BYTES + 1)  # SQLite reads only as far as its own frames go
        await w.clock.sleep(10)
        assert looks.looks == 13
        (told,) = w.notices
        assert f"{log} has grown" in told
