"""The submit edge, where money is spent.

The intent is committed, one POST is sent, and its answer is committed before anything else is done. These
three steps are shielded from cancellation, and nothing else is.
"""

import hashlib
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import anyio

from jobs.admission import NotAdmitted
from jobs.attempts import Intent
from jobs.catalog.registry import find
from jobs.errors import CannotWrite, LockLost
from jobs.failures import Failure, FailureKind
from jobs.outcomes import (
    Accepted,
    Claimed,
    NotAccepted,
    Refused,
    Unsendable,
)
from jobs.pauses import PauseReason
from jobs.submit_record import Answered, SubmitEnd
from jobs.views import OpenJob, QueuedJob
from runner.backoff import Backoff
from runner.limits.brake import Reach
from runner.limits.budget import Reservation
from runner.providers.base import CallFailed, Denied, Stopped, SubmitVerdict, Taken, TurnedAway, Unconfirmed
from runner.uploads.uploader import Sendable, Unfit
from runner.workers.context import LOST, Context, must
from runner.workers.edge.intent import new_uid, put_down, take_back
from runner.workers.edge.journaling import end_of, keep_receipt
from runner.workers.edge.money import no_room, reserve, reserve_now
from runner.workers.edge.unconfirmed import Lookup, ask_for, failure_of, leave_unconfirmed, tell_unconfirmed

MOST_UNPROVEN = 3
"""How often in a row, over all runs, a row is sent again because of a 408, 425 or 503 that said "later"."""
_ASK_AGAIN_SECONDS = 1.0
_UNSENT = Backoff(first=1.0, longest=30.0)


@dataclass(frozen=True, slots=True)
class _Again:
    """The job is not at the API, as far as is known: it may be sent again after some seconds."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class _Named:
    """The answer was no receipt, and named an id: the API is asked whether it knows that."""

    uid: str
    """The attempt's."""
    request_id: str
    verdict: Unconfirmed


async def submit(run: Context, job: QueuedJob) -> OpenJob | None:
    """Send a queued job until it is accepted, refused or unconfirmed; return it if the API accepted it."""
    if find(job.model) is None:  # an older or a damaged database: no unknown text goes into a URL
        failure = Failure(FailureKind.REFUSED, f"This Nightsheet does not know the model {job.model!r}.")
        await _end_unsent(run, job, failure)
        return None
    tries = 0  # how often it was not accepted, in this run
    while True:
        prepared = await _prepare(run, job)
        if prepared is None:
            return None
        match await _try(run, job, *prepared, tries):
            case _Again(after_seconds=seconds):
                if not await _wait(run, job, seconds):
                    return None
                tries += 1
            case NotAdmitted(is_final=True) as refused:
                run.limits.brake.pause(PauseReason.BUDGET, no_room(job, refused))
                return None
            case NotAdmitted():
                pass  # it stands in line before it is tried again
            case accepted:
                return accepted


async def _prepare(run: Context, job: QueuedJob) -> tuple[Sendable, Reservation] | None:
    """The request and the money reserved for it; None where the job is not sent now."""
    sendable = run.images.uploader.at_once(job)
    if sendable is not None and (money := reserve_now(run, job)) is not None:
        return sendable, money  # as almost always: there is nothing to wait for
    with run.queue.pending.until_ended(job.id):
        sendable = await _made_sendable(run, job)
        money = await reserve(run, job) if sendable is not None else None
        if sendable is not None and money is not None:
            return sendable, money
    return None


async def _try(
    run: Context, job: QueuedJob, sendable: Sendable, money: Reservation, tries: int
) -> OpenJob | _Again | NotAdmitted | None:
    """Send a job once, in its turn: the accepted job, `_Again` if it may be repeated, None for neither.

    Or the limit of its account that does not let it go.
    """
    result: OpenJob | _Again | _Named | NotAdmitted | None = None
    with money, run.limits.account.place(job.id), run.limits.brake.guarding(Reach.SUBMITS):
        async with AsyncExitStack() as turn:
            with run.queue.pending.until_ended(job.id) as ended:
                await run.limits.account.ready(job.id)
                await turn.enter_async_context(run.limits.throttle.admit(job.id))
            if ended.cancelled_caught:
                pass
            elif run.images.uploader.is_stale(sendable):
                result = _Again(0.0)  # it waited so long that its URLs are about to expire
            else:
                with anyio.CancelScope(shield=True):
                    result = await _send(run, job, sendable.body, tries, money)
    # Not from inside the blocks: a brake pulled now must not swallow the result.
    return await _settle_named(run, job, result, tries, money) if isinstance(result, _Named) else result


