"""One process at a time works on a database of a server: by a lock of the server's, and a row of its own.

The lock's connection may break off, and another process have the lock before this one hears of it. Then this
one's row is dead, and the table takes no intent of it (`jobs/store/postgres/membership.py`): that is what
money rests on. What is here is for people, and for going on: the lock is taken again where nobody else has,
and a runner that another one has followed is told so, and ends.
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
from jobs.store.runners import lease
from runner.clock import Clock
from runner.recovery.lock import Holder, Phase, note_of, waited_for
from runner.recovery.process_identity import is_gone, own_identity

if TYPE_CHECKING:
    from jobs.store.postgres.membership import Membership
    from jobs.store.store import Store

T = TypeVar("T")

LOOK_SECONDS = 1.0
"""So soon others are told how this runner stands."""
ASKED_EVERY_SECONDS = 0.25
PATIENCE_SECONDS = 120.0
"""So long a submit waits for a lock that was lost and nobody else has; the store waits as long."""


class Keeper:
    """Keeps the row of this process on a server alive, and the lock, while `work` runs."""

    is_shared = True

    def __init__(self, store: "Store", members: "Membership", clock: Clock, holder: Holder) -> None:
        self._store = store
        self._members = members
        self._clock = clock
        self._turn = CapacityLimiter(1)
        self.holder = holder
        """What others are to know of this process. It is in the table a second later."""
        self.batch_id: int | None = None
        """The batch that is worked on, once there is one."""
        self._signed: tuple[Holder, int | None] = (holder, None)
        self.lost: LockLost | None = None
        """Set once another process has taken over."""
        self._beaten_at = clock.monotonic()
        self._is_seen = True
        """Whether this process was seen to do something since the last beat."""
        self._is_watched = False
        """Whether it says so itself: it does while it works on a batch."""
        self._away_since: float | None = None
        """Since when the lock is not held, for all that this process knows."""
        self._working = anyio.CancelScope()

    async def take(self) -> bool:
        """Take the lock; whether it was free."""
        return await self._asked(self._members.take)

    async def begin(self) -> None:
        """Once it is taken: take a row, and fence off whoever had the lock before."""
        note, before = self.holder.model_dump_json(), await self._store.runners.living()
        gone = [one.id for one in before if is_gone(one.identity)]
        runner_id = await self._asked(lambda: self._members.enter(own_identity(), note, gone))
        self._store.database.runner_id = runner_id

    async def end(self) -> None:
        """Let go of it."""
        runner_id, self._store.database.runner_id = self._store.database.runner_id, None
        with suppress(CannotWrite):  # then its lease has to end, and the lock is gone all the same
            if runner_id is not None and self.lost is None and self._away_since is None:
                await self._asked(partial(self._members.leave, runner_id))
        await self._asked(self._members.release)

    async def work(self) -> None:
        """Show the server that this process is alive, and take the lock again where its connection broke."""
        with self._working:
            while self.lost is None:
                await self._clock.sleep(min(LOOK_SECONDS, lease.BEAT_SECONDS))
                if self._is_due():
                    with anyio.CancelScope(shield=True):
                        await self._beat()

    def stop(self) -> None:
        """Have `work` end, after a beat that is under way."""
        self._working.cancel()

    def _is_due(self) -> bool:
        waited = self._clock.monotonic() - self._beaten_at
        is_news = (self.holder, self.batch_id) != self._signed
        return waited >= lease.BEAT_SECONDS or is_news or self._away_since is not None

    async def _beat(self) -> None:
        runner_id, (holder, batch_id) = self._store.database.runner_id, (self.holder, self.batch_id)
        assert runner_id is not None
        begun = self._clock.monotonic()
        try:
            if self._away_since is not None and not await self.take():
                if not await self._store.runners.is_alive(runner_id):
                    self._lose()
                return  # perhaps the server has not noticed yet that our own session is gone
            beaten = partial(
                self._members.beat,
                runner_id,
                holder.model_dump_json(),
                progressed=self._is_seen or not self._is_watched,
                batch_id=batch_id,
            )
            self._is_seen = False
            if not await self._asked(beaten):
                self._lose()
                return
            self._signed, self._away_since, self._beaten_at = (holder, batch_id), None, begun
        except CannotWrite:  # away; the store says so where it lasts
            if self._away_since is None:
                self._away_since = self._clock.monotonic()

    def _lose(self) -> None:
        self.lose(self._members.lost())

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

    async def confirm(self) -> None:
        """Ask the table whether another process has taken over, before this one says how its run ended."""
        if self.lost is None and self._store.database.runner_id is not None:
            with anyio.CancelScope(shield=True):
                await self._beat()

    def seen(self) -> None:
        """Note that this process does something: a beat alone shows no more than that it can beat."""
        self._is_seen = self._is_watched = True

    def say_phase(self, phase: Phase) -> None:
        """Let others know how this runner stands."""
        self.holder = self.holder.model_copy(update={"phase": phase})

    def say_waiting(self, waiting: Wait | None) -> None:
        """Let others know why nothing moves at the moment."""
        self.holder = self.holder.model_copy(update={"waiting": waiting})

    def is_late(self, begun: float) -> bool:
        """Whether a submit may not leave any more whose intent was begun at that time of the clock."""
        return self._clock.monotonic() - begun > lease.SEND_WINDOW_SECONDS

    async def _asked(self, ask: Callable[[], T]) -> T:
        with anyio.CancelScope(shield=True):  # an answer that nobody waits for may be the lock
            answer: T = await to_thread.run_sync(ask, limiter=self._turn)
        return answer


@asynccontextmanager
async def holding_on_server(
    store: "Store",
    members: "Membership",
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
    keeper = Keeper(store, members, clock, note_of(command, batch, clock.now()))
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
    """Who works on the database, by what the table says."""
    return await held_now(store) or Holder()


async def held_now(store: "Store") -> Holder | None:
    """Who works on the database; None while nobody does.

    Whoever lost power says nothing of it: without the lock, its row means something until its lease is over.
    """
    living = await store.runners.living() if await store.runners.is_at_work() else []
    try:
        return Holder.model_validate_json(living[-1].note) if living else None
    except ValidationError:
        return Holder()
