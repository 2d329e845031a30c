"""`nightsheet retry`: give failed and cancelled jobs another chance. Sends nothing itself."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.failures import FailureKind
from jobs.states import JobState
from jobs.stored_files import missing_files
from runner.cli.console import console
from runner.cli.console.formatting import then
from runner.cli.options.settings import CHANGING, BatchName
from runner.cli.options.settings import command as made
from runner.cli.steps.chosen_jobs import NOT_IN_SHEET, Left, apply_each, left_alone, named, price_to_send
from runner.cli.steps.consent import agrees
from runner.cli.steps.open import execute, opened_batch, system_clock
from runner.humanize import count_of, price

if TYPE_CHECKING:
    from jobs.outcomes import Outcome
    from jobs.store.store import Store
    from jobs.views import BatchView, JobView
    from runner.settings import Settings

EXAMPLE = "nightsheet retry first-night --kind remote_failed"

ONLY_IF_NAMED = frozenset({FailureKind.MODERATED, FailureKind.DISCARDED, FailureKind.CANCELLED})
"""Left out unless named by --kind or --job: content rules, and what a person decided."""
_KINDS = tuple(kind for kind in FailureKind if kind is not FailureKind.UNCONFIRMED)
"""Those that can be retried; of an unconfirmed job `review` decides."""
_BRINGS_NOTHING = frozenset({JobState.FAILED, JobState.CANCELLED})


@dataclass(slots=True)
class RetryPlan:
    """The jobs that can be retried, and those that cannot with the reason."""

    free: list["JobView"] = field(default_factory=list)
    linked: list["JobView"] = field(default_factory=list)
    """Wait for another's result once more."""
    paid: list["JobView"] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.free or self.paid or self.linked)

    def leave(self, job: "JobView", why: str) -> None:
        """Tell why it is not retried."""
        self.left.append(Left(job.key, job.state.value, why))


@made(*CHANGING)
def command(
    settings: "Settings",
    batch: BatchName = None,
    job: Annotated[
        list[str] | None, typer.Option("--job", metavar="KEY", help="Only this job; may be repeated.")
    ] = None,
    kind: Annotated[
        list[FailureKind] | None,
        typer.Option(
            "--kind",
            metavar="KIND",
            help=f"Only jobs that failed like this: {', '.join(_KINDS)}; may be repeated.",
        ),
    ] = None,
) -> int:
    """Give failed jobs another chance: free where the API holds the result, else a new paid submit.

    Sends nothing itself: the next run does. Moderated, discarded and cancelled jobs have to be named.
    Pictures that are no longer on disk are fetched again, free, as long as the API has them.
    Ends with exit code 1 if jobs had to be left out, and none was retried.
    """
    return execute(lambda: _retry(settings, batch, job or (), kind or ()))


async def _retry(
    settings: "Settings", name: str | None, keys: Sequence[str], kinds: Sequence[FailureKind]
) -> int:
    from jobs.outcomes import Reopened, Requeued

    clock = system_clock()
    async with opened_batch(settings, clock, name) as (store, batch):
        chosen = await _choose(store, batch, keys, kinds)
        low, high = price_to_send(batch, chosen.paid)
        what = f"{count_of(len(chosen.paid), 'job')} would be sent and paid for again"
        if chosen.paid and not await agrees(settings, what, low, high):
            free = {job.id for job in chosen.free}
            for job in (*chosen.paid, *(job for job in chosen.linked if not _waits(batch, job, free))):
                chosen.leave(job, "not agreed to")
            chosen.paid, chosen.linked = [], [job for job in chosen.linked if _waits(batch, job, free)]
        now = clock.now()
        chosen.free = await _apply(store, chosen, chosen.free, [Reopened(job.id, now) for job in chosen.free])
        chosen.paid = await _apply(store, chosen, chosen.paid, [Requeued(job.id, now) for job in chosen.paid])
        again = [Requeued(job.id, now, waits=True) for job in chosen.linked]  # after those they wait for
        chosen.linked = await _apply(store, chosen, chosen.linked, again)
        if settings.as_json:
            console.as_json(_as_json(batch, chosen))
        else:
            _show(batch, chosen, settings)
    return 0 if chosen.any or not chosen.left else 1


async def _choose(
    store: "Store", batch: "BatchView", keys: Sequence[str], kinds: Sequence[FailureKind]
) -> RetryPlan:
    chosen = RetryPlan()
    if keys:
        jobs = await named(store, batch, keys)
    else:
        states = [JobState.FAILED, JobState.CANCELLED, *([] if kinds else [JobState.SUCCEEDED])]
        found = store.jobs.each(batch.id, states=states)
        jobs = [job async for job in found if job.state is not JobState.SUCCEEDED or _has_lost(job)]
    held = await _held_results(store, batch)
    left_behind: set[int] = set()
    for job in jobs:
        behind = _left_behind(batch, job, held)
        why = _why_not(job, kinds, by_key=bool(keys), fetched=bool(behind))
        if why == "":
            continue
        if why is not None:
            chosen.leave(job, why)
            continue
        left_behind |= behind
        if job.state is not JobState.CANCELLED and job.id in held:
            chosen.free.append(job)
        elif job.state is not JobState.SUCCEEDED:  # else it has what the other fetches
            chosen.paid.append(job)
    if left_behind:
        ended = store.jobs.each(batch.id, everything=True, states=[JobState.FAILED, JobState.SUCCEEDED])
        chosen.free += [job async for job in ended if job.id in left_behind]
    going_on = {job.id for job in (*chosen.free, *chosen.paid)}
    chosen.linked = [job for job in chosen.paid if _waits(batch, job, going_on)]
    chosen.paid = [job for job in chosen.paid if not _waits(batch, job, going_on)]
    return chosen