async def _settle_named(
    run: Context, job: QueuedJob, named: _Named, tries: int, money: Reservation
) -> OpenJob | _Again | None:
    """Ask the API for an id that stands in an answer to a submit, and record what follows."""
    lookup = await ask_for(run, named.request_id)
    now = run.time.clock.now()
    if lookup is Lookup.KNOWN:
        run.journal.ended(named.uid, SubmitEnd(Answered.ACCEPTED, now, named.request_id))
        taken = await run.store.jobs.advance(Accepted(job.id, named.request_id, now, named.uid))
        if taken is not None:
            run.journal.settle(named.uid)
            _count_accepted(run, job)
            return taken
    elif lookup is Lookup.UNKNOWN and (turned_away := named.verdict.if_unknown) is not None:
        run.journal.ended(named.uid, SubmitEnd(Answered.TURNED_AWAY, now))
        wait = _wait_for(run, job, turned_away, tries)
        if await run.store.jobs.apply(_turned_away(job, named.uid, turned_away, now, wait)):
            run.journal.settle(named.uid)
            money.give_back()
            return _Again(wait)
    unclear = lookup is not Lookup.UNKNOWN
    await tell_unconfirmed(run, job, named.uid, failure_of(named.verdict), unclear=unclear)
    return None


async def _wait(run: Context, job: QueuedJob, seconds: float) -> bool:
    """Wait until the job may be sent again; False where it is no longer to be sent."""
    with run.limits.brake.guarding(Reach.SUBMITS) as braked, run.queue.pending.until_ended(job.id) as ended:
        await run.time.clock.sleep(seconds)
    return not (braked.cancelled_caught or ended.cancelled_caught)


async def _made_sendable(run: Context, job: QueuedJob) -> Sendable | None:
    """The request, with local images where the API can fetch them; None where the job is not sent now."""
    made: Sendable | Unfit | None = None
    with run.limits.brake.guarding(Reach.SUBMITS):
        made = await run.images.uploader.ready(job)
    if not isinstance(made, Unfit):
        return made
    failure = Failure(FailureKind.REFUSED, made.reason)
    await _end_unsent(run, job, failure)
    return None


async def _end_unsent(run: Context, job: QueuedJob, failure: Failure) -> None:
    """End a job that can never be sent, unpaid, unless it was cancelled meanwhile."""
    if await run.store.jobs.apply(Unsendable(job.id, failure, run.time.clock.now())):
        run.tally.ended += 1
        run.limits.guards.failed(job.model, failure.kind, at_submit=True)


async def _send(
    run: Context, job: QueuedJob, payload: bytes, tries: int, money: Reservation
) -> OpenJob | _Again | _Named | NotAdmitted | None:
    """One submit, from intent to recorded answer. `money` is spent unless it is surely not accepted."""
    now = run.time.clock.now()
    uid = new_uid(run, job, now)
    claimed = Claimed(job.id, uid, hashlib.sha256(payload).hexdigest(), now, money.estimate)
    try:
        await run.files.ready()
        begun = run.time.clock.monotonic()
        intent = await put_down(run, job, claimed)
        if not isinstance(intent, Intent):
            return intent
        if _is_held_back(run):  # paused while the intent was being written
            await take_back(run, job, uid)
            return _Again(0.0)
        if run.elsewhere is not None and run.elsewhere.has(job):  # it sees this intent as well
            await take_back(run, job, uid)
            await run.elsewhere.hold(run.store, run.batch, job, run.time.clock, run.notice)
            return _Again(_ASK_AGAIN_SECONDS)  # if it did not leave there either
        if run.files.is_late(begun):  # this process stood still, and another one may have taken over
            await take_back(run, job, uid)
            return _Again(0.0)
    except LockLost as error:
        run.files.lose(error)
        run.limits.brake.interrupt(Reach.DOWNLOADS)
        return None
    except CannotWrite as error:
        run.limits.brake.pause(error.pause, error.message)
        return None
    run.time.jumps.look()
    run.probe("before submit")
    money.spend()
    answered = await run.provider.submit(job.model, payload, partial(run.files.is_late, begun))
    verdict = _believed(answered, intent.unproven)
    run.probe("after submit")
    try:
        recorded = await _record(run, job, uid, verdict, tries)
    except Exception as error:
        if isinstance(verdict, Taken):  # not even a defect may lose a paid request
            await keep_receipt(run, job, uid, verdict)
        if not isinstance(error, CannotWrite):
            raise
        run.limits.brake.pause(error.pause, error.message)
        return None
    if isinstance(verdict, TurnedAway | Denied | Stopped):
        money.give_back()
    if isinstance(verdict, Unconfirmed) and verdict.named_id is not None:
        return _Named(uid, verdict.named_id, verdict)
    return recorded


