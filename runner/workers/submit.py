"""The submit edge: where money is spent. The intent is committed, then one POST, then its answer is committed
before anything else is done; all three shielded from cancellation, and nothing else is.
"""

import hashlib
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import anyio
from anyio import to_thread

from jobs.catalog.registry import find
from jobs.errors import CannotWrite
from jobs.failures import Failure, FailureKind
from jobs.outcomes import (
    Accepted,
    Claimed,
    NotAccepted,
    Outcome,
    Refused,
    Resubmitted,
    Unanswered,
    Unsendable,
)
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.views import OpenJob, QueuedJob
from runner.backoff import Backoff
from runner.limits.brake import Reach
from runner.providers.base import CallFailed, Denied, Stopped, SubmitVerdict, Taken, TurnedAway, Unconfirmed
from runner.recovery.spool import Spooled
from runner.uploads.uploader import Sendable, Unfit
from runner.workers.context import Context, must

_UNSENT = Backoff(first=1.0, longest=30.0)


async def submit(run: Context, job: QueuedJob) -> OpenJob | None:
    """Send a queued job until it is accepted, refused or in doubt; what the API took, or None."""
    if find(job.model) is None:  # an older or an odd database: nothing unknown goes into a URL
        failure = Failure(FailureKind.REFUSED, f"This Nightsheet does not know the model {job.model!r}.")
        await run.store.jobs.apply(Unsendable(job.id, failure, run.clock.now()))  # unless cancelled meanwhile
        return None
    estimate = run.budget.estimate(job.model, job.pictures)
    tries = 0
    while True:
        made, reserved = None, False
        with run.waiting.until_ended(job.id):
            made = await _made_ready(run, job)
            reserved = made is not None and await _reserve(run, job, estimate)
        if made is None or not reserved:
            return None
        step, begun = _Step(), False
        try:
            with run.brake.guarding(Reach.SUBMITS):
                async with AsyncExitStack() as place:
                    with run.waiting.until_ended(job.id) as ended:
                        await place.enter_async_context(run.throttle.admit())
                    if run.references.is_stale(made):  # it waited for its turn for very long
                        step = _Step(again_after_seconds=0.0)
                    begun = not ended.cancelled_caught and step.again_after_seconds is None
                    if begun:
                        with anyio.CancelScope(shield=True):
                            step = await _send(run, job, made.body, tries, estimate)
        finally:
            if not begun:  # braked, or cancelled, before it was its turn
                run.budget.release(estimate)
        if step.again_after_seconds is None:
            return step.taken
        with run.brake.guarding(Reach.SUBMITS) as braked, run.waiting.until_ended(job.id) as ended:
            await run.clock.sleep(step.again_after_seconds)
        if braked.cancelled_caught or ended.cancelled_caught:
            return None
        tries += 1


async def _made_ready(run: Context, job: QueuedJob) -> Sendable | None:
    """What is to be sent, its pictures where the API can fetch them; None where it is not sent now."""
    made: Sendable | Unfit | None = None
    with run.brake.guarding(Reach.SUBMITS):
        made = await run.references.ready(job)
    if not isinstance(made, Unfit):
        return made
    failure = Failure(FailureKind.REFUSED, made.reason)
    if await run.store.jobs.apply(Unsendable(job.id, failure, run.clock.now())):  # unless cancelled meanwhile
        run.tally.ended += 1
        run.guards.failed(job.id, failure.kind, at_submit=True)
    return None


@dataclass(frozen=True, slots=True)
class _Step:
    """What one submit came to: the API has it, or it may be sent again, or neither."""

    taken: OpenJob | None = None
    again_after_seconds: float | None = None


async def _reserve(run: Context, job: QueuedJob, estimate: Decimal | None) -> bool:
    """Set the most that it may cost aside. False where there is no room and none can come: the batch pauses.

    What is at the API may turn out cheaper than was reckoned, so as long as something is, it is waited for.
    """
    while not run.budget.reserve(estimate):
        with run.brake.guarding(Reach.SUBMITS) as waiting:
            if not await run.source.others_end(job.id):
                run.brake.pause(PauseReason.BUDGET, _over_budget(run, job, estimate))
        if waiting.cancelled_caught or run.brake.stops(Reach.SUBMITS):
            return False
    return True


async def _send(run: Context, job: QueuedJob, payload: bytes, tries: int, estimate: Decimal | None) -> _Step:
    """One submit from intent to answer. `estimate` is set aside, and released where nothing is paid."""
    try:
        run.probe("before intent")
        claimed = await run.store.jobs.claim(
            Claimed(job.id, hashlib.sha256(payload).hexdigest(), run.clock.now(), estimate)
        )
        if claimed is None:  # cancelled, or gone from the sheet, since it was read
            run.budget.release(estimate)
            return _Step()
        if _is_held_back(run):  # since the intent was begun
            now = run.clock.now()
            must(await run.store.jobs.apply(NotAccepted(job.id, now, now)), job.key)
            run.budget.release(estimate)
            return _Step(again_after_seconds=0.0)
    except CannotWrite as error:
        run.budget.release(estimate)
        run.brake.pause(PauseReason.DISK, error.message)
        return _Step()
    run.gap.look()
    run.probe("before submit")
    verdict = await run.provider.submit(job.model, payload)
    run.probe("after submit")
    try:
        wait = await _record(run, job, verdict, tries)
        taken = await run.store.jobs.open_job(job.id) if isinstance(verdict, Taken) else None
    except Exception as error:
        if isinstance(verdict, Taken):  # not even a defect may lose what is paid for
            await _spool(run, job, verdict)
        if not isinstance(error, CannotWrite):
            raise
        run.brake.pause(PauseReason.DISK, error.message)
        return _Step()
    if isinstance(verdict, TurnedAway | Denied | Stopped):
        run.budget.release(estimate)
    return _Step(taken, wait)


