"""What review, retry and cancel share: finding the jobs that are named, and changing many of them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import anyio

from jobs.errors import CannotWrite, UsageProblem
from jobs.suggestions import did_you_mean, similar
from jobs.workload import Workload

if TYPE_CHECKING:
    from jobs.outcomes import Outcome
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView
    from runner.providers.connect import Api

    OpenApi = Callable[[], AbstractAsyncContextManager[Api]]
    """Opens the API; called only where there is something to ask it."""

NOT_IN_SHEET = "its row is no longer in the sheet"
CHANGED_MEANWHILE = "it changed in the meantime"
NOT_AGREED = "not agreed to"

_CONCURRENT = 100
_NEAR = 3


def nobody_asks() -> "AbstractAsyncContextManager[Api]":
    """In place of the API, for who has no token: what has to be asked for stays as it is, and says why."""
    raise UsageProblem("nothing is asked here, the command of that name asks")


@dataclass(frozen=True, slots=True)
class NotChanged:
    """A job that was not changed, and the reason."""

    key: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Changes:
    """The jobs that an outcome was applied to, and those that it was not possible for."""

    changed: tuple["JobView", ...]
    unchanged: tuple["JobView", ...]


async def jobs_named(store: "Store", batch: "BatchView", keys: Sequence[str]) -> list["JobView"]:
    """The jobs of these keys, each once, in the order given.

    Raises:
        UsageProblem: the batch has no such key; the hint lists similar ones.
    """
    found = {key: await store.jobs.by_key(batch.id, key) for key in keys}
    unknown = [key for key, job in found.items() if job is None]
    if unknown:
        raise await _no_such_jobs(store, batch, unknown)
    return [job for job in found.values() if job is not None]


async def _no_such_jobs(store: "Store", batch: "BatchView", unknown: Sequence[str]) -> UsageProblem:
    keys = [job.key async for job in store.jobs.each(batch.id, everything=True)]
    near = dict.fromkeys(name for key in unknown for name in similar(key, keys, count=_NEAR))
    hint = did_you_mean(", ".join(near), "`nightsheet jobs` lists the keys.")
    names = ", ".join(map(repr, unknown))
    return UsageProblem(f"The batch {batch.name!r} has no job {names}. Nothing was changed.", hint)


async def apply_to_each(
    store: "Store", jobs: Sequence["JobView"], outcome_of: Callable[["JobView"], "Outcome"]
) -> Changes:
    """Apply an outcome to each job, many side by side so that they share commits.

    Raises:
        CannotWrite: the table refuses one of them.
    """
    applied = [False] * len(jobs)
    refusals: list[CannotWrite] = []

    async def apply(place: int) -> None:
        try:
            applied[place] = await store.jobs.apply(outcome_of(jobs[place]))
        except CannotWrite as refusal:
            refusals.append(refusal)

    for first in range(0, len(jobs), _CONCURRENT):
        async with anyio.create_task_group() as tasks:
            for place in range(first, min(first + _CONCURRENT, len(jobs))):
                tasks.start_soon(apply, place)
        if refusals:
            raise refusals[0]
    pairs = list(zip(jobs, applied, strict=True))
    return Changes(
        tuple(job for job, was_applied in pairs if was_applied),
        tuple(job for job, was_applied in pairs if not was_applied),
    )


def price_to_send(batch: "BatchView", jobs: Sequence["JobView"]) -> tuple[Decimal | None, Decimal | None]:
    """USD low and high for sending these jobs, at the prices that the API gave last."""
    work = Workload()
    for job in jobs:
        work.add(job.model, job.pictures)
    return work.price_range(batch.prices)
