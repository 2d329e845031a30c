"""Follows what other processes write into the table during a run: pauses, tuning, cancel requests."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from jobs.errors import CannotWrite, LockLost
from jobs.states import JobState
from jobs.store.sqlite.notices import wal_notice
from jobs.views import BatchView, OpenJob
from runner.limits.brake import Reach, Stop
from runner.providers.base import CallFailed, CancelTaken, NotCancellable, UnknownId
from runner.settings import Settings
from runner.workers.context import Context
from runner.workers.edge.journaling import settle_journal
from runner.workers.tuning import apply_tuning, tuning_for, tuning_of

LOOK_SECONDS = 1.0
SETTLED_AFTER = 1000
"""Submits that a killed run may leave to be read again, beside those of its last second."""


async def obey_the_table(
    run: Context,
    settings: Settings,
    look: Callable[[], Awaitable[None]],
    on_pause: Callable[[Stop], Awaitable[None]],
) -> None:
    """Every second: synchronise pauses with the table, apply tuning, forward cancel requests, then `look`.

    `on_pause` is called once for each pause, even if the pause cannot be written to the table. A log of the
    database that only grows is reported once.
    """
    large_log_told = False
    batch = run.batch
    written = None if batch.paused is None else Stop(batch.paused.reason, batch.paused.detail)
    notified: Stop | None = None
    while True:
        try:
            run.time.jumps.look()
            run.files.look()
            run.files.seen()
            before, batch = batch, await run.store.batches.get(run.batch.id)
            if batch.guards_since != before.guards_since:
                run.limits.guards.start_anew()
            written = await _pass_pauses_on(run, batch, written)
            _tune(run, settings, before, batch)
            await _wake_cancelled(run)
            await _forward_cancels(run)
            if not large_log_told and (notice := wal_notice(run.store.database.path)) is not None:
                run.notice(notice)
                large_log_told = True
            await settle_journal(run, after=SETTLED_AFTER)
            await look()
        except LockLost as error:  # the batch is another runner's now: nothing is written about it
            run.files.lose(error)
            run.limits.brake.interrupt(Reach.DOWNLOADS)
        except CannotWrite as error:
            run.limits.brake.pause(error.pause, error.message)
        stop = run.limits.brake.stop
        if stop is not None and stop != notified:
            await on_pause(stop)
        notified = stop
        await run.time.clock.sleep(LOOK_SECONDS)


async def _pass_pauses_on(run: Context, batch: BatchView, written: Stop | None) -> Stop | None:
    """Write this run's pause to the table, obey a pause found in `batch`, release one that was cleared there.

    Returns the pause that the table has now.
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
    """Apply what `tune` changed since the last look. Values that it did not change stay."""
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
    """Store a pause with its batch. It replaces the stored one, unless that is a guard's or a person's."""
    await run.store.batches.pause(run.batch.id, stop.reason, stop.detail)


async def _wake_cancelled(run: Context) -> None:
    """Wake workers that wait to submit a job that is cancelled meanwhile: they would wait for nothing."""
    if run.queue.pending.jobs:
        for job_id in await run.store.jobs.ids_in_state(JobState.CANCELLED, run.queue.pending.jobs):
            run.queue.pending.end(job_id)


async def _forward_cancels(run: Context) -> None:
    if run.limits.brake.stops(Reach.POLLS):
        return
    for job_id in await run.store.jobs.cancel_wanted(run.batch.id):
        job = await run.store.jobs.open_job(job_id)
        if job is not None and job.state is JobState.RUNNING and not await _cancel(run, job):
            return  # the API does not answer: it would not answer for the others either


async def _cancel(run: Context, job: OpenJob) -> bool:
    """Ask the API once to cancel a job. False: it did not answer, ask again in a second."""
    match await run.provider.cancel(job.request_id):
        case CancelTaken():
            run.notice(f"Job {job.key!r}: the API was asked to cancel it, and took that.")
            await run.store.jobs.drop_cancel_request(job.id)  # its status will show the result
        case NotCancellable():
            run.notice(f"Job {job.key!r} cannot be cancelled any more: it runs on, and is fetched.")
            await run.store.jobs.drop_cancel_request(job.id)
        case UnknownId(message=message):
            run.notice(
                f"Job {job.key!r}: the API does not know its request ({message.rstrip('.')}). It is polled "
                "on; once this run has ended, `nightsheet cancel --job KEY` gives it up as lost."
            )
            await run.store.jobs.drop_cancel_request(job.id)
        case CallFailed(http_status=int()):
            pass  # perhaps about this job alone: ask for the others now, and for this one in a second
        case _:
            return False
    return True
