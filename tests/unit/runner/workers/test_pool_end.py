"""The end of the pools: downloads that may not be begun any more are left to the next run."""

from pathlib import Path

import anyio

from jobs.outcomes import Accepted, RemoteDone
from jobs.pauses import PauseReason
from jobs.states import JobState
from runner.limits.brake import Reach
from runner.providers.base import ResultReady, Stopped
from runner.recovery.recover import recover
from runner.workers.pool import start
from tests.support.scripted import DONE, PRICE, URL
from tests.support.tables import claimed
from tests.support.virtual_time import virtual
from tests.support.world import World, at_the_api, leftovers, world


async def done_at_the_api(w: World, *keys: str) -> None:
    """Jobs whose pictures are to be fetched."""
    for key in keys:
        job, now = await w.queued(key), w.clock.now()
        assert await w.store.jobs.claim(claimed(job.id, now, None))
        urls = (f"https://pictures.runcomfy.net/{key}.png",)
        assert await w.store.jobs.apply(Accepted(job.id, f"req-{key}", now), RemoteDone(job.id, urls, None))


async def run_to_its_end(w: World) -> None:
    """Both pools over what was found; no job may meet a defect."""
    defects: list[str] = []
    found = await recover(w.store, w.run.batch, w.places, w.clock.now())
    async with anyio.create_task_group() as tasks:
        start(tasks, w.run, w.ready, found, downloads=2, defect=lambda key, _error: defects.append(key))
    assert defects == []


@virtual
async def test_interrupted_before_what_was_found_is_handed_over(tmp_path: Path) -> None:
    """Nothing is fetched, the run ends at once, and the next one finds all of it again."""
    keys = [f"{number:02}" for number in range(80)]  # more than may wait for a download at once
    async with world(tmp_path, *keys) as w:
        await done_at_the_api(w, *keys)
        w.run.limits.brake.interrupt(Reach.DOWNLOADS)
        begun = w.clock.monotonic()
        await run_to_its_end(w)
        assert w.clock.monotonic() - begun < 5
        assert set((await w.states()).values()) == {JobState.FETCHING}
        assert w.provider.calls == []
        assert leftovers(tmp_path) == []
        assert len((await recover(w.store, w.run.batch, w.places, w.clock.now())).fetching) == 80


@virtual
async def test_a_disk_that_is_full_leaves_the_others_where_they_are(tmp_path: Path) -> None:
    """They are paid for: none of them fails, and none is tried in vain."""
    keys = [f"{number:02}" for number in range(10)]
    async with world(tmp_path, *keys) as w:
        await done_at_the_api(w, *keys)
        w.run.limits.brake.pause(PauseReason.DISK, "the disk is full")
        await run_to_its_end(w)
        assert set((await w.states()).values()) == {JobState.FETCHING}


@virtual
async def test_a_result_that_is_refused_for_the_token_s_sake(tmp_path: Path) -> None:
    """The pictures are there and nobody may ask for them: the batch pauses, and the job stays as it is."""
    async with at_the_api(tmp_path) as (w, _job):
        w.provider.says("status", DONE)
        w.provider.says("result", Stopped(PauseReason.TOKEN, "expired"))
        await run_to_its_end(w)
        assert [stop.reason for stop in w.stops] == [PauseReason.TOKEN]
        assert await w.states() == {"a": JobState.RUNNING}
        assert len(w.provider.asked("result")) == 1


@virtual
async def test_a_result_that_waits_for_the_balance_is_asked_for_again(tmp_path: Path) -> None:
    """Submits stop; what is paid for comes home all the same."""
    async with at_the_api(tmp_path) as (w, _job):
        w.provider.says("result", Stopped(PauseReason.BALANCE, "empty"), ResultReady((URL,), PRICE))
        await run_to_its_end(w)
        assert [stop.reason for stop in w.stops] == [PauseReason.BALANCE]
        assert await w.states() == {"a": JobState.SUCCEEDED}
        assert len(w.provider.asked("result")) == 2
