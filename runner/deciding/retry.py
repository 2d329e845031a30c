"""Which failed and cancelled jobs can be retried: free, paid, or not at all; and queueing them again."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.attempts import SubmitOutcome
from jobs.errors import NightsheetError
from jobs.failures import ONLY_IF_NAMED, FailureKind
from jobs.images.stored import missing_files
from jobs.outcomes import Reopened, Requeued
from jobs.states import JobState
from runner.deciding.changes import (
    CHANGED_MEANWHILE,
    NOT_AGREED,
    NOT_IN_SHEET,
    NotChanged,
    apply_to_each,
    jobs_named,
)
from runner.planning.late_submits import late_submits, why_not_yet
from runner.providers.base import CallFailed, RemoteStatusReport, Stopped, UnknownId

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView
    from runner.clock import Clock
    from runner.deciding.changes import OpenApi

_WITHOUT_RESULT = frozenset({JobState.FAILED, JobState.CANCELLED})


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """The jobs that can be retried, and those that cannot, with the reason."""

    free: Sequence["JobView"] = ()
    """The API holds their results: they are polled and fetched again."""
    linked: Sequence["JobView"] = ()
    """They wait for the result of another job once more."""
    paid: Sequence["JobView"] = ()
    """They are sent again."""
    not_retried: Sequence[NotChanged] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no job can be retried."""
        return not (self.free or self.paid or self.linked)


async def plan_retry(
    store: "Store",
    batch: "BatchView",
    keys: Sequence[str],
    kinds: Sequence[FailureKind],
    open_api: "OpenApi",
    *,
    submit_timeout: float | None,
) -> RetryPlan:
    """Sort the jobs of these keys and kinds, or else all that ended without success or lost their images.

    A lost request is asked for first: it is paid for, and the API may know it again. On a server a discarded
    submit that may still arrive is left out: `submit_timeout` is how long one may take; None where nothing
    of the plan is sent.

    Raises:
        UsageProblem: the batch has no such key.
    """
    if keys:
        jobs = await jobs_named(store, batch, keys)
    else:
        states = [JobState.FAILED, JobState.CANCELLED, *([] if kinds else [JobState.SUCCEEDED])]
        found = store.jobs.each(batch.id, states=states)
        jobs = [job async for job in found if job.state is not JobState.SUCCEEDED or _lost_images(job)]
    held = await _held_at_api(store, batch)
    free, sendable, not_retried = list["JobView"](), list["JobView"](), list[NotChanged]()
    lost: list[JobView] = []
    fetched_for_others: set[int] = set()
    for job in jobs:
        source = _removed_source(batch, job, held)
        reason = _why_not(job, kinds, by_key=bool(keys), source_is_fetched=bool(source))
        if reason is not None:
            not_retried += [_not_retried(job, reason)] if reason else []
            continue
        if _is_lost(job):
            lost.append(job)
            continue
        fetched_for_others |= source
        if job.state is not JobState.CANCELLED and job.id in held:
            free.append(job)
        elif job.state is not JobState.SUCCEEDED:  # else it has the images that the other one fetches
            sendable.append(job)
    if fetched_for_others:
        ended = store.jobs.each(batch.id, everything=True, states=[JobState.FAILED, JobState.SUCCEEDED])
        free += [job async for job in ended if job.id in fetched_for_others]
    known = await _known_again(lost, open_api)
    free += [job for job in lost if known[job.id] is True]
    sendable += [job for job in lost if known[job.id] is False]
    discarded = [job for job in sendable if job.failure and job.failure.kind is FailureKind.DISCARDED]
    late = {} if submit_timeout is None else await late_submits(store, discarded, submit_timeout)
    not_retried += [_not_retried(job, why_not_yet(late[job.id])) for job in discarded if job.id in late]
    sendable = [job for job in sendable if job.id not in late]
    places = {job.id: place for place, job in enumerate(jobs)}
    sendable.sort(key=lambda job: places[job.id])  # the lost ones among the others
    not_retried += [_not_retried(job, str(why)) for job in lost if not isinstance(why := known[job.id], bool)]
    retried = {job.id for job in (*free, *sendable)}
    return RetryPlan(
        free,
        [job for job in sendable if _waits(batch, job, retried)],
        [job for job in sendable if not _waits(batch, job, retried)],
        not_retried,
    )


def without_payment(plan: RetryPlan, batch: "BatchView") -> RetryPlan:
    """The plan without the jobs that nobody agreed to pay for, and without those that wait for them."""
    free = {job.id for job in plan.free}
    waiting = [job for job in plan.linked if _waits(batch, job, free)]
    declined = [*plan.paid, *(job for job in plan.linked if not _waits(batch, job, free))]
    not_agreed = [_not_retried(job, NOT_AGREED) for job in declined]
    return RetryPlan(plan.free, waiting, (), [*plan.not_retried, *not_agreed])


