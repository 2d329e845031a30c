"""Settles what the last run left open, before anything is sent. Idempotent."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from jobs.errors import LockHeld
from jobs.failures import Failure, FailureKind
from jobs.outcomes import Attached
from jobs.states import JobState
from jobs.views import BatchView, OpenJob, Receipt, Settled, UnconfirmedJob
from runner.clock import Clock
from runner.recovery.lock import holding
from runner.recovery.spool import Spool, Spooled, open_spool

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
    from_spool: int
    """Submits whose request_id was kept in the spool."""
    left: tuple[str, ...]
    """request_ids in the spool that belong to no job and that no job has."""
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


async def recover(store: "Store", batch: BatchView, spool: Spool) -> Recovered:
    """Settle a batch. The caller holds the database's lock, so no other process works on it."""
    settled = await settle(store, batch, spool)
    return Recovered(
        unconfirmed=settled.unconfirmed,
        from_spool=settled.attached,
        left=tuple(receipt.outcome.request_id for receipt in settled.left),
        running=await store.jobs.open_jobs(batch.id, JobState.RUNNING),
        fetching=await store.jobs.open_jobs(batch.id, JobState.FETCHING),
        naming_ids=await store.ledger.naming_ids(batch.id),
    )


async def read_again(store: "Store", batch: BatchView, found: Recovered) -> Recovered:
    """The same jobs as the table has them now: their estimates may have been reckoned meanwhile."""
    ids = {job.id for job in (*found.running, *found.fetching)}
    running = await store.jobs.open_jobs(batch.id, JobState.RUNNING)
    fetching = await store.jobs.open_jobs(batch.id, JobState.FETCHING)
    return replace(
        found,
        running=[job for job in running if job.id in ids],
        fetching=[job for job in fetching if job.id in ids],
    )


async def settle_beside(
    store: "Store",
    batch: BatchView,
    database: Path,
    *,
    command: str,
    clock: Clock,
    notice: Callable[[str], None],
) -> None:
    """Settle what a run left open, if none is active: a person decides with the receipts in the spool.

    Raises:
        LockHeld: another command keeps the lock.
    """
    async with holding(database, command=command, batch=batch.name, clock=clock, notice=notice) as other:
        if other is not None and other.makes_room_soon:
            raise LockHeld(f"{other} still holds {database}.", hint="Nothing was changed: try again.")
        if other is None:
            with open_spool(database) as spool:
                await settle(store, batch, spool)


async def settle(store: "Store", batch: BatchView, spool: Spool) -> Settled:
    """Settle what a run left open, with the receipts in the spool."""
    receipts = {line: _receipt(line) for line in spool.lines if line.batch_id == batch.id}
    settled = await store.jobs.settle_interrupted(batch.id, INTERRUPTED, tuple(receipts.values()))
    kept = tuple(line for line in spool.lines if line not in receipts or receipts[line] in settled.left)
    if kept != spool.lines:
        await to_thread.run_sync(spool.keep, kept)
    return settled


def _receipt(line: Spooled) -> Receipt:
    return Receipt(line.key, Attached(line.job_id, line.request_id, line.moment, line.uid or None))
