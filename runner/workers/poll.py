"""Polls a job until it ends at the API. Every call is free, so every failed call is retried."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus

from jobs.failures import Failure, FailureKind
from jobs.outcomes import FetchFailed, Outcome, RemoteCancelled, RemoteDone, RemoteFailed, Requeued
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.views import OpenJob
from runner.backoff import Backoff
from runner.humanize import count_of
from runner.limits.brake import Reach
from runner.limits.poll_schedule import Span
from runner.providers.base import (
    CallFailed,
    RemoteStatus,
    RemoteStatusReport,
    ResultNotReady,
    ResultReady,
    RunCancelled,
    RunFailed,
    Stopped,
    UnknownId,
)
from runner.workers.context import LOST, Context, must
from runner.workers.known_ids import ANOTHER_ACCOUNT, LOST_AFTER_SECONDS, UNKNOWN_AFTER_SECONDS, lost

UNKNOWN_APART_SECONDS = 15.0
RESULT_WITHIN_SECONDS = 600.0
"""How long the result of a finished request may be missing, or be refused, until a run waits no longer."""
RESULT_TRIES_OF_FAILED = 3
"""How often the result of a failed request is asked for, where its status gave no reason."""

_TROUBLE = Backoff(first=1.0, longest=30.0)
_NO_REASON = Failure(FailureKind.REMOTE_FAILED, "The API gave no reason.")
_CANCELLED = Failure(FailureKind.CANCELLED, "It was cancelled at the API.")


@dataclass(slots=True)
class _Watch:
    """The state of one job from poll to poll. Times are monotonic, in seconds."""

    deadline: float
    submitted: float
    missed: float = 0.0
    """Its age, in seconds, when a poll last found it unfinished."""
    polls: int = 0
    troubles: int = 0
    unknown_since: float | None = None
    results: int = 0
    is_lost: bool = False
    """Whether another runner has taken it over."""
    fetching: OpenJob | None = None
    """The job with the URLs of its images, once the API has told them."""
    done_since: float | None = None
    unknown_word: str | None = None
    last_answer: str = ""
    """What came instead of a useful answer, if the last one was not useful."""
    is_apart: bool = False
    """Whether this id alone is answered oddly: it holds up no other job."""


async def watch(run: Context, job: OpenJob, apart: Callable[[], None] = lambda: None) -> OpenJob | None:
    """Poll until the job ends at the API; return it with its images' URLs, or None if it has none.

    Also None where this run stops waiting: because of the brake, or the job's deadline. `apart` is called
    where the API does not know the id, or answers it alone oddly: it may be polled for an hour.
    """
    now = run.time.clock.monotonic()
    age = max(0.0, (run.time.clock.now() - job.submitted_at).total_seconds())
    state = _Watch(deadline=now + run.timing.deadline, submitted=now - age)
    if not run.provider.is_handle(job.request_id):  # an odd database: nothing unknown goes into a URL
        failure = Failure(FailureKind.LOST, "What the database holds is no request_id.")
        await _end(run, job, state, failure, None)
        return None
    with run.limits.brake.guarding(Reach.POLLS):
        await run.time.clock.sleep(_first_poll_in(run, job, age))
        while True:
            if run.limits.health.suspect:
                await run.limits.health.ready_in_turn(run.timing.poll_max)
            wait = await _poll(run, job, state)
            if state.is_apart:
                apart()
            if state.is_lost:
                run.queue.jobs.let_go(job.id)
                return None
            if wait is None:
                return state.fetching or await run.store.jobs.open_job(job.id)
            if run.time.clock.monotonic() + wait > state.deadline:
                break
            await run.time.clock.sleep(wait)
        run.tally.overdue += 1
        run.notice(_waits_no_longer(run, job, state))
    return None


def _waits_no_longer(run: Context, job: OpenJob, state: _Watch) -> str:
    text = f"Job {job.key!r} has not ended at the API after {run.timing.deadline:g} s"
    if state.done_since is not None:
        minutes = count_of(max(1, round((run.time.clock.monotonic() - state.done_since) / 60)), "minute")
        text = f"Job {job.key!r} is done at the API, but its result has not come for {minutes}"
    if state.last_answer:
        text += f" (the API's last answer: {state.last_answer})"
    text += ": this run waits no longer. Nothing is lost, the next run asks again."
    if state.unknown_since is not None:
        text += " `nightsheet cancel --job KEY` gives it up as lost."
    return text


async def _poll(run: Context, job: OpenJob, state: _Watch) -> float | None:
    """Poll once; return the seconds until the next poll, None if the job has left `running`."""
    await run.polling.pace.turn()
    standing = await run.provider.status(job.request_id)
    _tell_the_pace(run, standing)
    match standing:
        case RemoteStatusReport(status=RemoteStatus.DONE | RemoteStatus.FAILED as status):
            _known(run, job, state)
            return await _result(run, job, state, standing if status is RemoteStatus.FAILED else None)
        case RemoteStatusReport(status=RemoteStatus.CANCELLED):
            await _cancelled(run, job, state)
            return None
        case RemoteStatusReport():
            _known(run, job, state)
            state.troubles, state.done_since, state.last_answer = 0, None, ""
            state.missed = run.time.clock.monotonic() - state.submitted
            run.limits.in_flight.polled(job.id, waits=standing.status is RemoteStatus.QUEUED)
            if standing.status is None and state.unknown_word != standing.word:
                state.unknown_word = standing.word
                run.notice(
                    f"Job {job.key!r}: the API says {standing.word!r}, which Nightsheet does not know. "
                    "It keeps asking."
                )
            return max(_next_poll_in(run, job, state), _begins_in(run, job, standing))
        case UnknownId():
            return await _unknown(run, job, state, standing)
        case Stopped():
            return _stopped(run, state, standing)
        case CallFailed():
            return _trouble(run, state, standing)


def _tell_the_pace(run: Context, answer: object) -> None:
    """A 429, or a 503 that says when to ask again, is about all polls and not about this one."""
    if not isinstance(answer, CallFailed) or answer.alone:
        run.polling.pace.answered()
    elif answer.http_status == HTTPStatus.TOO_MANY_REQUESTS or (
        answer.http_status == HTTPStatus.SERVICE_UNAVAILABLE and answer.retry_after_seconds is not None
    ):
        run.polling.pace.turned_away(answer.retry_after_seconds)


async def _result(
    run: Context, job: OpenJob, state: _Watch, failed: RemoteStatusReport | None
) -> float | None:
    """Ask for the result of a request that has ended. `failed` is its status if that reports a failure."""
    now = run.time.clock.monotonic()
    state.done_since = now if state.done_since is None else state.done_since
    state.results += 1
    await run.polling.pace.turn()
    result = await run.provider.result(job.request_id)
    _tell_the_pace(run, result)
    reason = None if failed is None else failed.failure
    match result:
        case ResultReady(urls=urls, cost_usd=cost, failure=failure):
            run.limits.health.answered()
            run.limits.budget.settle(job.counted_usd, cost)
            done = RemoteDone(job.id, urls, cost, _seen_to_end(run, job, state, state.done_since))
            if failure is None:
                fetching = must(run, await run.store.jobs.advance(done), job.key)
                if fetching is LOST:
                    state.is_lost = True
                else:
                    state.fetching = fetching
            else:
                await _end_without_images(run, job, state, done, failure)
            return None
        case RunFailed(failure=failure, cost_usd=cost):
            run.limits.health.answered()
            run.limits.budget.settle(job.counted_usd, cost)
            await _end(run, job, state, _why(reason, failure), cost)
            return None
        case RunCancelled():
            await _cancelled(run, job, state)
            return None
        case Stopped():
            return _stopped(run, state, result)
        case ResultNotReady() | UnknownId() | CallFailed(http_status=int()) if failed is not None:
            # A failed run may have no result; its status has the facts.
            if reason is None and isinstance(result, CallFailed) and state.results < RESULT_TRIES_OF_FAILED:
                return _trouble(run, state, result)
            await _end(run, job, state, _why(reason), None)
            return None
        case UnknownId():  # the status knows the id: the API knows this account's
            state.last_answer = _in_words(result)
            if now - state.done_since < LOST_AFTER_SECONDS:
                return _next_poll_in(run, job, state)
            await _end(run, job, state, lost(result), None)
            return None
        case ResultNotReady(word=word):
            state.last_answer = f"the result is {word!r}"
            if now - state.done_since >= RESULT_WITHIN_SECONDS:
                state.deadline = now
            return _next_poll_in(run, job, state)
        case CallFailed():
            if _is_refusal(result) and now - state.done_since >= RESULT_WITHIN_SECONDS:
                state.deadline = now
            return _trouble(run, state, result)


def _is_refusal(result: CallFailed) -> bool:
    """Whether somebody refuses the result, and is not only busy."""
    is_busy = result.retry_after_seconds is not None or result.http_status in (408, 425, 429)
    return result.http_status is not None and not is_busy


def _in_words(verdict: CallFailed | UnknownId) -> str:
    """An answer for a person: its HTTP status, and what it says."""
    match verdict:
        case UnknownId(message=said, code=code):
            return f"it does not know this request ({code}: {said.rstrip('.')})"
        case CallFailed(reason=said, http_status=int(status)) if f"HTTP {status}" not in said:
            return f"HTTP {status}: {said.rstrip('.')}"
        case CallFailed(reason=said):
            return said.rstrip(".")


def _why(*given: Failure | None) -> Failure:
    """The reason of a failed run. It is moderated if either answer calls it so."""
    reasons = [failure for failure in given if failure is not None]
    moderated = (failure for failure in reasons if failure.kind is FailureKind.MODERATED)
    return next(moderated, reasons[-1] if reasons else _NO_REASON)


async def _cancelled(run: Context, job: OpenJob, state: _Watch) -> None:
    run.limits.health.answered()
    applied = await run.store.jobs.apply(RemoteCancelled(job.id, _CANCELLED, run.time.clock.now()))
    state.is_lost = must(run, applied, job.key) is LOST
    if state.is_lost:
        return
    run.tally.ended += 1
    run.notice(f"Job {job.key!r} is cancelled at the API.")


def _known(run: Context, job: OpenJob, state: _Watch) -> None:
    run.limits.health.answered()
    run.known_ids.known(job.id)
    state.unknown_since = None


async def _unknown(run: Context, job: OpenJob, state: _Watch, verdict: UnknownId) -> float | None:
    run.limits.health.answered()
    state.last_answer = _in_words(verdict)
    now = run.time.clock.monotonic()
    if state.unknown_since is None:
        state.unknown_since = now
    if now - state.submitted <= UNKNOWN_AFTER_SECONDS:
        return _TROUBLE.jittered(1, run.time.rng)
    state.is_apart = True
    if run.known_ids.is_lost(state.unknown_since):
        await _end(run, job, state, lost(verdict), None)
        return None
    if run.known_ids.speak_of_another_account(job.id, slots=run.queue.slots.total_tokens):
        run.limits.brake.pause(
            PauseReason.TOKEN,
            f"{ANOTHER_ACCOUNT} (job {job.key!r} and others: {verdict.message.rstrip('.')}). "
            "With the right token, or with this one, `nightsheet resume` asks for them again; "
            "`nightsheet cancel --job KEY` gives one up.",
        )
    return UNKNOWN_APART_SECONDS


async def _end(run: Context, job: OpenJob, state: _Watch, failure: Failure, cost: Decimal | None) -> None:
    """End a job that failed at the API. `--max-attempts` may send it again, never if it was moderated."""
    now = run.time.clock.now()
    outcomes: list[Outcome] = [RemoteFailed(job.id, failure, cost, now)]
    if failure.kind is FailureKind.REMOTE_FAILED and job.failed_runs + 1 < run.timing.max_attempts:
        outcomes.append(Requeued(job.id, now, automatic=True))
    state.is_lost = must(run, await run.store.jobs.apply(*outcomes), job.key) is LOST
    if state.is_lost:
        return
    if await run.store.jobs.ids_in_state(JobState.QUEUED, [job.id]):
        run.notice(f"Job {job.key!r} failed at the API ({failure.said}); it is submitted again.")
    else:
        run.notice(f"Job {job.key!r} failed ({failure.kind}): {failure.said}")
        run.tally.ended += 1
    run.limits.guards.failed(job.model, failure.kind)  # each was paid for, also one that is sent again


async def _end_without_images(
    run: Context, job: OpenJob, state: _Watch, done: RemoteDone, failure: Failure
) -> None:
    """End a job that is done at the API, and has no image: the API's reason is for this moment only."""
    now = run.time.clock.now()
    applied = await run.store.jobs.apply(done, FetchFailed(job.id, failure, now))
    state.is_lost = must(run, applied, job.key) is LOST
    if state.is_lost:
        return
    run.tally.ended += 1
    run.limits.guards.failed(job.model, failure.kind)
    run.notice(f"Job {job.key!r}: {failure.said} `nightsheet retry` asks for it again, which is free.")


