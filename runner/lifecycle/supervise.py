"""What other processes write into a batch while it runs: pauses, tuning, cancels."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from jobs.errors import CannotWrite
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.views import BatchView, OpenJob
from runner.limits.brake import Reach, Stop
from runner.providers.base import CallFailed, CancelTaken, NotCancellable, UnknownId
from runner.settings import Settings
from runner.workers.context import Context
from runner.workers.tuning import apply_tuning, tuning_for, tuning_of

LOOK_SECONDS = 1.0


async def obey_the_table(
    run: Context,
    settings: Settings,
    look: Callable[[], Awaitable[None]],
    on_pause: Callable[[Stop], Awaitable[None]],
) -> None:
    """Every second: pass a pause on in both directions, cancel what is wanted cancelled, then `look`.

    `on_pause` is told of each pause, also of one that cannot be written down.
    """
    written: Stop | None = None
    notified: Stop | None = None
    batch = run.batch
    while True:
        try:
            run.time.jumps.look()
            before, batch = batch, await run.store.batches.get(run.batch.id)
            written = await _pass_pauses_on(run, batch, written)
            _tune(run, settings, before, batch)
            await _wake_cancelled(run)
            await _forward_cancels(run)
            await look()
        except CannotWrite as error:
            run.limits.brake.pause(PauseReason.DISK, error.message)
        stop = run.limits.brake.stop
        if stop is not None and stop != notified:
            await on_pause(stop)
        notified = stop
        await run.time.clock.sleep(LOOK_SECONDS)


async def _pass_pauses_on(run: Context, batch: BatchView, written: Stop | None) -> Stop | None:
    """Write a pause of ours down, obey one of somebody else's in `batch`, end one that somebody cleared.

    Returns the pause that stands in the table.
    """
    stop = run.limits.brake.stop
    if stop is None:
        if batch.paused is not None:
            run.limits.brake.pause(batch.paused.reason, batch.paused.detail)
        return run.limits.brake.stop
    if stop != written:
        await write_pause(run, stop)
    elif batch.paused is None:
        run.limits.brake.release()
        if run.limits.brake.stop is None:
            run.notice("Going on: the pause was cleared.")
        return None
    return stop


def _tune(run: Context, settings: Settings, before: BatchView, now: BatchView) -> None:
    """Keep the pace that somebody has set since the last look; what was not touched stays as it is."""
    if (before.concurrency, before.rate, before.budget) != (now.concurrency, now.rate, now.budget):
        tuned, kept = tuning_for(settings, now, flags_count=False), tuning_of(run)
        if now.concurrency != before.concurrency:
            kept = replace(kept, concurrency=tuned.concurrency)
        if now.rate != before.rate:
            kept = replace(kept, rate=tuned.rate)
        if now.budget != before.budget:
            kept = replace(kept, budget=tuned.budget)
        apply_tuning(run, kept)
        run.notice(
            f"Tuned: {kept.concurrency} in flight, {kept.rate or 'any number of'} submits a minute, "
            f"budget {'none' if kept.budget is None else f'{kept.budget} USD'}."
        )


async def write_pause(run: Context, stop: Stop) -> None:
    """Note a pause with its batch, in place of a lesser one."""
    await run.store.batches.unpause(run.batch.id)
    await run.store.batches.pause(run.batch.id, stop.reason, stop.detail)


async def _wake_cancelled(run: Context) -> None:
    """Wake workers that wait to send what is cancelled by now: they would wait to the end for nothing."""
    if run.queue.pending.jobs:
        for job_id in await run.store.jobs.ids_in_state(JobState.CANCELLED, run.queue.pending.jobs):
            run.queue.pending.end(job_id)


async def _forward_cancels(run: Context) -> None:
    if run.limits.brake.stops(Reach.POLLS):
        return
    for job_id in await run.store.jobs.cancel_wanted(run.batch.id):
        job = await run.store.jobs.open_job(job_id)
        if job is not None and job.state is JobState.RUNNING and not await _cancel(run, job):
            return  # the others would get no answer either


async def _cancel(run: Context, job: OpenJob) -> bool:
    """Ask once; False if that brought no answer, and is to be asked again in a second."""
    match await run.provider.cancel(job.request_id):
        case CancelTaken():
            run.notice(f"Job {job.key!r}: the API was asked to cancel it, and took that.")
            await run.store.jobs.drop_cancel_request(job.id)  # its status will say what came of it
        case NotCancellable() | UnknownId():
            run.notice(f"Job {job.key!r} cannot be cancelled any more: it runs on, and is fetched.")
            await run.store.jobs.drop_cancel_request(job.id)
        case CallFailed(http_status=int()):
            pass  # it is about this job alone, perhaps: the others are asked, and this one again in a second
        case _:
            return False
    return True
