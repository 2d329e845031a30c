"""Carries out what a person decided in `review`: attach, resubmit, discard."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs.errors import NightsheetError
from jobs.failures import Failure, FailureKind
from runner.cli.console import console
from runner.cli.console.errors import tell
from runner.cli.console.formatting import then
from runner.cli.steps.chosen_jobs import NOT_IN_SHEET, Left, apply_each, left_alone, price_to_send
from runner.cli.steps.consent import agrees
from runner.cli.steps.open import process_environment
from runner.humanize import count_of, price

if TYPE_CHECKING:
    from jobs.outcomes import Outcome
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView
    from runner.cli.steps.unconfirmed import UnconfirmedJobs
    from runner.clock import Clock
    from runner.providers.connect import Api
    from runner.settings import Settings

_NOT_POSSIBLE = 1
_UNREACHABLE = 69
_CHANGED = "it changed in the meantime"


@dataclass(frozen=True, slots=True)
class Decisions:
    """What is to be done with which unconfirmed job."""

    doubts: "UnconfirmedJobs"
    attach: list[tuple["JobView", str]]
    """With the request_id that the API is said to have it under."""
    resubmit: list["JobView"]
    discard: list["JobView"]


@dataclass(slots=True)
class ReviewResult:
    """What was done, and what could not be."""

    batch: "BatchView"
    doubts: "UnconfirmedJobs"
    attached: list["JobView"] = field(default_factory=list)
    resubmitted: list["JobView"] = field(default_factory=list)
    discarded: list["JobView"] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    exit_code: int = 0

    def leave(self, job: "JobView", why: str, exit_code: int = _NOT_POSSIBLE) -> None:
        """Tell why something was not possible; the gravest exit code stays."""
        self.left.append(Left(self.doubts.name(job), job.state.value, why))
        self.exit_code = max(self.exit_code, exit_code)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        low, high = price_to_send(self.batch, self.resubmitted)
        return {
            "batch": self.batch.name,
            "attached": [self.doubts.name(job) for job in self.attached],
            "resubmitted": [self.doubts.name(job) for job in self.resubmitted],
            "discarded": [self.doubts.name(job) for job in self.discarded],
            "left": [{"key": left.key, "reason": left.why} for left in self.left],
            "price": {
                "low_usd": None if low is None else float(low),
                "high_usd": None if high is None else float(high),
            },
        }

    def show(self, settings: "Settings") -> None:
        """For a person."""
        for line in left_alone("Not changed", self.left, whole=settings.verbose):
            console.message(line)
        if self.attached:
            console.result(f"{count_of(len(self.attached), 'job')} attached: will be fetched, free.")
        if self.resubmitted:
            cost = price(*price_to_send(self.batch, self.resubmitted))
            console.result(
                f"{count_of(len(self.resubmitted), 'job')} will be sent again and paid for, {cost}."
            )
        if self.discarded:
            console.result(f"{count_of(len(self.discarded), 'job')} discarded: costs nothing more.")
        if not (self.left or self.attached or self.resubmitted or self.discarded):
            console.result(f"Batch {self.batch.name}: nothing is unconfirmed.")
        if self.attached or self.resubmitted:
            console.result(f"Nothing was sent yet. Next: {then(settings, 'resume', self.batch.name)}")


async def carry_out(
    decisions: Decisions, store: "Store", batch: "BatchView", settings: "Settings", clock: "Clock"
) -> ReviewResult:
    """Do what was decided, as far as it is possible; each job for itself."""
    from jobs.outcomes import Discarded, Resubmitted

    told = ReviewResult(batch, decisions.doubts)
    if decisions.attach:
        await _attach(decisions.attach, store, settings, told)
    now = clock.now()
    again = [job for job in decisions.resubmit if job.current]
    for job in decisions.resubmit:
        if not job.current:
            told.leave(job, NOT_IN_SHEET)
    what = f"{count_of(len(again), 'submit')} may have been accepted; sending again may pay twice"
    if again and not await agrees(settings, what, *price_to_send(batch, again)):
        for job in again:
            told.leave(job, "not agreed to")
        again = []
    told.resubmitted = await _apply(store, told, again, [Resubmitted(job.id, now) for job in again])
    gone = [Discarded(job.id, _discarded(job), now) for job in decisions.discard]
    told.discarded = await _apply(store, told, decisions.discard, gone)
    return told


def _discarded(job: "JobView") -> Failure:
    before = "" if job.failure is None else f" It was: {job.failure.message}"
    code = None if job.failure is None else job.failure.code
    return Failure(FailureKind.DISCARDED, f"Let go by a person; it may have been paid for.{before}", code)


async def _apply(
    store: "Store", told: ReviewResult, jobs: list["JobView"], outcomes: "Sequence[Outcome]"
) -> list["JobView"]:
    done = await apply_each(store, outcomes)
    for job, was_possible in zip(jobs, done, strict=True):
        if not was_possible:
            told.leave(job, _CHANGED)
    return [job for job, was_possible in zip(jobs, done, strict=True) if was_possible]


async def _attach(
    pairs: list[tuple["JobView", str]], store: "Store", settings: "Settings", told: ReviewResult
) -> None:
    """Attach the ids that the API knows and that no other job has."""
    from runner.providers.connect import open_api, origin_of

    environment = process_environment()
    told.batch.check_origin(origin_of(settings, environment.env))
    free = []
    for job, request_id in pairs:
        holder = await store.ledger.holder_of(request_id)
        if holder is None:
            free.append((job, request_id))
        else:
            told.leave(job, _taken(request_id, holder))
    if not free:
        return
    try:
        async with open_api(settings, environment) as api:
            for number, (job, request_id) in enumerate(free):
                stopped = await _verify_and_attach(api, store, job, request_id, environment.clock.now(), told)
                if stopped is not None:
                    for later, _ in free[number + 1 :]:
                        told.leave(later, "the API was not asked about it any more", stopped)
                    return
    except NightsheetError as error:
        tell(error)
        for job, _ in free:
            if job not in told.attached:
                told.leave(job, error.message, error.exit_code)


async def _verify_and_attach(
    api: "Api", store: "Store", job: "JobView", request_id: str, now: datetime, told: ReviewResult
) -> int | None:
    """Attach one id, if the API knows it; an exit code where asking on is of no use."""
    from jobs.outcomes import Attached
    from runner.events.report import exit_code_of
    from runner.providers.base import RemoteStatusReport, Stopped, UnknownId

    match await api.provider.status(request_id):
        case RemoteStatusReport():
            if await store.jobs.apply(Attached(job.id, request_id, now)):
                told.attached.append(job)
            else:
                holder = await store.ledger.holder_of(request_id)  # one that was named before it, perhaps
                told.leave(job, _CHANGED if holder is None else _taken(request_id, holder))
        case UnknownId(message=message):
            told.leave(job, f"the API does not know {request_id}: {message}")
        case Stopped(reason=reason, message=message):
            code = exit_code_of(reason)
            told.leave(job, f"the API refuses ({reason}): {message}", code)
            return code
        case trouble:
            told.leave(job, f"the API gave no useful answer: {trouble.reason}", _UNREACHABLE)
            return _UNREACHABLE
    return None


def _taken(request_id: str, holder: str) -> str:
    return f"{request_id} is the request of job {holder} already"