async def carry_out(plan: RetryPlan, store: "Store", clock: "Clock") -> RetryPlan:
    """Queue the jobs of the plan again; returns the plan as far as it was possible. Sends nothing."""
    now = clock.now()
    free = await apply_to_each(store, plan.free, lambda job: Reopened(job.id, now))
    paid = await apply_to_each(store, plan.paid, lambda job: Requeued(job.id, now))
    # After those that they wait for.
    linked = await apply_to_each(store, plan.linked, lambda job: Requeued(job.id, now, waits=True))
    unchanged = (*free.unchanged, *paid.unchanged, *linked.unchanged)
    changed = [_not_retried(job, CHANGED_MEANWHILE) for job in unchanged]
    return RetryPlan(free.changed, linked.changed, paid.changed, [*plan.not_retried, *changed])


def _not_retried(job: "JobView", reason: str) -> NotChanged:
    return NotChanged(job.key, job.state.value, reason)


def _waits(batch: "BatchView", job: "JobView", retried: Set[int]) -> bool:
    """Whether an identical job has the result of this one, or will get it.

    A result that is yet to come is waited for only where the batch keeps `--dedupe`: the next run ends
    every other link, and the job is paid.
    """
    twin = job.twin
    if twin is None or not twin.alike:
        return False
    if twin.id in retried or twin.state is not JobState.SUCCEEDED:
        return batch.dedupe and (twin.id in retried or twin.state not in _WITHOUT_RESULT)
    return True


def _removed_source(batch: "BatchView", job: "JobView", held: Set[int]) -> set[int]:
    """The job that this one has its images from, if its row has left the sheet and the API holds the result.

    It is fetched again for this job; a source that the sheet still has is retried under its own key.
    """
    twin = job.twin
    if twin is None or twin.current or twin.id not in held:
        return set()
    if job.state is JobState.SUCCEEDED:
        needed = twin.state in {JobState.FAILED, JobState.SUCCEEDED}
    else:
        needed = twin.state is JobState.FAILED and batch.dedupe
    return {twin.id} if needed else set()


def _why_not(
    job: "JobView", kinds: Sequence[FailureKind], *, by_key: bool, source_is_fetched: bool
) -> str | None:
    """Why a job is not retried; None if it is, empty where the reason is not worth a line."""
    if not job.current:
        return NOT_IN_SHEET
    if job.state is JobState.SUCCEEDED and not kinds and missing_files(job):
        if job.twin is None or source_is_fetched:
            return None
        return f"its pictures are gone, and are those of {job.twin.key}"
    if job.failure is None or job.state not in {JobState.FAILED, JobState.CANCELLED}:
        return "unconfirmed: see review" if job.state is JobState.UNCONFIRMED else f"it is {job.state}"
    if kinds and job.failure.kind not in kinds:
        return f"it is {job.failure.kind}" if by_key else ""
    if not kinds and not by_key and job.failure.kind in ONLY_IF_NAMED:
        return f"{job.failure.kind}: only with --kind {job.failure.kind}, or --job"
    return None


def _lost_images(job: "JobView") -> bool:
    """Whether images that were fetched for this job, and for no other row, are no longer on disk."""
    return (job.twin is None or not job.twin.current) and bool(missing_files(job))


def _is_lost(job: "JobView") -> bool:
    return job.failure is not None and job.failure.kind is FailureKind.LOST and job.request_id is not None


async def _known_again(lost: Sequence["JobView"], open_api: "OpenApi") -> dict[int, bool | str]:
    """By job whether the API knows its request; or why that cannot be told, which is free to ask again."""
    known: dict[int, bool | str] = {}
    if not lost:
        return known
    try:
        async with open_api() as api:
            for job in lost:
                if job.request_id is None or not api.provider.is_handle(job.request_id):
                    known[job.id] = False
                    continue
                match await api.provider.status(job.request_id):
                    case RemoteStatusReport():
                        known[job.id] = True
                    case UnknownId(code=str() as code) if code.startswith("403"):  # paid for, and not gone
                        known[job.id] = "it is another account's request: use that account's token"
                    case UnknownId():
                        known[job.id] = False
                    case Stopped(message=why) | CallFailed(reason=why):
                        known[job.id] = f"the API does not say whether it knows its request: {why}"
    except NightsheetError as error:
        return {job.id: f"the API cannot be asked about its request: {error.message}" for job in lost}
    return known


async def _held_at_api(store: "Store", batch: "BatchView") -> set[int]:
    """Jobs whose newest submit was accepted, and that the API did not call failed, cancelled or unknown."""
    submits = [attempt for attempt in await store.ledger.attempts(batch.id) if attempt.number]
    submits.sort(key=lambda attempt: attempt.number or 0)
    newest = {attempt.job_id: attempt for attempt in submits}
    return {
        job_id
        for job_id, attempt in newest.items()
        if attempt.outcome is SubmitOutcome.ACCEPTED and attempt.ended in (None, "done")
    }
