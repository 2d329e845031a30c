"""What a worker does with a submit that got no receipt: records it, and asks for an id that was named."""

from collections.abc import Sequence
from enum import Enum, auto

from jobs.errors import CannotWrite
from jobs.failures import Failure, FailureKind
from jobs.outcomes import Accepted, LeftUnconfirmed, Outcome, Resubmitted
from jobs.states import JobState
from jobs.views import OpenJob, QueuedJob, UnconfirmedJob
from runner.limits.brake import Reach
from runner.providers.base import RemoteStatusReport, Unconfirmed, UnknownId
from runner.workers.context import LOST, Context, must

ASKED_AFTER_SECONDS = (0.0, 5.0, 10.0)
"""A new request may take some seconds to be known everywhere: it is asked for at 0, 5 and 15 s."""


class Lookup(Enum):
    """Whether the API knows a request_id."""

    KNOWN = auto()
    UNKNOWN = auto()
    UNCLEAR = auto()
    """It does not say."""


async def leave_unconfirmed(run: Context, job: QueuedJob, uid: str, verdict: Unconfirmed) -> None:
    """Commit that a submit has no receipt. One that names an id is told once that was asked for."""
    run.limits.health.submit_unconfirmed()  # before any await: no other submit may start in between
    failure = failure_of(verdict)
    left = LeftUnconfirmed(job.id, failure, run.time.clock.now(), verdict.named_id, verdict.answer, uid)
    run.limits.account.doubted(left.at)
    if verdict.named_id is None:
        await tell_unconfirmed(run, job, uid, failure, left)
        return
    try:
        must(run, await run.store.jobs.apply(left), job.key)  # lost: it is in doubt already
    except CannotWrite:
        run.notice(f"Job {job.key!r}: {failure.message}")
        raise


async def tell_unconfirmed(
    run: Context, job: QueuedJob, uid: str, failure: Failure, *before: Outcome, unclear: bool = False
) -> None:
    """Tell of the unconfirmed submit of this uid and count it; queue it again where a setting allows that.

    `before` are outcomes of the same transaction. `unclear`: the API did not say whether it knows
    the id that the answer named, so no setting has it paid for again.
    """
    outcomes = list(before)
    allowed = run.tally.resubmits_left > 0 and not unclear
    if allowed:
        run.tally.resubmits_left -= 1  # before any await: another unconfirmed submit may need one too
        outcomes.append(Resubmitted(job.id, run.time.clock.now(), automatic=True, uid=uid))
    try:
        if outcomes and must(run, await run.store.jobs.apply(*outcomes) or not before, job.key) is LOST:
            run.tally.resubmits_left += allowed
            return  # who took it over has told of it
    except CannotWrite:
        run.notice(f"Job {job.key!r}: {failure.message}")
        raise
    what = "It is sent again, as the settings allow: perhaps paid twice."
    sent_again = bool(await run.store.jobs.ids_in_state(JobState.QUEUED, [job.id]))
    if not sent_again:
        run.tally.resubmits_left += allowed
        if not await run.store.jobs.ids_in_state(JobState.UNCONFIRMED, [job.id]):
            return  # a person has decided about it meanwhile
        what = "It is not sent again; `nightsheet review` decides about it."
    run.notice(f"Job {job.key!r}: {failure.message} {what}")
    run.limits.guards.unconfirmed(job.model, sent_again=sent_again)


def failure_of(verdict: Unconfirmed) -> Failure:
    """The failure of a submit without a receipt."""
    message = (
        f"It was sent, and no usable answer came: {verdict.message.rstrip('.')}. "
        "It may have been accepted and paid for."
    )
    return Failure(FailureKind.UNCONFIRMED, message, verdict.code)


async def ask_for(run: Context, request_id: str, waits: Sequence[float] = ASKED_AFTER_SECONDS) -> Lookup:
    """Whether the API knows an id, which is free to ask; `waits` are the seconds before each question.

    It is unknown only once all questions were asked: a new one may be known everywhere after some seconds.
    """
    lookup = Lookup.UNCLEAR
    with run.limits.brake.guarding(Reach.POLLS) as asking:
        for seconds in waits:
            await run.time.clock.sleep(seconds)
            match await run.provider.status(request_id):
                case RemoteStatusReport():
                    return Lookup.KNOWN
                case UnknownId(code=code) if not (code or "").startswith("403"):
                    lookup = Lookup.UNKNOWN
                case _:
                    lookup = Lookup.UNCLEAR
    return Lookup.UNCLEAR if asking.cancelled_caught else lookup


async def take_up(run: Context, job: UnconfirmedJob) -> OpenJob | None:
    """Ask for the id that an answer of an earlier run named; the job, if the API knows it."""
    is_handle = run.provider.is_handle(job.named_id)
    if not is_handle or await ask_for(run, job.named_id, waits=(0.0,)) is not Lookup.KNOWN:
        return None
    accepted = Accepted(job.id, job.named_id, run.time.clock.now(), job.uid)
    taken = await run.store.jobs.advance(accepted)
    if taken is not None:  # else a person has decided meanwhile, or another job has the id
        run.notice(
            f"Job {job.key!r} was accepted as {job.named_id}, which its answer named: going on with it."
        )
    return taken
