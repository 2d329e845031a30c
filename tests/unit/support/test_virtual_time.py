"""Virtual time itself: it must neither wait nor run ahead of work that is out in a thread."""

import asyncio
import itertools
import os
import signal
import threading
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from jobs.store.sqlite.database import open_database
from tests.support.databases import add
from tests.support.virtual_time import (
    START,
    Deadlock,
    TooLong,
    VirtualClock,
    VirtualLoop,
    run_virtual,
    virtual,
)


def test_a_night_takes_no_time() -> None:
    """Sleeps and timeouts end in the order of their moments."""
    ended: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        ended.append(name)

    async def main() -> float:
        clock = VirtualClock()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sleeper, "late", 8 * 3600)
            tasks.start_soon(sleeper, "early", 0.1)
            with anyio.move_on_after(60):
                await anyio.sleep_forever()
            ended.append("timeout")
        return clock.monotonic()

    begun = time.perf_counter()
    assert run_virtual(main) == pytest.approx(8 * 3600)
    assert ended == ["early", "timeout", "late"]
    assert time.perf_counter() - begun < 5


@virtual
async def test_the_clock_stands_still_while_a_worker_thread_is_busy() -> None:
    """The thread ends only when the main thread has had every chance to run ahead."""
    clock, free = VirtualClock(), threading.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(to_thread.run_sync, partial(free.wait, 30))
        tasks.start_soon(to_thread.run_sync, partial(time.sleep, 0.02))
        with anyio.move_on_after(5) as scope:
            await anyio.lowlevel.checkpoint()
            threading.Timer(0.05, free.set).start()
            await anyio.sleep(1)
        assert not scope.cancelled_caught
    assert free.is_set()
    assert clock.monotonic() == pytest.approx(1)


@virtual
async def test_the_clock_stands_still_while_an_executor_is_busy() -> None:
    """As getaddrinfo is run, for one."""
    loop = asyncio.get_running_loop()
    with anyio.fail_after(0.001):
        await loop.run_in_executor(None, time.sleep, 0.02)


@virtual
async def test_the_clock_stands_still_while_the_database_works(tmp_path: Path) -> None:
    """A timeout shorter than any commit never strikes: statements take no virtual time."""
    clock = VirtualClock()
    async with open_database(tmp_path / "night.db") as database:
        for number in range(20):
            with anyio.fail_after(1e-6):
                await database.write(add(f"batch {number}"))
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    assert (clock.monotonic(), loop.out) == (0, 0)


@virtual
async def test_a_cancelled_wait_is_not_counted_for_ever() -> None:
    """Else the clock would never move again."""
    task = asyncio.create_task(asyncio.to_thread(time.sleep, 0.01))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(10)


def test_a_deadlock_is_said() -> None:
    """Instead of hanging."""

    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        run_virtual(wait)


def test_waiting_for_what_never_comes_is_said() -> None:
    """A loop that asks again and again for ever."""

    async def poll() -> None:
        for _ in itertools.count():
            await asyncio.sleep(5)

    with pytest.raises(TooLong):
        run_virtual(poll, limit_seconds=3600)


@virtual
async def test_the_wall_clock_moves_with_it_and_alone() -> None:
    """A jump of the wall clock is none of the monotonic one."""
    clock = VirtualClock()
    await clock.sleep(90)
    assert clock.now() == START + timedelta(seconds=90)
    clock.jump(timedelta(days=-3650))
    assert clock.now() == START + timedelta(days=-3650, seconds=90)
    assert clock.monotonic() == 90
    await clock.sleep(-1)
    assert clock.monotonic() == 90


@virtual
async def test_signals_arrive() -> None:
    """The only thing from outside that a run listens to."""
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        async for number in signals:
            assert number == signal.SIGTERM
            break


def test_what_is_wrong_with_a_test_is_raised() -> None:
    """An assertion inside fails the test."""

    @virtual
    async def test() -> None:
        raise AssertionError("inside")

    with pytest.raises(AssertionError, match="inside"):
        test()


async def test_other_loops_are_left_alone() -> None:
    """A thread of an ordinary loop is not counted while one runs in virtual time elsewhere."""

    async def night() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    assert await to_thread.run_sync(run_virtual, night) == pytest.approx(3600)