def _stopped(run: Context, state: _Watch, verdict: Stopped) -> float:
    run.limits.brake.pause(verdict.reason, verdict.message)
    return _trouble(run, state, CallFailed(verdict.message, answered=True))


def _trouble(run: Context, state: _Watch, verdict: CallFailed) -> float:
    state.troubles += 1
    state.last_answer = _in_words(verdict)
    if verdict.alone:
        run.limits.health.answered()
        state.is_apart = True
    elif state.troubles > 1 or verdict.certificate:  # one lost answer says nothing about the API
        run.limits.health.call_failed(verdict)
    wait = _TROUBLE.jittered(state.troubles - 1, run.time.rng)
    return max(wait, verdict.retry_after_seconds or 0.0)


def _first_poll_in(run: Context, job: OpenJob, age: float) -> float:
    """Seconds until the first poll of this run. What an earlier run left is asked about soon, not at once."""
    soon = run.timing.polls.jittered(0, run.time.rng)
    learned = run.polling.learned.wait(job.model, age)
    return soon if learned is None or age > run.timing.poll_max else learned


def _next_poll_in(run: Context, job: OpenJob, state: _Watch) -> float:
    learned = run.polling.learned.wait(job.model, run.time.clock.monotonic() - state.submitted)
    if learned is not None:
        return learned
    waits = run.timing.polls
    wait = waits.jittered(state.polls, run.time.rng)
    state.polls += 1
    return max(wait, waits.first)


def _begins_in(run: Context, job: OpenJob, report: RemoteStatusReport) -> float:
    """Seconds in which a job that waits in the API's queue cannot end, at most `poll_max`; 0 if unknown."""
    if report.status is not RemoteStatus.QUEUED or report.queue_position is None:
        run.polling.queue.forget(job.id)
        return 0.0
    now = run.time.clock.monotonic()
    wait = run.polling.queue.told(job.model, job.id, report.queue_position, now)
    return min(wait, run.timing.poll_max)


def _seen_to_end(run: Context, job: OpenJob, state: _Watch, done_since: float) -> datetime | None:
    """When the job was first found done, where the poll before it was not long ago: something to learn."""
    span = Span(state.missed, done_since - state.submitted)
    if not run.polling.learned.ended(job.model, span):
        return None
    return run.time.clock.now() - timedelta(seconds=run.time.clock.monotonic() - done_since)
