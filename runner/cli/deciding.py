"""Carries out what a person decided in `review`: attach, resubmit, discard."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs.errors import NightsheetError
from jobs.failures import Failure, FailureKind
from runner.cli import render
from runner.cli.asking import agrees
from runner.cli.choosing import apply_each, price_to_send
from runner.cli.failing import tell
from runner.cli.words import many, price, then

if TYPE_CHECKING:
    from jobs.outcomes import Outcome
    from jobs.store.door import Store
    from jobs.views import BatchView, JobView
    from runner.opening import Api, Surroundings
    from runner.settings import Settings

_NOT_POSSIBLE = 1
_UNREACHABLE = 69
_CHANGED = "it changed in the meantime"


@dataclass(frozen=True, slots=True)
class Decisions:
    """What is to be done with which unconfirmed job."""

    attach: list[tuple["JobView", str]]
    """With the request_id that the API is said to have it under."""
    resubmit: list["JobView"]
    discard: list["JobView"]


@dataclass(slots=True)
class Decided:
    """What was done, and what could not be."""

    batch: "BatchView"
    attached: list[str] = field(default_factory=list)
    resubmitted: list["JobView"] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    exit_code: int = 0

    def leave(self, key: str, why: str, exit_code: int = _NOT_POSSIBLE) -> None:
        """Tell why something was not possible; the gravest exit code stays."""
        self.left.append((key, why))
        self.exit_code = max(self.exit_code, exit_code)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        low, high = price_to_send(self.batch, self.resubmitted)
        return {
            "batch": self.batch.name,
            "attached": self.attached,
            "resubmitted": [job.key for job in self.resubmitted],
            "discarded": self.discarded,
            "left": [{"key": key, "reason": why} for key, why in self.left],
            "price": {
                "low_usd": None if low is None else float(low),
                "high_usd": None if high is None else float(high),
            },
        }

    def show(self, settings: "Settings") -> None:
        """For a person."""
        for key, why in self.left:
            render.message(f"Not changed: {key}: {why}")
        if self.attached:
            render.result(f"{many(len(self.attached), 'job')} attached: will be fetched, free.")
        if self.resubmitted:
            cost = price(*price_to_send(self.batch, self.resubmitted))
            render.result(f"{many(len(self.resubmitted), 'job')} will be sent again and paid for, {cost}.")
        if self.discarded:
            render.result(f"{many(len(self.discarded), 'job')} discarded: costs nothing more.")
        if self.attached or self.resubmitted:
            render.result(f"Nothing was sent yet. Next: {then(settings, 'resume', self.batch.name)}")


async def carry_out(
    decisions: Decisions,
    store: "Store",
    batch: "BatchView",
    settings: "Settings",
    around: "Surroundings",
) -> Decided:
    """Do what was decided, as far as it is possible; each job for itself."""
    from jobs.outcomes import Discarded, Resubmitted

    told = Decided(batch)
    if decisions.attach:
        await _attach(decisions.attach, store, settings, around, told)
    now = around.clock.now()
    again = decisions.resubmit
    what = f"{many(len(again), 'submit')} may have been accepted; sending again may pay twice"
    if again and not await agrees(settings, what, *price_to_send(batch, again)):
        for job in again:
            told.leave(job.key, "not agreed to")
        again = []
    told.resubmitted = await _apply(store, told, again, [Resubmitted(job.id, now) for job in again])
    gone = decisions.discard
    let_go = await _apply(store, told, gone, [Discarded(job.id, _discarded(job), now) for job in gone])
    told.discarded = [job.key for job in let_go]
    return told


def _discarded(job: "JobView") -> Failure:
    before = "" if job.failure is None else f" It was: {job.failure.message}"
    code = None if job.failure is None else job.failure.code
    return Failure(FailureKind.DISCARDED, f"Let go by a person; it may have been paid for.{before}", code)


async def _apply(
    store: "Store", told: Decided, jobs: list["JobView"], outcomes: "list[Outcome]"
) -> list["JobView"]:
    done = await apply_each(store, outcomes)
    for job, was_possible in zip(jobs, done, strict=True):
        if not was_possible:
            told.leave(job.key, _CHANGED)
    return [job for job, was_possible in zip(jobs, done, strict=True) if was_possible]


async def _attach(
    pairs: list[tuple["JobView", str]],
    store: "Store",
    settings: "Settings",
    around: "Surroundings",
    told: Decided,
) -> None:
    """Attach the ids that the API knows and that no other job has."""
    from jobs.store.door import check_origin
    from runner.opening import open_api, origin_of

    check_origin(told.batch, origin_of(settings, around.env))
    free = []
    for job, request_id in pairs:
        holder = await store.holder_of(request_id)
        if holder is None:
            free.append((job, request_id))
        else:
            told.leave(job.key, f"{request_id} is the request of job {holder} already")
    if not free:
        return
    try:
        async with open_api(settings, around) as api:
            for number, (job, request_id) in enumerate(free):
                stopped = await _verify_and_attach(api, store, job, request_id, around.clock.now(), told)
                if stopped is not None:
                    for later, _ in free[number + 1 :]:
                        told.leave(later.key, "the API was not asked about it any more", stopped)
                    return
    except NightsheetError as error:
        tell(error)
        for job, _ in free:
            if job.key not in told.attached:
                told.leave(job.key, error.message, error.exit_code)


async def _verify_and_attach(
    api: "Api", store: "Store", job: "JobView", request_id: str, now: datetime, told: Decided
) -> int | None:
    """Attach one id, if the API knows it; an exit code where asking on is of no use."""
    from jobs.outcomes import Attached
    from runner.providers.base import Standing, Stopped, UnknownId
    from runner.report import exit_code_of

    match await api.provider.status(request_id):
        case Standing():
            if await store.apply(Attached(job.id, request_id, now)):
                told.attached.append(job.key)
            else:
                told.leave(job.key, _CHANGED)
        case UnknownId(message=message):
            told.leave(job.key, f"the API does not know {request_id}: {message}")
        case Stopped(reason=reason, message=message):
            code = exit_code_of(reason)
            told.leave(job.key, f"the API refuses ({reason}): {message}", code)
            return code
        case trouble:
            told.leave(job.key, f"the API gave no useful answer: {trouble.reason}", _UNREACHABLE)
            return _UNREACHABLE
    return None
