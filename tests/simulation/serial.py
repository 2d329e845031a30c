"""A virtual loop without threads: what a thread would do is done in the loop, one after the other.

aiosqlite's thread and anyio's workers are the only ones that a run has. Here their work is done at once when
it is handed over, and its result comes back after a delay that the seed draws. So the clock cannot jump while
anything is at work, results come back in one order, and one seed has one history. Sets of tasks and of cancel
scopes, which go by addresses otherwise, go by numbers.
"""

import asyncio
import gc
import itertools
import logging
import os
import random
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import Any, Protocol, TypeVar, cast
from unittest import mock

import aiosqlite.core
from anyio._backends import _asyncio as anyio_backend
from anyio._backends._asyncio import AsyncIOBackend

from tests.simulation.process import PROCESS, Killed, Process, reach
from tests.support.virtual_time import VirtualLoop

T = TypeVar("T")

_SLOW_COMMIT_SECONDS = 0.05
_SLOW_THREAD_SECONDS = 0.2
_MOST_TURNS = 50_000
_TURNS_SECONDS = 10.0
"""So many turns in so little virtual time are a loop that never ends."""
_TAKES_A_TURN = 0.1
"""Share of statements after which others have their turn first; the rest are done before anyone looks."""


class Livelock(AssertionError):
    """Tasks are busy with one another for ever."""


class Watch(Protocol):
    """Who is told what happens in the loop."""

    def step(self) -> None:
        """The loop turns."""
        ...

    def refusal(self, process: Process | None) -> sqlite3.Error | None:
        """What the disk says to a commit, if it does not take it."""
        ...

    def committed(self, process: Process | None, connection: sqlite3.Connection) -> None:
        """Something is in the database from now on."""
        ...


class SerialLoop(VirtualLoop):
    """Every draw (how long a commit or a worker takes) comes from `seed`."""

    def __init__(self, seed: object, limit_seconds: float) -> None:
        super().__init__(limit_seconds, threads=False)
        self.dice = random.Random(f"{seed}/threads")
        self.watch: Watch | None = None
        self.served: list[_Served] = []
        self._since = 0.0
        self._turns = 0
        self._numbers = itertools.count()
        self.set_task_factory(_numbered)
        self.set_exception_handler(_told)

    def number(self) -> int:
        return next(self._numbers)

    def _run_once(self) -> None:
        self._turns += 1
        if self._moment - self._since >= _TURNS_SECONDS:
            self._since, self._turns = self._moment, 0
        if self._turns > _MOST_TURNS:
            raise Livelock("I10: everything turns round and round, and hardly any time passes")
        if self.watch is not None:
            self.watch.step()
        super()._run_once()  # type: ignore[misc]  # typeshed leaves it out

    def forsake(self) -> None:
        """Close what connections are still open: nobody is left who had them."""
        for served in self.served:
            served.forsake()
        self.served.clear()

    @property
    def obeyed(self) -> set[int]:
        """Signals that somebody waits for."""
        return set(self._signal_handlers)  # type: ignore[attr-defined]  # typeshed leaves it out

    def deliver(self, number: int) -> None:
        """A signal, as the system would send it."""
        self._handle_signal(number)  # type: ignore[attr-defined]

    def delay(self, share: float, longest: float) -> float:
        """Seconds that some work takes: none at all, but for a `share` of cases."""
        return self.dice.uniform(0.0, longest) if self.dice.random() < share else 0.0


