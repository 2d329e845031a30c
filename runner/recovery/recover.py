"""Settles what the last run left open, before anything is sent. Idempotent."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from anyio import to_thread

from jobs.errors import LockHeld
from jobs.failures import Failure, FailureKind
from jobs.states import JobState
from jobs.views import BatchView, OpenJob, UnconfirmedJob
from runner.clock import Clock
from runner.recovery import old_spool
from runner.recovery.healing import Healing, heal
from runner.recovery.hold import holding
from runner.recovery.journal_places import Places

if TYPE_CHECKING:
    from jobs.store.store import Store

INTERRUPTED = Failure(
    FailureKind.UNCONFIRMED,
    "The run ended between sending it and reading the answer. It may have been accepted and paid for.",
)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the run continues with."""

    unconfirmed: int
    """Submits that the last run left without an answer."""
    healing: Healing
    """What the journal knew better than the table."""
    running: list[OpenJob]
    fetching: list[OpenJob]
    naming_ids: list[UnconfirmedJob] = field(default_factory=list)
    """Unconfirmed jobs whose answer named an id: the API is asked for it."""

    @property
    def models(self) -> list[str]:
        """The models of all these jobs."""
        return [
            *(job.model for job in (*self.running, *self.fetching)),
            *(job.model for job in self.naming_ids),
        ]

    @property
    def ids(self) -> set[int]:
        """The ids of all these jobs."""
        return {
            *(job.id for job in (*self.running, *self.fetching)),
            *(job.id for job in self.naming_ids),
        }


async def recover(store: "Store", batch: BatchView, places: Places, now: datetime) -> Recovered:
    """Settle a batch. The caller holds the database's lock, so no other process works on it."""
    healing, unconfirmed = await settle(store, batch, places, now)
    return Recovered(
        unconfirmed=unconfirmed,
        healing=healing,
        running=await store.jobs_to_do(batch.id, JobState.RUNNING),
        fetching=await store.jobs_to_do(batch.id, JobState.FETCHING),
        naming_ids=await store.ledger.naming_ids(batch.id),
    )


async def read_again(store: "Store", batch: BatchView, found: Recovered) -> Recovered:
    """The same jobs as the table has them now: their estimates may have been reckoned meanwhile."""
    ids = {job.id for job in (*found.running, *found.fetching)}
    running = await store.jobs_to_do(batch.id, JobState.RUNNING)
    fetching = await store.jobs_to_do(batch.id, JobState.FETCHING)
    return replace(
        found,
        running=[job for job in running if job.id in ids],
        fetching=[job for job in fetching if job.id in ids],
    )


async def settle_beside(
    store: "Store",
    batch: BatchView,
    places: Places,
    *,
    command: str,
    clock: Clock,
    notice: Callable[[str], None],
) -> None:
    """Settle what a run left open, if none is active: a person decides with what the journal knows.

    Raises:
        LockHeld: another command keeps the lock.
    """
    hold = holding(store, command=command, batch=batch.name, clock=clock, notice=notice)
    async with hold as held:
        other = held.other
        if other is not None and other.makes_room_soon:
            raise LockHeld(
                f"{other} still holds {store.database.shown}.", hint="Nothing was changed: try again."
            )
        if other is None:
            healing, _unconfirmed = await settle(store, batch, places, clock.now())
            for sentence in healing.sentences():
                notice(sentence)


async def settle(store: "Store", batch: BatchView, places: Places, now: datetime) -> tuple[Healing, int]:
    """Put back what the table forgot, then make what a run left open `unconfirmed`; how much that was.

    In this order, nobody is asked about a submit whose receipt is in the journal.
    """
    path = store.database.path
    healing = await heal(store, places, now)
    receipts = await to_thread.run_sync(old_spool.receipts_in, path, batch)
    settled = await store.witness.settle_interrupted(batch.id, INTERRUPTED, receipts)
    if receipts:
        await to_thread.run_sync(old_spool.drop, path, batch, settled.left)
    return healing, settled.unconfirmed
