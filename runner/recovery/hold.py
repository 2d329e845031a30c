"""Who works on a job table, whether that is a file or on a server: the one door to both locks."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.pauses import Wait
from runner.clock import Clock
from runner.recovery import lock
from runner.recovery.lock import Holder, Phase
from runner.recovery.server_lock import ASKED_EVERY_SECONDS, Keeper, held_now, holder_now, holding_on_server

if TYPE_CHECKING:
    from jobs.store.store import Store


@dataclass(frozen=True, slots=True)
class Hold:
    """What became of the wish to work on a job table."""

    other: Holder | None = None
    """The process that keeps it; None where it is held here."""
    keeper: Keeper | None = None
    """Keeps the lock of a server."""


@asynccontextmanager
async def holding(
    store: "Store",
    *,
    command: str,
    batch: str,
    clock: Clock,
    notice: Callable[[str], None],
    retired_too: bool = False,
) -> AsyncIterator[Hold]:
    """Hold the job table for the length of the block, unless another process keeps it.

    Waits for a short command and for a runner that is ending, and reports that by `notice`. A table that is
    retired is held by nobody but who copies it.

    Raises:
        CannotWrite: the lock cannot be taken.
        TableRetired: the table's rows are elsewhere.
    """
    on_server = store.database.membership
    if on_server is None:
        file = lock.holding(store.database.path, command=command, batch=batch, clock=clock, notice=notice)
        async with file as other:
            await _check_in_use(store, retired_too=retired_too)
            yield Hold(other)
        return
    server = holding_on_server(store, on_server, command=command, batch=batch, clock=clock, notice=notice)
    async with server as (keeper, other):
        await _check_in_use(store, retired_too=retired_too)
        yield Hold(other, keeper)


async def _check_in_use(store: "Store", *, retired_too: bool) -> None:
    retirement = None if retired_too else await store.batches.retirement()
    if retirement is not None:
        raise retirement.refusal(store.database.shown)


async def waiting_now(store: "Store") -> Wait | None:
    """What the process that holds the table waits for. Means nothing where no process holds it."""
    if store.database.membership is None:
        return lock.waiting_of(store.database.path)
    return (await holder_now(store)).waiting


async def settled_phase(
    store: "Store", runner: Holder, clock: Clock, pauses_again: Callable[[], Awaitable[bool]]
) -> Phase:
    """How `runner` stands after a change of the table, once that is certain."""
    if store.database.membership is None:
        return await lock.settled_phase(store.database.path, runner, clock, pauses_again)

    async def now() -> Holder | None:
        return await held_now(store)

    return await lock.settled(now, runner, clock, pauses_again, ASKED_EVERY_SECONDS)


async def is_held(store: "Store") -> bool:
    """Whether any process holds the table.

    Raises:
        CannotWrite: nobody can tell.
    """
    if store.database.membership is not None:
        return await held_now(store) is not None
    with lock.try_holding(store.database.path) as free:
        return not free
