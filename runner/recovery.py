"""What the last run left behind, put in order before anything is sent. Doing it twice changes nothing."""

from dataclasses import dataclass

from anyio import to_thread

from jobs.failures import Failure, FailureKind
from jobs.outcomes import Attached
from jobs.states import JobState
from jobs.store.door import Store
from jobs.views import BatchView, OpenJob
from runner.spool import Spool

INTERRUPTED = Failure(
    FailureKind.UNCONFIRMED,
    "The run ended between sending it and reading the answer. It may have been accepted and paid for.",
)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What is to be gone on with."""

    in_doubt: int
    """Submits that the last run left without an answer."""
    from_spool: int
    """Of these, those whose request_id was kept in the spool."""
    running: list[OpenJob]
    fetching: list[OpenJob]


async def recover(store: Store, batch: BatchView, spool: Spool) -> Recovered:
    """Put a batch in order. The caller holds the database's lock, so nobody else is at work on it."""
    in_doubt = await store.doubt_interrupted(batch.id, INTERRUPTED)
    from_spool = 0
    for line in spool.lines:
        if line.batch_id == batch.id:
            from_spool += await store.apply(Attached(line.job_id, line.request_id, line.moment))
    # What could not be applied is in the database already, or was settled by a person since.
    await to_thread.run_sync(spool.keep, tuple(line for line in spool.lines if line.batch_id != batch.id))
    return Recovered(
        in_doubt=max(0, in_doubt - from_spool),  # an earlier recovery, killed, may have doubted them
        from_spool=from_spool,
        running=await store.open_jobs(batch.id, JobState.RUNNING),
        fetching=await store.open_jobs(batch.id, JobState.FETCHING),
    )
