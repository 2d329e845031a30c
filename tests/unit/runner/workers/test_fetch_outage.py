"""Pictures that do not come at all: ridden out, or a pause; paid for they stay."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx

from jobs.failures import FailureKind
from jobs.outcomes import Accepted, RemoteDone
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.views import OpenJob
from runner.limits.brake import Reach
from runner.providers.base import CallFailed
from runner.workers.fetch import fetch_images
from tests.support.scripted import Call
from tests.support.tables import claimed
from tests.support.virtual_time import virtual
from tests.support.world import Net, World, leftovers, pictures, world


@asynccontextmanager
async def done(folder: Path, net: Net, *keys: str, **more: Any) -> AsyncIterator[tuple[World, list[OpenJob]]]:
    """Jobs with a picture each that is ready."""
    async with world(folder, *keys, net=net, **more) as w:
        for key in keys:
            job = await w.queued(key)
            assert await w.store.jobs.claim(claimed(job.id, w.clock.now(), None))
            assert await w.store.jobs.apply(Accepted(job.id, f"req-{key}", w.clock.now()))
            assert await w.store.jobs.apply(
                RemoteDone(job.id, (f"https://pictures.runcomfy.net/{key}.png",), None)
            )
        yield w, [await w.running(key) for key in keys]


async def later(w: World, seconds: float, job: OpenJob) -> None:
    await w.clock.sleep(seconds)
    await fetch_images(w.run, job, refreshed=False)


async def collect_all(w: World, jobs: list[OpenJob]) -> None:
    async def one(job: OpenJob) -> None:
        with w.run.limits.brake.guarding(Reach.DOWNLOADS):
            await fetch_images(w.run, job, refreshed=False)

    async with anyio.create_task_group() as tasks:
        for job in jobs:
            tasks.start_soon(one, job)


@virtual
async def test_a_net_that_is_gone_for_a_while_is_ridden_out(tmp_path: Path) -> None:
    """A quarter of an hour, for all jobs at once: each comes home afterwards, and is told of once."""
    back_at = 900.0
    asked = 0
    worlds: list[World] = []

    def net(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if worlds[0].clock.monotonic() < back_at:
            raise httpx.ConnectError("no route")
        return pictures(request)

    keys = [f"{number:02}" for number in range(8)]
    async with done(tmp_path, net, *keys) as (w, jobs):
        worlds.append(w)
        w.provider.says("price", CallFailed("no answer"))
        await collect_all(w, jobs)
        assert set((await w.states()).values()) == {JobState.SUCCEEDED}
        assert w.clock.monotonic() < back_at + 25
        assert len([notice for notice in w.notices if "keeps trying" in notice]) == len(keys)
        assert asked < len(keys) * 100


@virtual
async def test_a_net_that_stays_away_pauses(tmp_path: Path) -> None:
    """The jobs stay where they are, for the next run."""

    def net(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    async with done(tmp_path, net, "a", "b", outage_limit=600) as (w, jobs):
        w.provider.says("price", CallFailed("no answer"))
        await collect_all(w, jobs)
        assert set((await w.states()).values()) == {JobState.FETCHING}
        assert [stop.reason for stop in w.stops] == [PauseReason.OUTAGE]
        assert 600 <= w.clock.monotonic() < 640


@virtual
async def test_the_last_one_to_try_is_not_taken_for_the_only_one(tmp_path: Path) -> None:
    """The pictures' server is gone, and the API is there. The others gave up a little earlier."""

    def net(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    async with done(tmp_path, net, "a", "b", "c", outage_limit=600) as (w, jobs):
        async with anyio.create_task_group() as tasks:
            for delay, job in zip((0, 5, 10), jobs, strict=True):
                tasks.start_soon(later, w, delay, job)
        assert set((await w.states()).values()) == {JobState.FETCHING}
        assert [stop.reason for stop in w.stops] == [PauseReason.OUTAGE]


@virtual
async def test_one_picture_that_cannot_be_reached_while_the_api_can(tmp_path: Path) -> None:
    """Its own trouble: it fails alone, and the batch goes on."""

    def net(request: httpx.Request) -> httpx.Response:
        if "/b." in str(request.url):
            raise httpx.ConnectError("no route")
        return pictures(request)

    async with done(tmp_path, net, "a", "b", "c") as (w, jobs):
        await collect_all(w, jobs)
        assert await w.states() == {"a": JobState.SUCCEEDED, "b": JobState.FAILED, "c": JobState.SUCCEEDED}
        assert w.stops == []


@virtual
async def test_pictures_that_are_answered_oddly_are_no_outage(tmp_path: Path) -> None:
    """Not even where there are several, and no other: each fails alone, with fresh links as well."""
    odd = {"/a.": 304, "/b.": 302, "/c.": 204}

    def net(request: httpx.Request) -> httpx.Response:
        return httpx.Response(next(status for name, status in odd.items() if name in str(request.url)))

    async with done(tmp_path, net, "a", "b", "c", outage_limit=600) as (w, jobs):
        await collect_all(w, jobs)
        assert set((await w.states()).values()) == {JobState.RUNNING}
        for key in "abc":
            await w.store.jobs.apply(RemoteDone((await w.job(key)).id, jobs[ord(key) - 97].urls or (), None))
        async with anyio.create_task_group() as tasks:
            for key in "abc":
                tasks.start_soon(again, w, await w.running(key))
        assert w.stops == []
        failures = [(await w.job(key)).failure for key in "abc"]
        assert [failure and failure.kind for failure in failures] == [FailureKind.BAD_PICTURE] * 3
        assert "answered 304" in failures[0].message if failures[0] else False


async def again(w: World, job: OpenJob) -> None:
    await fetch_images(w.run, job, refreshed=True)


@virtual
async def test_an_interruption_leaves_the_job_to_the_next_run(tmp_path: Path) -> None:
    """Downloads that do not end in their grace are cut off, and leave no part behind."""

    def net(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("silence")

    async with done(tmp_path, net, "a") as (w, jobs):

        def interrupt(_call: Call) -> CallFailed:
            w.run.limits.brake.interrupt(Reach.DOWNLOADS)
            return CallFailed("no answer")

        w.provider.says("price", interrupt)
        await collect_all(w, jobs)
        assert (await w.job()).state is JobState.FETCHING
        assert leftovers(tmp_path) == []
        assert w.run.images.struggling == set()
