"""Carries out what a person decided about unconfirmed jobs: attach, resubmit, discard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from jobs.errors import NightsheetError
from jobs.exit_codes import ExitCode, exit_code_of
from jobs.failures import Failure, FailureKind
from jobs.outcomes import Attached, Discarded, Resubmitted
from jobs.states import JobState
from runner.deciding.changes import CHANGED_MEANWHILE, NOT_AGREED, NOT_IN_SHEET, NotChanged, apply_to_each
from runner.deciding.reviewable import may_get_any_id
from runner.planning.late_submits import late_submits, why_not_yet
from runner.providers.base import RemoteStatusReport, Stopped, UnknownId

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import JobView
    from runner.clock import Clock
    from runner.deciding.changes import OpenApi
    from runner.deciding.reviewable import UnconfirmedJobs
    from runner.providers.connect import Api


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a person decided, each job at most once."""

    unconfirmed: "UnconfirmedJobs"
    attach: Sequence[tuple["JobView", str]] = ()
    """Each with the request_id that the API has it under, as the person says."""
    resubmit: Sequence["JobView"] = ()
    discard: Sequence["JobView"] = ()


@dataclass(frozen=True, slots=True)
class ReviewResult:
    """What was done, and what could not be. Results add up; the gravest exit code stays."""

    attached: tuple["JobView", ...] = ()
    resubmitted: tuple["JobView", ...] = ()
    discarded: tuple["JobView", ...] = ()
    not_changed: tuple[NotChanged, ...] = ()
    exit_code: ExitCode = ExitCode.OK
    error: NightsheetError | None = None
    """Why the API could not be opened."""

    def __add__(self, other: "ReviewResult") -> "ReviewResult":
        return ReviewResult(
            self.attached + other.attached,
            self.resubmitted + other.resubmitted,
            self.discarded + other.discarded,
            self.not_changed + other.not_changed,
            max(self.exit_code, other.exit_code),
            self.error or other.error,
        )

    @property
    def asked_in_vain(self) -> bool:
        """Whether the API gave no answer, or refused: further questions are of no use."""
        return self.exit_code > ExitCode.INCOMPLETE


async def attach(decisions: Decisions, store: "Store", open_api: "OpenApi", clock: "Clock") -> ReviewResult:
    """Attach the request_ids that the API knows and that no other job has."""
    unconfirmed, result = decisions.unconfirmed, ReviewResult()
    unclaimed = []
    for job, request_id in decisions.attach:
        holder = await store.ledger.holder_of(request_id)
        if holder is None or holder[0] == job.id:  # what was lost may be known again
            unclaimed.append((job, request_id))
        else:
            result += _not_changed(unconfirmed, [job], _claimed(request_id, holder[1]))
    if not unclaimed:
        return result
    try:
        async with open_api() as api:
            for number, (job, request_id) in enumerate(unclaimed, 1):
                answer = await _attach_one(api, store, unconfirmed, job, request_id, clock.now())
                result += answer
                if answer.asked_in_vain:
                    later = [job for job, _ in unclaimed[number:]]
                    why = "the API was not asked about it any more"
                    return result + _not_changed(unconfirmed, later, why, answer.exit_code)
    except NightsheetError as error:
        rest = [job for job, _ in unclaimed if job not in result.attached]
        result += _not_changed(unconfirmed, rest, error.message, error.exit_code)
        result += ReviewResult(error=error)
    return result


async def _attach_one(
    api: "Api",
    store: "Store",
    unconfirmed: "UnconfirmedJobs",
    job: "JobView",
    request_id: str,
    now: datetime,
) -> ReviewResult:
    match await api.provider.status(request_id):
        case RemoteStatusReport():
            if await store.jobs.apply(Attached(job.id, request_id, now)):
                return ReviewResult(attached=(job,))
            holder = await store.ledger.holder_of(request_id)  # a job that was named before it, perhaps
            return _not_changed(unconfirmed, [job], _why_not_attached(job, request_id, holder))
        case UnknownId(message=message):
            return _not_changed(unconfirmed, [job], f"the API does not know {request_id}: {message}")
        case Stopped(reason=reason, message=message):
            why = f"the API refuses ({reason}): {message}"
            return _not_changed(unconfirmed, [job], why, exit_code_of(reason))
        case failed:
            why = f"the API gave no useful answer: {failed.reason}"
            return _not_changed(unconfirmed, [job], why, ExitCode.UNREACHABLE)


def resubmittable(decisions: Decisions) -> list["JobView"]:
    """The jobs to be sent again whose rows the sheet still has: a person agrees to pay for these."""
    return [job for job in decisions.resubmit if job.current]


async def resubmit(
    decisions: Decisions, store: "Store", clock: "Clock", *, agreed: bool, submit_timeout: float
) -> ReviewResult:
    """Queue jobs again, if a person agreed to pay for them; the next run sends them.

    On a server not those whose submit may still arrive: `submit_timeout` is how long one may take.
    """
    unconfirmed, now = decisions.unconfirmed, clock.now()
    removed = [job for job in decisions.resubmit if not job.current]
    result = _not_changed(unconfirmed, removed, NOT_IN_SHEET)
    jobs = resubmittable(decisions)
    if not agreed:
        return result + _not_changed(unconfirmed, jobs, NOT_AGREED)
    late = await late_submits(store, jobs, submit_timeout)
    for job in jobs:
        if job.id in late:
            result += _not_changed(unconfirmed, [job], why_not_yet(late[job.id]))
    jobs = [job for job in jobs if job.id not in late]
    changes = await apply_to_each(store, jobs, lambda job: Resubmitted(job.id, now))
    result += ReviewResult(resubmitted=changes.changed)
    return result + _not_changed(unconfirmed, changes.unchanged, CHANGED_MEANWHILE)


async def discard(decisions: Decisions, store: "Store", clock: "Clock") -> ReviewResult:
    """Let jobs go: they end as failed, although they may have been paid for."""
    now = clock.now()
    changes = await apply_to_each(
        store, decisions.discard, lambda job: Discarded(job.id, _discarded(job), now)
    )
    result = ReviewResult(discarded=changes.changed)
    return result + _not_changed(decisions.unconfirmed, changes.unchanged, CHANGED_MEANWHILE)


def _discarded(job: "JobView") -> Failure:
    before = "" if job.failure is None else f" It was: {job.failure.message}"
    code = None if job.failure is None else job.failure.code
    return Failure(FailureKind.DISCARDED, f"Discarded by a person; it may have been paid for.{before}", code)


def _why_not_attached(job: "JobView", request_id: str, holder: tuple[int, str] | None) -> str:
    if holder is not None and holder[0] != job.id:
        return _claimed(request_id, holder[1])
    if holder is not None and job.state is JobState.UNCONFIRMED:
        return (
            f"{request_id} is an earlier request of this row: --discard its unconfirmed submit, then attach"
        )
    if may_get_any_id(job):
        return CHANGED_MEANWHILE
    if request_id == job.request_id:
        return f"{request_id} is the newest request of this row, and has ended"
    return f"no submit of this row had {request_id}, and none is without an id"


def _claimed(request_id: str, holder: str) -> str:
    return f"{request_id} is the request of job {holder} already"


def _not_changed(
    unconfirmed: "UnconfirmedJobs",
    jobs: Sequence["JobView"],
    reason: str,
    exit_code: ExitCode = ExitCode.INCOMPLETE,
) -> ReviewResult:
    if not jobs:
        return ReviewResult()
    lines = tuple(NotChanged(unconfirmed.name(job), job.state.value, reason) for job in jobs)
    return ReviewResult(not_changed=lines, exit_code=exit_code)