def _waits(batch: "BatchView", job: "JobView", going_on: Set[int]) -> bool:
    """Whether another that says the same has its result, or will bring it; `going_on` are tried again.

    A result that is yet to come is waited for only where the batch keeps to `--dedupe`: the next run ends
    every other link, and the job is paid.
    """
    twin = job.twin
    if twin is None or not twin.alike:
        return False
    if twin.id in going_on or twin.state is not JobState.SUCCEEDED:
        return batch.dedupe and (twin.id in going_on or twin.state not in _BRINGS_NOTHING)
    return True


def _left_behind(batch: "BatchView", job: "JobView", held: Set[int]) -> set[int]:
    """The one that this job has its pictures from, where it has left the sheet, and the API holds them.

    It is fetched again for this job; one that the sheet has is retried in its own name.
    """
    twin = job.twin
    if twin is None or twin.current or twin.id not in held:
        return set()
    if job.state is JobState.SUCCEEDED:
        needed = twin.state in {JobState.FAILED, JobState.SUCCEEDED}
    else:
        needed = twin.state is JobState.FAILED and batch.dedupe
    return {twin.id} if needed else set()


def _why_not(job: "JobView", kinds: Sequence[FailureKind], *, by_key: bool, fetched: bool) -> str | None:
    """Why a job is not retried; None if it is, empty where nobody needs to be told.

    `fetched`: the one that it has its pictures from is fetched again.
    """
    if not job.current:
        return NOT_IN_SHEET
    if job.state is JobState.SUCCEEDED and not kinds and missing_files(job):
        if job.twin is None or fetched:
            return None
        return f"its pictures are gone, and are those of {job.twin.key}"
    if job.failure is None or job.state not in {JobState.FAILED, JobState.CANCELLED}:
        return "unconfirmed: see review" if job.state is JobState.UNCONFIRMED else f"it is {job.state}"
    if kinds and job.failure.kind not in kinds:
        return f"it is {job.failure.kind}" if by_key else ""
    if not kinds and not by_key and job.failure.kind in ONLY_IF_NAMED:
        return f"{job.failure.kind}: only with --kind {job.failure.kind}, or --job"
    return None


def _has_lost(job: "JobView") -> bool:
    """Whether pictures that came home for it, and for no other row of the sheet, are on disk no longer."""
    return (job.twin is None or not job.twin.current) and bool(missing_files(job))


async def _held_results(store: "Store", batch: "BatchView") -> set[int]:
    """Jobs whose newest submit was accepted, and that the API did not call failed, cancelled or unknown."""
    from jobs.attempts import SubmitOutcome

    newest = {attempt.job_id: attempt for attempt in await store.ledger.attempts(batch.id)}
    return {
        job_id
        for job_id, attempt in newest.items()
        if attempt.outcome is SubmitOutcome.ACCEPTED and attempt.ended in (None, "done")
    }


async def _apply(
    store: "Store", chosen: RetryPlan, jobs: Sequence["JobView"], outcomes: Sequence["Outcome"]
) -> list["JobView"]:
    """Apply an outcome a job; those that it was possible for, the others being told."""
    done = await apply_each(store, outcomes)
    moved = []
    for job, was_possible in zip(jobs, done, strict=True):
        if was_possible:
            moved.append(job)
        else:
            chosen.leave(job, "it changed in the meantime")
    return moved


def _as_json(batch: "BatchView", chosen: RetryPlan) -> dict[str, Any]:
    low, high = price_to_send(batch, chosen.paid)
    return {
        "batch": batch.name,
        "reopened": [job.key for job in chosen.free],
        "requeued": [job.key for job in chosen.paid],
        "linked": [job.key for job in chosen.linked],
        "left": [{"key": left.key, "reason": left.why} for left in chosen.left],
        "price": {
            "low_usd": None if low is None else float(low),
            "high_usd": None if high is None else float(high),
        },
    }


def _show(batch: "BatchView", chosen: RetryPlan, settings: "Settings") -> None:
    for line in left_alone("Not retried", chosen.left, whole=settings.verbose):
        console.message(line)
    if chosen.free:
        console.result(f"{count_of(len(chosen.free), 'job')} will be fetched again: free.")
    if chosen.linked:
        console.result(
            f"{count_of(len(chosen.linked), 'job')} will get the result of one that says the same: free."
        )
    if chosen.paid:
        cost = price(*price_to_send(batch, chosen.paid))
        console.result(
            f"{count_of(len(chosen.paid), 'job')} will be sent again and paid for, {cost}.", "bold"
        )
    if chosen.any:
        console.result(f"Nothing was sent yet. Next: {then(settings, 'resume', batch.name)}")
    else:
        console.result("Nothing to retry.")