def _believed(verdict: SubmitVerdict, unproven: int) -> SubmitVerdict:
    """The verdict; but a "later" that nothing proves is no longer believed after some in a row.

    A gateway that says so after each accepted submit would have every row bought again and again. The table
    counts them: a run may be started again and again as well.
    """
    if isinstance(verdict, TurnedAway) and not verdict.proven and unproven >= MOST_UNPROVEN:
        told = f"The answer was more than {MOST_UNPROVEN} times in a row: {verdict.reason}"
        return Unconfirmed(told, answer=verdict.answer)
    return verdict


def _is_held_back(run: Context) -> bool:
    """Whether a claimed job must not be sent. An exhausted budget does not stop it: its money is reserved."""
    if run.limits.health.suspect:
        return True
    stop = run.limits.brake.stop
    for_want_of_money = (
        stop is not None and stop.reason is PauseReason.BUDGET and not run.limits.brake.interrupted
    )
    return run.limits.brake.stops(Reach.SUBMITS) and not for_want_of_money


async def _record(
    run: Context, job: QueuedJob, uid: str, verdict: SubmitVerdict, tries: int
) -> OpenJob | _Again | None:
    """Commit the outcome of a submit: the accepted job, `_Again` if it may be repeated, None for neither."""
    now = run.time.clock.now()
    if (end := end_of(verdict, now)) is not None:
        run.journal.ended(uid, end)
        run.probe("after end")
    match verdict:
        case Taken(request_id=request_id):
            taken = await run.store.jobs.advance(Accepted(job.id, request_id, now, uid))
            if taken is None:
                await _not_taken(run, job, uid, request_id)
                return None
            run.probe("after commit")
            run.journal.settle(uid)
            _count_accepted(run, job)
            return taken
        case TurnedAway():
            wait = _wait_for(run, job, verdict, tries)
            applied = await run.store.jobs.apply(_turned_away(job, uid, verdict, now, wait))
            run.journal.settle(uid)
            if must(run, applied, job.key) is LOST:
                return None
            if verdict.busy and wait:
                # For the other runs of the account: this one waits by itself. What came of the submit is
                # recorded, and whatever refuses the note refuses the next intent, which pauses.
                with suppress(CannotWrite):
                    await run.store.accounts.cool_down(run.limits.account.account_id, wait)
            return _Again(wait)
        case Denied(failure=failure):
            run.limits.throttle.answered()
            run.limits.health.submit_answered()
            refused = await run.store.jobs.apply(Refused(job.id, failure, now, verdict.answer, uid))
            run.journal.settle(uid)
            if must(run, refused, job.key) is LOST:
                return None
            run.tally.ended += 1
            run.notice(f"Job {job.key!r} failed ({failure.kind}, not paid): {failure.said}")
            run.limits.guards.failed(job.model, failure.kind, at_submit=True)
            return None
        case Stopped(reason=reason, message=message):
            run.limits.brake.pause(reason, message)
            turned_away = NotAccepted(job.id, now, now, message, verdict.answer, uid=uid)
            must(run, await run.store.jobs.apply(turned_away), job.key)
            run.journal.settle(uid)
            return None
        case Unconfirmed():
            await leave_unconfirmed(run, job, uid, verdict)
            return None


def _count_accepted(run: Context, job: QueuedJob) -> None:
    run.limits.in_flight.begun(job.id)
    run.limits.throttle.answered()
    run.limits.health.submit_answered()
    run.limits.guards.accepted()
    run.known_ids.submit_taken()


def _turned_away(job: QueuedJob, uid: str, verdict: TurnedAway, now: datetime, wait: float) -> NotAccepted:
    """What follows where a submit was not sent, or turned away: the latter stays in the ledger."""
    told = verdict.reason if verdict.busy else None
    until = now + timedelta(seconds=wait)
    return NotAccepted(job.id, now, until, told, verdict.answer, verdict.proven, uid)


async def _not_taken(run: Context, job: QueuedJob, uid: str, request_id: str) -> None:
    """The table does not take a receipt: another job has its id, or the job has changed under this run.

    Raises:
        CannotWrite: the job has changed; the receipt is to be kept elsewhere.
    """
    holder = await run.store.ledger.holder_of(request_id)
    if holder is None:
        by = ": another runner has it now" if run.files.is_shared else ", which nothing but it should do"
        raise CannotWrite(f"Job {job.key!r} changed under this run{by}.")
    if run.files.is_shared and holder[0] == job.id:
        return  # another run on this machine has read it in the journal
    told = f"The API answered with {request_id!r}, which job {holder[1]!r} has"
    await leave_unconfirmed(run, job, uid, Unconfirmed(told))


def _wait_for(run: Context, job: QueuedJob, verdict: TurnedAway, tries: int) -> float:
    if verdict.busy:
        return run.limits.throttle.turned_away(job.id, verdict)
    run.limits.health.call_failed(CallFailed(verdict.reason, certificate=verdict.certificate))
    return _UNSENT.jittered(tries, run.time.rng)