def _is_held_back(run: Context) -> bool:
    """Whether what is claimed must not leave. A budget that is used up stops others: this has its money."""
    if run.health.suspect:
        return True
    stop = run.brake.stop
    for_want_of_money = stop is not None and stop.reason is PauseReason.BUDGET and not run.brake.interrupted
    return run.brake.stops(Reach.SUBMITS) and not for_want_of_money


async def _record(run: Context, job: QueuedJob, verdict: SubmitVerdict, tries: int) -> float | None:
    """Commit what a submit came to; seconds until it may be sent again, None if it may not."""
    now = run.clock.now()
    match verdict:
        case Taken(request_id=request_id):
            if not await run.store.jobs.apply(Accepted(job.id, request_id, now)):
                await _doubt(
                    run, job, Unconfirmed(f"The API answered with {request_id!r}, which another job has.")
                )
                return None
            run.probe("after commit")
            run.throttle.answered()
            run.health.took()
            run.guards.accepted()
            return None
        case TurnedAway():
            wait = _wait_for(run, verdict, tries)
            available_at = now + timedelta(seconds=wait)
            must(await run.store.jobs.apply(NotAccepted(job.id, now, available_at)), job.key)
            return wait
        case Denied(failure=failure):
            run.throttle.answered()
            run.health.took()
            must(await run.store.jobs.apply(Refused(job.id, failure, now)), job.key)
            run.tally.ended += 1
            run.guards.failed(job.id, failure.kind, at_submit=True)
            return None
        case Stopped(reason=reason, message=message):
            run.brake.pause(reason, message)
            must(await run.store.jobs.apply(NotAccepted(job.id, now, now)), job.key)
            return None
        case Unconfirmed():
            await _doubt(run, job, verdict)
            return None


async def _doubt(run: Context, job: QueuedJob, verdict: Unconfirmed) -> None:
    run.health.doubt()  # before anything is awaited: no other submit may slip in between
    failure = Failure(FailureKind.UNCONFIRMED, _in_doubt(verdict.message), verdict.code)
    now = run.clock.now()
    outcomes: list[Outcome] = [Unanswered(job.id, failure, now)]
    allowed = run.tally.resubmits_left > 0
    if allowed:
        run.tally.resubmits_left -= 1  # before anything is awaited: another doubt may be under way
        outcomes.append(Resubmitted(job.id, now, automatic=True))
    try:
        must(await run.store.jobs.apply(*outcomes), job.key)
    except CannotWrite:
        run.notice(f"Job {job.key!r}: {failure.message}")
        raise
    what = "It is sent again, as the settings allow: perhaps paid twice."
    if not await run.store.jobs.those_in(JobState.QUEUED, [job.id]):
        what = "It is not sent again; `nightsheet review` decides about it."
        run.tally.resubmits_left += allowed
    run.notice(f"Job {job.key!r}: {failure.message} {what}")
    run.guards.doubted()


def _in_doubt(message: str) -> str:
    return (
        f"Sent, and no readable answer came: {message.rstrip('.')}. It may have been accepted and paid for."
    )


def _wait_for(run: Context, verdict: TurnedAway, tries: int) -> float:
    if verdict.busy:
        return run.throttle.turned_away(verdict.retry_after_seconds, verdict.reason)
    run.health.trouble(CallFailed(verdict.reason, certificate=verdict.certificate))
    return _UNSENT.jittered(tries, run.rng)


async def _spool(run: Context, job: QueuedJob, verdict: Taken) -> None:
    line = Spooled(run.batch.id, job.id, job.key, verdict.request_id, run.clock.now().isoformat())
    kept = "Even its spool file cannot be written: keep this line."
    with suppress(OSError):
        await to_thread.run_sync(run.spool.add, line)
        kept = "It is kept in the spool file, and the next run takes it up."
    run.notice(f"Job {job.key!r} was accepted as {verdict.request_id}, but the database refuses. {kept}")


def _over_budget(run: Context, job: QueuedJob, estimate: Decimal | None) -> str:
    price = "whose price is unknown" if estimate is None else f"which may cost {estimate:.2f} USD"
    return (
        f"The budget of {run.budget.limit} USD has no room for job {job.key!r}, {price}: "
        f"{run.budget.committed:.2f} USD are spent or in doubt."
    )
