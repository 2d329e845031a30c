"""A night in milliseconds: an event loop whose clock jumps to its next timer instead of waiting for it.

The clock stands still while anything runs, and while work is out in a thread (aiosqlite's, a worker of
anyio's, an executor's): what is out is counted, so that nothing is guessed by waiting. What comes through
sockets cannot be counted, and does not belong here. A loop that nothing can wake raises `Deadlock`.

In which order two threads come back is the machine's choice, here as everywhere.
"""

import asyncio
import selectors
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar
from unittest import mock

import aiosqlite.core
import anyio
from anyio._backends._asyncio import AsyncIOBackend

P = ParamSpec("P")
T = TypeVar("T")

START = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
LIMIT_SECONDS = 48 * 3600.0
"""A test that waits for longer than that waits for what will never come."""


class Deadlock(AssertionError):
    """Every task waits, and nothing is left that could wake one."""


class TooLong(AssertionError):
    """More virtual time has passed than any test needs."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time is a number here. `out` is how much work is out in threads."""

    def __init__(self, limit_seconds: float = LIMIT_SECONDS, *, threads: bool = True) -> None:
        self._moment = 0.0
        self._limit = limit_seconds
        self.out = 0
        super().__init__(_JumpingSelector(self) if threads else _LonelySelector(self))

    def time(self) -> float:
        return self._moment

    def jump(self, seconds: float) -> None:
        """Put the clock forward."""
        self._moment += seconds
        if self._moment > self._limit:
            raise TooLong(f"{self._moment:.0f} s have passed in virtual time")

    def count(self, future: asyncio.Future[Any]) -> None:
        """The work that settles `future` is out in a thread."""
        self.out += 1
        future.add_done_callback(self._back)

    def _back(self, _future: asyncio.Future[Any]) -> None:
        self.out -= 1

    def run_in_executor(  # type: ignore[override]  # typeshed's own is generic over a tuple of arguments
        self, executor: Any, function: Callable[..., T], *arguments: Any
    ) -> asyncio.Future[T]:
        future = BaseEventLoop.run_in_executor(self, executor, function, *arguments)
        self.count(future)
        return future

    async def shutdown_default_executor(self, *arguments: Any) -> None:
        self.out += 1  # a thread waits for the others
        try:
            await super().shutdown_default_executor(*arguments)
        finally:
            self.out -= 1


class _JumpingSelector(selectors.DefaultSelector):
    """Where an event loop would wait for its next timer, the clock is put forward instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self._loop.out:  # a thread that is done wakes the loop through its own pipe
            return super().select(None)
        if timeout is None:
            raise Deadlock("every task waits for another")
        self._loop.jump(timeout)
        return ready


class _LonelySelector(_JumpingSelector):
    """For a loop without threads and sockets: nothing can come from outside, so nobody is asked."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("every task waits for another")
        if timeout > 0:
            self._loop.jump(timeout)
        return []


class _CountedQueue(SimpleQueue[Any]):
    """What aiosqlite hands to its thread: pairs of a future and the function that settles it."""

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, _function = item
        if future is not None:
            loop = future.get_loop()
            if isinstance(loop, VirtualLoop):
                loop.count(future)
        super().put_nowait(item)


_in_worker_thread = AsyncIOBackend.run_sync_in_worker_thread


async def _counted_in_worker_thread(*arguments: Any, **options: Any) -> Any:
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        return await _in_worker_thread(*arguments, **options)
    loop.out += 1
    try:
        return await _in_worker_thread(*arguments, **options)
    finally:
        loop.out -= 1


@contextmanager
def _counting() -> Iterator[None]:
    with (
        mock.patch.object(aiosqlite.core, "SimpleQueue", _CountedQueue),
        mock.patch.object(AsyncIOBackend, "run_sync_in_worker_thread", _counted_in_worker_thread),
    ):
        yield


def run_virtual(main: Callable[[], Coroutine[Any, Any, T]], limit_seconds: float = LIMIT_SECONDS) -> T:
    """Run a coroutine function to its end, in virtual time."""
    with _counting(), asyncio.Runner(loop_factory=lambda: VirtualLoop(limit_seconds)) as runner:
        return runner.run(main())


def virtual(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Make a test out of a coroutine function, which runs in virtual time."""

    @wraps(test)
    def run(*arguments: P.args, **options: P.kwargs) -> None:
        run_virtual(lambda: test(*arguments, **options))

    return run


class VirtualClock:
    """The clock of a virtual loop. Only the wall clock can be moved, as only it can be in life."""

    def __init__(self) -> None:
        self.cores_used = 0.0
        self._loop = asyncio.get_running_loop()
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        return START + timedelta(seconds=self._loop.time()) + self._ahead

    def cpu(self) -> float:
        return self.cores_used * self.monotonic()

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(max(0.0, seconds))

    def jump(self, ahead: timedelta) -> None:
        """Set the wall clock forward, or back."""
        self._ahead += ahead
