"""Polling with what is known of a model: when a job is asked about, and what is learned of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from runner.limits.poll_schedule import LearnedPolls
from runner.providers.base import CallFailed, RemoteStatus, RemoteStatusReport
from runner.workers.context import Polling
from runner.workers.poll import watch
from tests.support.scripted import DONE, WORKING, Call
from tests.support.tables import MODEL
from tests.support.virtual_time import virtual
from tests.support.world import World, at_the_api, watch_to_its_pictures

TWELVE = 12.0


def taking(w: World, seconds: float) -> None:
    """Every job takes so long, from now on."""
    end = w.clock.monotonic() + seconds
    w.provider.says("status", *[lambda call: DONE if _at(call) >= end else WORKING] * 200)


def _at(call: Call) -> float:
    return call.at


@asynccontextmanager
async def knowing(folder: Path, seconds: float, **options: Any) -> AsyncIterator[tuple[World, Any]]:
    """A job that was accepted just now, of a model whose jobs took so long."""
    async with at_the_api(folder, **options) as (w, job):
        least, most = w.run.timing.poll_min, w.run.timing.poll_max
        polling = Polling(LearnedPolls(least, most, {MODEL: [seconds] * 50}), w.run.polling.pace)
        yield replace(w, run=replace(w.run, polling=polling)), job


def polls(w: World) -> list[float]:
    """When the job was asked about."""
    return [call.at for call in w.provider.asked("status")]


@virtual
async def test_it_is_asked_about_when_it_may_be_done(tmp_path: Path) -> None:
    """No earlier than that, as far as `poll_max` allows, and then closely."""
    async with knowing(tmp_path, TWELVE) as (w, job):
        taking(w, TWELVE)
        begun = w.clock.monotonic()
        await watch_to_its_pictures(w, job)
        ages = [at - begun for at in polls(w)]
        assert 3.0 <= ages[0] <= 5.0
        assert len(ages) <= 9
        assert ages[-1] - TWELVE < 1.5


@virtual
async def test_the_bounds_are_a_person_s(tmp_path: Path) -> None:
    """Whatever was learned."""
    async with knowing(tmp_path, TWELVE, poll_min=3, poll_max=4) as (w, job):
        taking(w, TWELVE)
        await watch_to_its_pictures(w, job)
        gaps = [later - earlier - w.provider.seconds for earlier, later in pairwise(polls(w))]
        assert all(2.99 <= gap <= 4.01 for gap in gaps)


@virtual
async def test_what_an_earlier_run_left_is_asked_about_soon(tmp_path: Path) -> None:
    """It may have been done for hours; and how long it took, nobody saw."""
    async with knowing(tmp_path, TWELVE) as (w, job):
        w.clock.jump(w.clock.now() - w.clock.now().replace(hour=19))  # three hours later
        begun = w.clock.monotonic()
        await watch_to_its_pictures(w, job)
        assert polls(w)[0] - begun <= 1.0
        (attempt,) = w.attempts()
        assert (attempt["ended"], attempt["ended_at"]) == ("done", None)


@virtual
async def test_a_service_time_is_kept_for_the_next_night(tmp_path: Path) -> None:
    """In the table, where the next run's record has it."""
    async with at_the_api(tmp_path) as (w, job):
        taking(w, 3.0)
        await watch_to_its_pictures(w, job)
        record = await w.store.track_records.of(w.run.batch.id, ended=1)
        (seconds,) = record.service_seconds[MODEL]
        assert 3.0 <= seconds <= 3.0 + 5.0
        noticed = polls(w)[-1] + w.provider.seconds
        assert abs(seconds - noticed) < 0.01  # the world's clock began with its submit


@virtual
async def test_an_outage_before_the_end_teaches_nothing(tmp_path: Path) -> None:
    """The job may have been done since its beginning."""
    async with at_the_api(tmp_path) as (w, job):
        w.provider.says("status", WORKING, *[CallFailed("silence", answered=True)] * 4, DONE)
        await watch_to_its_pictures(w, job)
        (attempt,) = w.attempts()
        assert attempt["ended_at"] is None


@virtual
async def test_a_busy_api_is_waited_for_as_it_says(tmp_path: Path) -> None:
    """Retry-After is longer than what was learned."""
    async with knowing(tmp_path, 2.0) as (w, job):
        w.provider.says("status", CallFailed("busy", 30.0, answered=True), DONE)
        await watch_to_its_pictures(w, job)
        first, second = polls(w)
        assert second - first >= 30.0


@virtual
async def test_a_job_that_waits_in_the_queue_is_asked_about_less(tmp_path: Path) -> None:
    """Its place says that it cannot be done yet; when it works, polls are as dense as before."""
    places = (41, 40, 35, 30, 25)
    queued = [RemoteStatusReport(RemoteStatus.QUEUED, "in_queue", place) for place in places]
    async with knowing(tmp_path, 2.0) as (w, job):
        w.provider.says("status", *queued, WORKING, WORKING, DONE)
        assert await watch(w.run, job) is not None
        gaps = [later - earlier - w.provider.seconds for earlier, later in pairwise(polls(w))]
        assert gaps[0] < 1.0
        assert gaps[1:5] == pytest.approx([5.0] * 4)


@virtual
async def test_a_queue_without_places_changes_nothing(tmp_path: Path) -> None:
    """What is not told is not guessed."""
    queued = RemoteStatusReport(RemoteStatus.QUEUED, "in_queue")
    async with knowing(tmp_path, 2.0) as (w, job):
        w.provider.says("status", queued, queued, DONE)
        await watch_to_its_pictures(w, job)
        assert all(later - earlier < 1.5 for earlier, later in pairwise(polls(w)))
