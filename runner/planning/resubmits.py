"""Unconfirmed submits that `--resubmit-unconfirmed` repeats. The limit counts over all runs of a batch."""

from collections.abc import Sequence
from datetime import datetime

from jobs.outcomes import Resubmitted
from jobs.states import JobState
from jobs.store.store import Store
from jobs.views import BatchView, JobView
from jobs.workload import Workload
from runner.planning.late_submits import late_submits
from runner.settings import Settings


async def resubmits_left(store: Store, batch: BatchView, settings: Settings) -> int:
    """How many more unconfirmed submits the setting allows to be repeated."""
    return max(0, settings.resubmit_unconfirmed - await store.ledger.automatic_resubmits(batch.id))


async def allowed_resubmits(store: Store, batch: BatchView, settings: Settings) -> list[JobView]:
    """The unconfirmed jobs that the setting allows a run to submit again.

    Not those whose answer named an id: that is in hand, and asked for first. Nor those that may still arrive.
    """
    left = await resubmits_left(store, batch, settings)
    found = await store.jobs.in_state(batch.id, [JobState.UNCONFIRMED]) if left else []
    wanted = [job for job in found if job.current and job.named_id is None]
    late = await late_submits(store, wanted, settings.submit_timeout)
    return [job for job in wanted if job.id not in late][:left]


def with_resubmits(queued: Workload, unconfirmed: Sequence[JobView]) -> Workload:
    """The workload of a run: queued jobs and unconfirmed ones that are submitted again."""
    work = Workload(queued)
    for job in unconfirmed:
        work.add(job.model, job.pictures)
    return work


async def resubmit_allowed(
    store: Store, batch: BatchView, settings: Settings, allowed: Sequence[JobView], now: datetime
) -> int:
    """Queue unconfirmed jobs again; return how many more the setting allows.

    Call it only after consent to the rest: a queued job leaves `review`, and the next run sends it. `allowed`
    are those of which the consent was told. It is not asked for them again: others may be doubted meanwhile.
    """
    for job in allowed:
        await store.jobs.apply(Resubmitted(job.id, now, automatic=True))
    return await resubmits_left(store, batch, settings)