def _told(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What a task left behind: of those that were killed nobody asks."""
    if not isinstance(context.get("exception"), Killed | asyncio.CancelledError):
        loop.default_exception_handler(context)


class _NumberedTask(asyncio.Task[Any]):
    """Hashed by its number, so that a set of tasks has the same order in every process."""

    _number: int

    def __new__(cls, *_arguments: Any, loop: SerialLoop, **_options: Any) -> "_NumberedTask":
        task = super().__new__(cls)
        task._number = loop.number()
        return task

    def __hash__(self) -> int:
        return self._number


def _numbered(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    assert isinstance(loop, SerialLoop)
    return _NumberedTask(coroutine, loop=loop, **options)


class _NumberedScope(anyio_backend.CancelScope):
    """The same for cancel scopes."""

    __slots__ = ("_number",)
    _number: int

    def __new__(cls, **_options: Any) -> "_NumberedScope":
        scope = object.__new__(cls)
        scope._number = _loop().number()
        return scope

    def __hash__(self) -> int:
        return self._number


def _loop() -> SerialLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SerialLoop)
    return loop


class _NoThread:
    """In place of aiosqlite's thread: there is none."""

    def __init__(self, **_options: Any) -> None:
        self.daemon = True

    def start(self) -> None:
        """Nothing to start."""


_connect = sqlite3.connect

Order = tuple[asyncio.Future[Any] | None, Callable[[], Any]]


class _Connection(sqlite3.Connection):
    """Tells its commits to whoever watches."""

    served: "_Served | None" = None

    def commit(self) -> None:
        if self.served is None or not self.in_transaction or not self.served.writes:
            super().commit()
        else:
            self.served.commit(super().commit, super().rollback)


class _Served:
    """In place of the queue to aiosqlite's thread: what is put into it is done, in order, here and now.

    A transaction is one order, so no connection ever waits for another one's lock.
    """

    def __init__(self) -> None:
        self.connection: _Connection | None = None
        self._delay = 0.0

    def put_nowait(self, order: Order) -> None:
        loop = _loop()
        future, function = order
        self._delay, settle = 0.0, partial(_settle, future)
        try:
            result = function()
        except BaseException as error:
            settle = partial(settle, error=error)
        else:
            settle = partial(settle, result=result)
            self._note(loop, function, result)
        if self._delay:
            loop.call_later(self._delay, settle)
        elif loop.dice.random() < _TAKES_A_TURN:
            loop.call_soon(settle)
        else:
            settle()

    def forsake(self) -> None:
        """Close the connection, in place of its thread that is gone."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _note(self, loop: SerialLoop, function: Callable[[], Any], result: Any) -> None:
        if isinstance(result, _Connection):
            self.connection, result.served = result, self
            loop.served.append(self)
        elif getattr(function, "__name__", "") == "close_and_stop":
            self.connection = None
            with suppress(ValueError):
                loop.served.remove(self)

    @property
    def writes(self) -> bool:
        """Whether its connection may write."""
        assert self.connection is not None
        return not self.connection.execute("PRAGMA query_only").fetchone()[0]

    def commit(self, commit: Callable[[], None], rollback: Callable[[], None]) -> None:
        """Commit what the connection has written, if the disk takes it."""
        assert self.connection is not None
        loop, process = _loop(), PROCESS.get()
        if process is not None:
            process.reach("before commit")
        refused = loop.watch.refusal(process) if loop.watch is not None else None
        if refused is not None:
            if loop.dice.random() < 0.5:  # SQLite rolls back by itself, or leaves that to us
                rollback()
            raise refused
        commit()
        if loop.watch is not None:
            loop.watch.committed(process, self.connection)
        if process is not None:
            process.reach("after commit")
        self._delay = loop.delay(0.4, _SLOW_COMMIT_SECONDS)


def _settle(
    future: asyncio.Future[Any] | None, result: Any = None, error: BaseException | None = None
) -> None:
    if future is None or future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


async def _in_the_loop(
    function: Callable[..., T],
    arguments: tuple[Any, ...],
    abandon_on_cancel: bool = False,
    limiter: Any = None,
) -> T:
    """In place of anyio's worker thread."""
    await AsyncIOBackend.checkpoint()
    loop = _loop()
    async with limiter or AsyncIOBackend.current_default_thread_limiter():
        with anyio_backend.CancelScope(shield=not abandon_on_cancel):
            reach("before a thread's work")
            done, error = _tried(function, arguments)
            reach("after a thread's work")
            await asyncio.sleep(loop.delay(0.3, _SLOW_THREAD_SECONDS))
    if error is not None:
        raise error
    return cast("T", done)


def _tried(function: Callable[..., T], arguments: tuple[Any, ...]) -> tuple[T | None, Exception | None]:
    try:
        return function(*arguments), None
    except Exception as error:  # it comes back when the thread would
        return None, error


class _Forsakeable(aiosqlite.core.Connection):
    """Its process may be killed, so nobody closes it; what failed may hold it until after the run."""

    def __del__(self) -> None:
        """Say nothing: the loop closes what is beneath it."""


@contextmanager
def _quiet() -> Iterator[None]:
    """SQLAlchemy tells of every connection that died with its process."""
    pool = logging.getLogger("sqlalchemy.pool")
    level = pool.level
    pool.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        pool.setLevel(level)


@contextmanager
def _without_threads() -> Iterator[None]:
    with (
        _quiet(),
        mock.patch.object(aiosqlite.core, "SimpleQueue", _Served),
        mock.patch.object(sqlite3, "connect", partial(_connect, factory=_Connection)),
        mock.patch.object(aiosqlite.core, "Thread", _NoThread),
        mock.patch.object(aiosqlite.core, "Connection", _Forsakeable),
        mock.patch.object(AsyncIOBackend, "run_sync_in_worker_thread", _in_the_loop),
        mock.patch.object(anyio_backend, "CancelScope", _NumberedScope),
        mock.patch.object(os, "fsync", return_value=None),  # no power is lost here
    ):
        yield


@cache
def _leave_out_of_collections() -> None:
    """What was there after the first run need not be looked through after each."""
    gc.freeze()


def run_serial(
    main: Callable[[SerialLoop], Coroutine[Any, Any, T]], *, seed: object, limit_seconds: float
) -> T:
    """Run a coroutine function to its end, in virtual time and in the order of events that `seed` has."""
    loop = SerialLoop(seed, limit_seconds)
    collecting = gc.isenabled()
    gc.disable()  # what is left to it would end at moments that no seed knows
    try:
        with _without_threads():
            try:
                with asyncio.Runner(loop_factory=lambda: loop) as runner:
                    return runner.run(main(loop))
            finally:
                gc.collect()  # what the dead left, before threads are real again
                _leave_out_of_collections()
    finally:
        loop.forsake()
        if collecting:
            gc.enable()
