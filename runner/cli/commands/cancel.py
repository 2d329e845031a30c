"""`nightsheet cancel`: nothing new is submitted, and what is queued at the API is cancelled there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.errors import LockHeld, NightsheetError
from jobs.failures import Failure, FailureKind
from jobs.states import JobState
from runner.cli.console import console
from runner.cli.console.errors import tell
from runner.cli.console.formatting import then
from runner.cli.options.settings import LOOKING, BatchName
from runner.cli.options.settings import command as made
from runner.cli.steps.chosen_jobs import Left, left_alone, named
from runner.cli.steps.open import execute, opened_batch, process_environment
from runner.humanize import count_of

if TYPE_CHECKING:
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView, OpenJob
    from runner.environment import Environment
    from runner.providers.connect import Api
    from runner.settings import Settings

EXAMPLE = "nightsheet cancel first-night --job lighthouse"
_NOT_POSSIBLE = 1
_UNREACHABLE = 69
_IN_DOUBT = "it was on its way when the last run ended, and may be paid for: resume, then review"


@made(*LOOKING)
def command(
    settings: "Settings",
    batch: BatchName = None,
    job: Annotated[
        list[str] | None, typer.Option("--job", metavar="KEY", help="Only this job; may be repeated.")
    ] = None,
) -> int:
    """Cancel a batch, or some of its jobs: nothing new is sent, what waits at the API is cancelled there.

    What the API works on already is paid for: it goes on, and the next resume fetches it. Ends with exit
    code 1 if jobs were named, and none of them could be cancelled.
    """
    return execute(lambda: _cancel(settings, batch, list(dict.fromkeys(job)) if job else None))


async def _cancel(settings: "Settings", name: str | None, keys: Sequence[str] | None) -> int:
    from runner.providers.connect import origin_of
    from runner.recovery.lock import holding

    environment = process_environment()
    async with opened_batch(settings, environment.clock, name) as (store, batch):
        batch.check_origin(origin_of(settings, environment.env))
        told = CancelResult(batch.name)
        if keys is not None:
            for job in await named(store, batch, keys):
                if job.state not in {JobState.QUEUED, JobState.SUBMITTING, JobState.RUNNING}:
                    told.leave(job, f"it is {job.state}")
        met = await store.jobs.cancel(batch.id, keys)
        told.queued = met.queued
        code = 0
        if met.asked:
            async with holding(
                settings.database,
                command="cancel",
                batch=batch.name,
                clock=environment.clock,
                notice=console.message,
            ) as other:
                if other is None:
                    for cut_off in await store.jobs.in_state(batch.id, [JobState.SUBMITTING], keys):
                        told.leave(cut_off, _IN_DOUBT)
                    code = await _at_the_api(store, batch, settings, environment, told)
                elif other.makes_room_soon:
                    raise LockHeld(
                        f"{other} still holds {settings.database}.",
                        hint="What was not sent is cancelled; the next run cancels what waits at the API.",
                    )
                elif other.batch in {"", batch.name}:
                    told.by_runner = met.asked
                else:
                    told.waiting = [job.key for job in await _wanted(store, batch)]
        if settings.as_json:
            console.as_json(told.as_json())
        else:
            told.show(settings)
    return _NOT_POSSIBLE if keys is not None and told.nothing and not code else code


class CancelResult:
    """What came of it, to be told."""

    def __init__(self, batch: str) -> None:
        self.batch = batch
        self.queued = 0
        self.cancelled: list[str] = []
        self.asked: list[str] = []
        self.not_cancellable: list[str] = []
        self.waiting: list[str] = []
        self.by_runner = 0
        self.code = 0
        self.left: list[Left] = []

    def leave(self, job: "JobView | OpenJob", why: str) -> None:
        """Tell why it is not cancelled."""
        self.left.append(Left(job.key, job.state.value, why))

    @property
    def nothing(self) -> bool:
        """Whether there was not one job to cancel, nor to ask for."""
        return not (self.queued or self.cancelled or self.asked or self.by_runner or self.waiting)

    def as_json(self) -> dict[str, Any]:
        """For scripts. `asked_of_api` may be cancelled yet: a run finds out.

        `waiting` keep their request to be cancelled: the next run passes it on.
        """
        return {
            "batch": self.batch,
            "cancelled_queued": self.queued,
            "cancelled_at_api": self.cancelled,
            "asked_of_api": self.asked,
            "not_cancellable": self.not_cancellable,
            "waiting": self.waiting,
            "asked_of_runner": self.by_runner,
            "left": [{"key": left.key, "reason": left.why} for left in self.left],
        }

    def show(self, settings: "Settings") -> None:
        """For a person."""
        for line in left_alone("Not cancelled", self.left, whole=settings.verbose):
            console.message(line)
        console.result(f"{count_of(self.queued, 'job')} cancelled before being sent: free.")
        if self.cancelled:
            console.result(f"{count_of(len(self.cancelled), 'job')} cancelled at the API.")
        if self.asked:
            running = count_of(len(self.asked), "job")
            console.result(f"{running}: the API was asked, and has not cancelled yet.")
            console.result(f"See what came of it with: {then(settings, 'resume', self.batch)}")
        if self.by_runner:
            running = count_of(self.by_runner, "job")
            console.result(f"{running} at the API: the runner that holds this database cancels what it can.")
        resume = then(settings, "resume", self.batch)
        if self.not_cancellable:
            running = count_of(len(self.not_cancellable), "job")
            console.result(
                f"Too late for {running}: paid for, and run on at the API. Fetch them with: {resume}"
            )
        if self.waiting:
            running = count_of(len(self.waiting), "job")
            console.result(f"{running} could not be cancelled now. The next run tries again: {resume}")


async def _at_the_api(
    store: "Store", batch: "BatchView", settings: "Settings", environment: "Environment", told: CancelResult
) -> int:
    """Pass the requests on to the API ourselves, as no runner does; stops at the first trouble."""
    from runner.providers.connect import open_api

    jobs = await _wanted(store, batch)
    told.waiting = [job.key for job in jobs]
    try:
        async with open_api(settings, environment) as api:
            for job in jobs:
                code = await _one(store, api, environment, job, told)
                if code:
                    return code
    except NightsheetError as error:
        tell(error)
        return error.exit_code
    return told.code


async def _wanted(store: "Store", batch: "BatchView") -> list["OpenJob"]:
    found = [await store.jobs.open_job(job_id) for job_id in await store.jobs.cancel_wanted(batch.id)]
    return [job for job in found if job is not None and job.state is JobState.RUNNING]


async def _one(
    store: "Store", api: "Api", environment: "Environment", job: "OpenJob", told: CancelResult
) -> int:
    """Cancel one job at the API; an exit code where that is no use to go on with."""
    from jobs.outcomes import Cancelled
    from runner.events.report import exit_code_of
    from runner.providers.base import CallFailed, CancelTaken, NotCancellable, Stopped, UnknownId

    verdict = await api.provider.cancel(job.request_id)
    match verdict:
        case CancelTaken(done=done):
            if not await _is_cancelled(api, job, done=done):
                await store.jobs.drop_cancel_request(job.id)
                told.asked.append(job.key)
            else:
                failure = Failure(FailureKind.CANCELLED, "Cancelled at the API, by a person.")
                if await store.jobs.apply(Cancelled(job.id, failure, environment.clock.now())):
                    told.cancelled.append(job.key)
        case NotCancellable():
            await store.jobs.drop_cancel_request(job.id)
            told.not_cancellable.append(job.key)
        case UnknownId(message=message):
            await store.jobs.drop_cancel_request(job.id)
            told.leave(job, f"the API does not know its request ({message}): resume settles it")
        case Stopped(message=message, reason=reason):
            console.message(f"The API refuses ({reason}): {message}", "bold red")
            return exit_code_of(reason)
        case CallFailed(
            http_status=int(), reason=reason
        ):  # about this job alone, perhaps: the others are asked
            console.message(f"Job {job.key!r}: the API gave no useful answer: {reason}", "bold red")
            told.code = _UNREACHABLE
            return 0
        case trouble:
            console.message(f"The API gave no useful answer: {trouble.reason}", "bold red")
            return _UNREACHABLE
    told.waiting.remove(job.key)
    return 0


async def _is_cancelled(api: "Api", job: "OpenJob", *, done: bool) -> bool:
    """Whether a cancel that was taken has come about: what runs on is paid for, and not to be forgotten."""
    from runner.providers.base import RemoteStatus, RemoteStatusReport

    standing = await api.provider.status(job.request_id)
    if isinstance(standing, RemoteStatusReport) and standing.status is not None:
        over = {RemoteStatus.CANCELLED, RemoteStatus.QUEUED} if done else {RemoteStatus.CANCELLED}
        return standing.status in over
    return done
