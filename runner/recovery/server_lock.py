"""One process at a time works on a database of a server: a lock of the server's, which its own epoch backs.

The lock's connection may break off, and another process have the lock before this one hears of it. Then the
table has another epoch, and takes no intent of this one (`jobs/store/postgres/lock.py`): that is what money
rests on. What is here is for people, and for going on: the lock is taken again where nobody else has, and a
runner that another one has followed is told so, and ends.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio import CapacityLimiter, to_thread
from pydantic import ValidationError

from jobs.errors import CannotWrite, LockLost
from jobs.pauses import Wait
from runner.clock import Clock
from runner.recovery.lock import Holder, Phase, note_of, waited_for

if TYPE_CHECKING:
    from jobs.store.postgres.lock import ServerLock
    from jobs.store.store import Store

T = TypeVar("T")

BEAT_SECONDS = 1.0
ASKED_EVERY_SECONDS = 0.25
PATIENCE_SECONDS = 120.0
"""So long a submit waits for a lock that was lost and nobody else has; the store waits as long."""
SEND_WINDOW_SECONDS = 5.0
"""A submit leaves so soon after its intent, or not at all: its process may have stood still in between, and
another one have taken its jobs over."""


class Keeper:
    """Holds the lock of a server for this process, while `work` runs."""

    def __init__(self, store: "Store", lock: "ServerLock", clock: Clock, holder: Holder) -> None:
        self._store = store
        self._lock = lock
        self._clock = clock
        self._turn = CapacityLimiter(1)
        self.holder = holder
        """What others are to know of this process. It is in the table a second later."""
        self._signed = holder
        self.lost: LockLost | None = None
        """Set once another process has taken over."""
        self._away_since: float | None = None
        """Since when the lock is not held, for all that this process knows."""
        self._working = anyio.CancelScope()

    async def take(self) -> bool:
        """Take the lock; whether it was free."""
        return await self._asked(self._lock.take)

    async def begin(self) -> None:
        """Once it is taken: fence off whoever had it before."""
        epoch = await self._asked(partial(self._lock.begin, self.holder.model_dump_json()))
        self._store.database.epoch = epoch

    async def end(self) -> None:
        """Let go of it."""
        epoch, self._store.database.epoch = self._store.database.epoch, None
        with suppress(CannotWrite):  # then nobody is named, and the lock is gone all the same
            if epoch is not None and self.lost is None and self._away_since is None:
                await self._asked(partial(self._lock.beat, epoch, Holder().model_dump_json()))
        await self._asked(self._lock.release)

    async def work(self) -> None:
        """Show the server that this process is alive, and take the lock again where its connection broke."""
        with self._working:
            while self.lost is None:
                await self._clock.sleep(BEAT_SECONDS)
                with anyio.CancelScope(shield=True):
                    await self._beat()

    def stop(self) -> None:
        """Have `work` end, after a beat that is under way."""
        self._working.cancel()

    async def _beat(self) -> None:
        epoch, holder = self._store.database.epoch, self.holder
        assert epoch is not None
        try:
            if self._away_since is not None and not await self.take():
                if (await self._store.database.read(self._lock.told))[0] != epoch:
                    self._lose()
                return  # perhaps the server has not noticed yet that our own session is gone
            note = holder.model_dump_json() if holder != self._signed or self._away_since else None
            if await self._asked(partial(self._lock.beat, epoch, note)) != epoch:
                self._lose()
                return
            self._signed, self._away_since = holder, None
        except CannotWrite:  # away; the store says so where it lasts
            if self._away_since is None:
                self._away_since = self._clock.monotonic()

    def _lose(self) -> None:
        self.lose(self._lock.followed())

    def look(self) -> None:
        """Check that nobody has taken over, as far as this process knows.

        Raises:
            LockLost: somebody has.
        """
        if self.lost is not None:
            raise self.lost

    async def ready(self) -> None:
        """Wait until the lock is held, before an intent is committed.

        Raises:
            LockLost: another process has it.
            CannotWrite: it cannot be had again.
        """
        while (since := self._away_since) is not None and self.lost is None:
            if self._clock.monotonic() - since > PATIENCE_SECONDS:
                raise CannotWrite(
                    "The lock of the database was lost with its connection, and could not be taken again. "
                    "Nothing more is sent.",
                    hint="See that the server can be reached; then `nightsheet resume`.",
                )
            await self._clock.sleep(ASKED_EVERY_SECONDS)
        self.look()

    def lose(self, why: LockLost) -> None:
        """The table has said that another process has taken over."""
        self.lost = self.lost or why

    def say_phase(self, phase: Phase) -> None:
        """Let others know how this runner stands."""
        self.holder = self.holder.model_copy(update={"phase": phase})

    def say_waiting(self, waiting: Wait | None) -> None:
        """Let others know why nothing moves at the moment."""
        self.holder = self.holder.model_copy(update={"waiting": waiting})

    def is_late(self, begun: float) -> bool:
        """Whether a submit may not leave any more whose intent was begun at that time of the clock."""
        return self._clock.monotonic() - begun > SEND_WINDOW_SECONDS

    async def _asked(self, ask: Callable[[], T]) -> T:
        with anyio.CancelScope(shield=True):  # an answer that nobody waits for may be the lock
            answer: T = await to_thread.run_sync(ask, limiter=self._turn)
        return answer


@asynccontextmanager
async def holding_on_server(
    store: "Store",
    lock: "ServerLock",
    *,
    command: str,
    batch: str,
    clock: Clock,
    notice: Callable[[str], None],
) -> AsyncIterator[tuple[Keeper | None, Holder | None]]:
    """Hold the database for the length of the block; yields what keeps the lock, or who else has it.

    Raises:
        CannotWrite: the server cannot be reached.
    """
    keeper = Keeper(store, lock, clock, note_of(command, batch, clock.now()))
    holder = partial(holder_now, store)
    try:
        other = await waited_for(
            keeper.take, holder, store.database.shown, clock, notice, ASKED_EVERY_SECONDS
        )
        if other is None:
            await keeper.begin()
            # No group of tasks: what the block raises is to come out as it is.
            beating = asyncio.create_task(keeper.work())
            try:
                yield keeper, None
            finally:
                with anyio.CancelScope(shield=True):
                    keeper.stop()
                    await beating
            return
    finally:
        with anyio.CancelScope(shield=True):
            await keeper.end()
    yield None, other


async def holder_now(store: "Store") -> Holder:
    """Who holds the database, by what the table says."""
    assert store.database.server_lock is not None
    _epoch, note = await store.database.read(store.database.server_lock.told)
    try:
        return Holder.model_validate_json(note) if note else Holder()
    except ValidationError:
        return Holder()


async def held_now(store: "Store") -> Holder | None:
    """Who holds the database; None while nobody does."""
    assert store.database.server_lock is not None
    is_held = await store.database.read(store.database.server_lock.is_held)
    return await holder_now(store) if is_held else None
