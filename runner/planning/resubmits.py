"""Unconfirmed submits that a setting, `--resubmit-unconfirmed`, has sent again. It counts over all runs."""

from collections.abc import Sequence
from datetime import datetime

from jobs.outcomes import Resubmitted
from jobs.states import JobState
from jobs.store.store import Store
from jobs.views import BatchView, JobView
from jobs.workload import Workload
from runner.settings import Settings


async def resubmits_left(store: Store, batch: BatchView, settings: Settings) -> int:
    """How many unconfirmed submits the setting still allows to be sent again."""
    return max(0, settings.resubmit_unconfirmed - await store.ledger.automatic_resubmits(batch.id))


async def allowed_resubmits(store: Store, batch: BatchView, settings: Settings) -> list[JobView]:
    """The unconfirmed jobs that a run sends again, as far as the setting allows."""
    left = await resubmits_left(store, batch, settings)
    found = await store.jobs.in_state(batch.id, [JobState.UNCONFIRMED]) if left else []
    return [job for job in found if job.current][:left]


def with_resubmits(queued: Workload, unconfirmed: Sequence[JobView]) -> Workload:
    """What a run is to send, with what it sends again."""
    work = Workload(queued)
    for job in unconfirmed:
        work.add(job.model, job.pictures)
    return work


async def resubmit_allowed(store: Store, batch: BatchView, settings: Settings, now: datetime) -> int:
    """Queue unconfirmed jobs again as far as the setting allows; returns how many more it allows.

    Only when all else is agreed to: what is queued again is out of `review`, and sent by whoever runs next.
    """
    for job in await allowed_resubmits(store, batch, settings):
        await store.jobs.apply(Resubmitted(job.id, now, automatic=True))
    return await resubmits_left(store, batch, settings)
