"""A laptop that sleeps through half of the night: two clocks come apart, links run out, connections die."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import anyio
import pytest
from pydantic import SecretStr

from runner.http.api_client import ApiClient
from runner.http.replies import Answer
from tests.matrix.nights import posts, sheet
from tests.support.night import Night, night
from tests.support.virtual_time import VirtualClock, virtual
from tests.support.wire import Call, serve

NIGHT = timedelta(hours=7, minutes=12)


def sleep(w: Night) -> None:
    """The world goes on, the monotonic clock of this machine does not."""
    assert isinstance(w.service.clock, VirtualClock)
    w.clock.jump(NIGHT)
    w.service.clock.jump(NIGHT)


async def at(seconds: float, w: Night, action: Callable[[Night], None]) -> None:
    await w.clock.sleep(seconds)
    action(w)


@virtual
async def test_a_sleep_is_told_and_is_nobody_s_deadline(tmp_path: Path) -> None:
    """Seven hours are missing; no job counts as stuck for it, all come home, each paid once."""
    async with night(tmp_path, median_seconds=30, sigma=0.2) as w:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(at, 10, w, sleep)
            report = await w.run(sheet(w, "abcdefghijkl"), deadline=120, outage_limit=60)
        assert (report.exit_code, report.overdue, posts(w)) == (0, 0, 12)
        told = "This machine slept, or its clock was set: 7 h 12 min are missing. Going on."
        assert w.watching.notices.count(told) == 1


@pytest.mark.parametrize("days", [-3650, 3650])
def test_a_clock_that_is_set_changes_nothing(tmp_path: Path, days: int) -> None:
    """By ten years, either way: told once, and no wait becomes longer or shorter."""

    @virtual
    async def test() -> None:
        async with night(tmp_path, median_seconds=30, sigma=0.2) as w:

            def set_clock(w: Night) -> None:
                w.clock.jump(timedelta(days=days))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(at, 10, w, set_clock)
                report = await w.run(sheet(w, "abcdefghijkl"), deadline=120, outage_limit=60)
            assert (report.exit_code, report.overdue, posts(w)) == (0, 0, 12)
            assert sum("clock was set" in notice for notice in w.watching.notices) == 1
            assert w.clock.monotonic() < 300

    test()


@virtual
async def test_links_that_ran_out_in_a_sleep_are_asked_for_anew(tmp_path: Path) -> None:
    """The lid is shut between the result and its pictures: fresh links, free of charge, in the same run."""
    async with night(tmp_path, url_seconds=3600) as w:
        real = w.transport.handle_async_request
        dead: list[str] = []

        async def handle(request: Any) -> Any:
            first = "/media/" in request.url.path and not dead
            if first:
                sleep(w)
            response = await real(request)
            if "/media/" in request.url.path and response.status_code == 403:
                dead.append(request.url.path)
            return response

        with mock.patch.object(w.transport, "handle_async_request", handle):
            report = await w.run(sheet(w, "abc"))
        assert dead, "the links had run out"
        assert report.exit_code == 0
        assert posts(w) == len(w.service.ledger) == w.pictures_whole() == 3


async def test_no_connection_outlives_a_sleep() -> None:
    """One that idled through it is dead, and a submit on it would be a doubt of our own making."""

    async def script(call: Call) -> None:
        while await call.read():
            await call.answer()

    async with serve(script) as wire, ApiClient(wire.base, SecretStr("secret")) as client:

        async def twice() -> int:
            for _ in range(2):
                reply = await client.request("POST", "/models/a", timeout_seconds=5, fresh=True)
                assert isinstance(reply, Answer)
            return wire.connections

        assert await twice() == 1
        client.forget_connections()
        assert await twice() == 2
