"""Cancels a batch, or some of its jobs: those not sent yet at once, those at the API by asking it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from jobs.errors import LockHeld, NightsheetError
from jobs.exit_codes import ExitCode, exit_code_of
from jobs.failures import Failure, FailureKind
from jobs.outcomes import Cancelled, RemoteFailed
from jobs.states import JobState
from runner.deciding.changes import NotChanged, jobs_named
from runner.providers.base import (
    CallFailed,
    CancelTaken,
    CancelVerdict,
    NotCancellable,
    RemoteStatus,
    RemoteStatusReport,
    StatusVerdict,
    Stopped,
    UnknownId,
)
from runner.recovery.hold import holding
from runner.workers.known_ids import UNKNOWN_AFTER_SECONDS, lost

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView, OpenJob
    from runner.clock import Clock
    from runner.deciding.changes import OpenApi
    from runner.providers.connect import Api

_CANCELLABLE = frozenset({JobState.QUEUED, JobState.SUBMITTING, JobState.RUNNING})
_UNCONFIRMED = "it was on its way when the last run ended, and may be paid for: resume, then review"


@dataclass(slots=True)
class CancelResult:
    """What became of the jobs that were to be cancelled: their keys, or how many."""

    queued: int = 0
    """Cancelled before they were sent, free."""
    cancelled: list[str] = field(default_factory=list)
    """Cancelled at the API."""
    lost: list[str] = field(default_factory=list)
    """Named by a person, and unknown to the API or answered oddly alone: given up, with their request_id."""
    asked: list[str] = field(default_factory=list)
    """The API took the request and has not cancelled yet; a run finds out."""
    not_cancellable: list[str] = field(default_factory=list)
    """Too late: paid for, and run on at the API."""
    waiting: list[str] = field(default_factory=list)
    """Not asked of the API yet; the next run asks it."""
    by_runner: int = 0
    """At the API, and left to the runner that holds the database."""
    not_changed: list[NotChanged] = field(default_factory=list)
    api_messages: list[str] = field(default_factory=list)
    """What the API answered where that was of no use."""
    error: NightsheetError | None = None
    """Why the API could not be opened."""
    exit_code: ExitCode = ExitCode.OK

    def refuse(self, job: "JobView | OpenJob", reason: str) -> None:
        """Note why a job is not cancelled."""
        self.not_changed.append(NotChanged(job.key, job.state.value, reason))

    @property
    def is_empty(self) -> bool:
        """Whether no job was cancelled, or is to be."""
        return not (
            self.queued or self.cancelled or self.lost or self.asked or self.by_runner or self.waiting
        )


async def cancel(
    store: "Store",
    batch: "BatchView",
    keys: Sequence[str] | None,
    *,
    clock: "Clock",
    open_api: "OpenApi",
    notice: Callable[[str], None],
) -> CancelResult:
    """Cancel the jobs of these keys; None cancels the whole batch.

    Raises:
        LockHeld: another command holds the database; what was not sent is cancelled all the same.
        UsageProblem: the batch has no such key; nothing was changed.
    """
    result, asked = await request_cancel(store, batch, keys)
    if asked:
        hold = holding(store, command="cancel", batch=batch.name, clock=clock, notice=notice)
        async with hold as held:
            other = held.other
            if other is None:
                for job_cut_off in await store.jobs.in_state(batch.id, [JobState.SUBMITTING], keys):
                    result.refuse(job_cut_off, _UNCONFIRMED)
                await _cancel_at_api(store, batch, open_api, clock, result, named=frozenset(keys or ()))
            elif other.makes_room_soon:
                raise LockHeld(
                    f"{other} still holds {store.database.shown}.",
                    hint="What was not sent is cancelled; the next run cancels what waits at the API.",
                )
            elif other.batch in {"", batch.name}:
                result.by_runner = asked
            else:
                result.waiting = [job.key for job in await _cancel_requested(store, batch)]
    if keys is not None and result.is_empty and result.exit_code is ExitCode.OK:
        result.exit_code = ExitCode.INCOMPLETE
    return result


async def request_cancel(
    store: "Store", batch: "BatchView", keys: Sequence[str] | None
) -> tuple[CancelResult, int]:
    """Cancel what was not sent, and note the wish for what is at the API, which a run or `cancel` asks then.

    Returns also how many these are.

    Raises:
        UsageProblem: the batch has no such key; nothing was changed.
    """
    result = CancelResult()
    for job in () if keys is None else await jobs_named(store, batch, keys):
        if job.state not in _CANCELLABLE:
            result.refuse(job, f"it is {job.state}")
    cancelling = await store.jobs.cancel(batch.id, keys)
    result.queued = cancelling.queued
    return result, cancelling.asked


async def _cancel_requested(store: "Store", batch: "BatchView") -> list["OpenJob"]:
    found = [await store.jobs.open_job(job_id) for job_id in await store.jobs.cancel_wanted(batch.id)]
    return [job for job in found if job is not None and job.state is JobState.RUNNING]


async def _cancel_at_api(
    store: "Store",
    batch: "BatchView",
    open_api: "OpenApi",
    clock: "Clock",
    result: CancelResult,
    *,
    named: frozenset[str],
) -> None:
    """Ask the API ourselves, as no runner does; ends with the first answer that makes asking on useless.

    `named` are the keys that a person named.
    """
    jobs = await _cancel_requested(store, batch)
    result.waiting = [job.key for job in jobs]
    try:
        async with open_api() as api:
            for job in jobs:
                if not await _cancel_one(store, api, clock, job, result, give_up=job.key in named):
                    return
    except NightsheetError as error:
        result.error, result.exit_code = error, error.exit_code


async def _cancel_one(
    store: "Store", api: "Api", clock: "Clock", job: "OpenJob", result: CancelResult, *, give_up: bool
) -> bool:
    """Cancel one job at the API; whether asking about the others is of any use.

    `give_up`: end it as lost if the API does not know it, or answers oddly about it alone.
    """
    verdict = await api.provider.cancel(job.request_id)
    if give_up and _may_be_lost(verdict) and not _is_new(clock, job):
        failure = await _why_lost(api, await api.provider.status(job.request_id))
        if failure is not None:
            await _give_up(store, clock, job, failure, result)
            result.waiting.remove(job.key)
            return True
    match verdict:
        case CancelTaken():
            await _see_what_came_of_it(store, api, clock, job, result, give_up=give_up)
        case NotCancellable():
            await store.jobs.drop_cancel_request(job.id)
            result.not_cancellable.append(job.key)
        case UnknownId(message=message):
            await store.jobs.drop_cancel_request(job.id)
            why = f"the API does not know its request ({message.rstrip('.')}): resume polls it on"
            result.refuse(job, why if give_up else f"{why}, cancel --job KEY gives it up")
        case Stopped(message=message, reason=reason):
            result.api_messages.append(f"The API refuses ({reason}): {message}")
            result.exit_code = exit_code_of(reason)
            return False
        case CallFailed(
            http_status=int(), reason=reason, alone=alone
        ):  # perhaps about this job alone: ask on
            way_out = f": cancel --job {job.key} gives it up" if alone and not give_up else ""
            result.api_messages.append(f"Job {job.key!r}: the API gave no useful answer: {reason}{way_out}")
            result.exit_code = ExitCode.UNREACHABLE
            return True
        case failed:
            result.api_messages.append(f"The API gave no useful answer: {failed.reason}")
            result.exit_code = ExitCode.UNREACHABLE
            return False
    result.waiting.remove(job.key)
    return True


async def _see_what_came_of_it(
    store: "Store", api: "Api", clock: "Clock", job: "OpenJob", result: CancelResult, *, give_up: bool
) -> None:
    """What the status says of a cancel that was taken: a job that runs on is paid for, and is fetched."""
    status = await api.provider.status(job.request_id)
    match status:
        case RemoteStatusReport(status=RemoteStatus.CANCELLED):
            failure = Failure(FailureKind.CANCELLED, "Cancelled at the API, by a person.")
            if await store.jobs.apply(Cancelled(job.id, failure, clock.now())):
                result.cancelled.append(job.key)
        case _ if give_up and not _is_new(clock, job) and (why := await _why_lost(api, status)):
            await _give_up(store, clock, job, why, result)
        case _:
            await store.jobs.drop_cancel_request(job.id)
            result.asked.append(job.key)


def _may_be_lost(verdict: CancelVerdict) -> bool:
    """Whether this answer to a cancel leaves it open that the API says nothing of use about that id any more.

    Where no answer comes at all, or the account is refused, it says nothing about the id.
    """
    match verdict:
        case NotCancellable() | UnknownId() | CallFailed(http_status=int()) | CallFailed(alone=True):
            return True
        case _:
            return False


async def _why_lost(api: "Api", status: StatusVerdict) -> Failure | None:
    """Why a job that a person gives up is lost; None where its status says that it may not be."""
    match status:
        case UnknownId():
            return lost(status)
        case CallFailed(http_status=int(), alone=False) if not await _answers_others(api):
            return None
        case CallFailed(http_status=int()) | CallFailed(alone=True):
            reason = status.reason.rstrip(".")
            return Failure(
                FailureKind.LOST, f"The API gives no useful answer about its request_id: {reason}."
            )
        case _:
            return None


async def _answers_others(api: "Api") -> bool:
    """Whether the API answers about a request that nobody has: then its trouble is one request's own."""
    return isinstance(await api.provider.status(str(uuid4())), UnknownId | RemoteStatusReport)


async def _give_up(
    store: "Store", clock: "Clock", job: "OpenJob", failure: Failure, result: CancelResult
) -> None:
    if await store.jobs.apply(RemoteFailed(job.id, failure, None, clock.now())):
        result.lost.append(job.key)


def _is_new(clock: "Clock", job: "OpenJob") -> bool:
    """Whether it is in its first minute, when an id that is not known says nothing.

    A clock that was set back would make that minute last for years: a submit in the future is an old one.
    """
    return 0 <= (clock.now() - job.submitted_at).total_seconds() <= UNKNOWN_AFTER_SECONDS
