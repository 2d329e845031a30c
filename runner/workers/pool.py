"""The workers, each with a slot at the API, and a second, smaller pool that downloads the images."""

from collections.abc import Awaitable, Callable
from functools import partial

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream

from jobs.errors import CannotWrite
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.views import OpenJob, QueuedJob, UnconfirmedJob
from runner.limits.brake import Reach
from runner.recovery.recover import Recovered
from runner.workers.context import Context, Defect
from runner.workers.edge.submit import submit
from runner.workers.edge.unconfirmed import take_up
from runner.workers.fetch import fetch_images
from runner.workers.poll import watch


async def _work(run: Context, workers: TaskGroup, defect: Defect) -> None:
    """Start a worker for each job as slots become free, until nothing is left to do."""
    while True:
        slot = object()
        await run.queue.slots.acquire_on_behalf_of(slot)
        job = await run.queue.jobs.next()
        if job is None:
            run.limits.brake.end()
            return
        workers.start_soon(_in_slot, run, slot, job, defect)


async def _in_slot(run: Context, slot: object, job: QueuedJob | OpenJob, defect: Defect) -> None:
    slots = [slot]

    def release() -> None:
        """Once: a job that is polled apart has given its slot to another one."""
        while slots:
            run.queue.slots.release_on_behalf_of(slots.pop())
            run.limits.in_flight.ended(job.id)
            run.limits.account.ended()

    try:
        await _guarded(run, job, defect, partial(_carry, run, job, release))
    finally:
        release()


async def _carry(run: Context, job: QueuedJob | OpenJob, release_slot: Callable[[], None]) -> None:
    """Submit a job if it is queued, and poll it until the API is done."""
    if isinstance(job, OpenJob):
        run.limits.in_flight.begun(job.id)
    open_job = await submit(run, job) if isinstance(job, QueuedJob) else job
    done = await watch(run, open_job, release_slot) if open_job is not None else None
    if done is not None and done.state is JobState.FETCHING:
        with run.limits.brake.guarding(Reach.DOWNLOADS) as waiting:
            await run.images.ready.send(done)
        if not waiting.cancelled_caught:
            return  # still in hand, until its images are
    if open_job is not None and done is None:
        run.queue.jobs.leave(job.id)
    else:
        run.queue.jobs.release(job.id)


async def fetch(
    run: Context, ready: MemoryObjectReceiveStream[OpenJob], refreshed: set[int], defect: Defect
) -> None:
    """One download task. `refreshed`, shared by all, holds the ids of attempts whose links were renewed."""
    async with ready:
        async for job in ready:
            await _guarded(run, job, defect, partial(_fetch_job, run, job, refreshed))


async def _fetch_job(run: Context, job: OpenJob, refreshed: set[int]) -> None:
    again: OpenJob | None = None
    if run.limits.brake.stop is not None and run.limits.brake.stop.reason is PauseReason.DISK:
        run.queue.jobs.release(job.id)  # the disk has no room: the next run fetches it
        return
    with run.limits.brake.guarding(Reach.DOWNLOADS):
        again = await fetch_images(run, job, refreshed=job.attempt_id in refreshed)
    if again is None or run.limits.brake.stops(Reach.POLLS):
        run.queue.jobs.release(job.id)
        return
    refreshed.add(job.attempt_id)
    run.queue.jobs.give(again)


async def _guarded(
    run: Context,
    job: QueuedJob | OpenJob | UnconfirmedJob,
    defect: Defect,
    action: Callable[[], Awaitable[None]],
) -> None:
    """Run `action`. After an unexpected error this run leaves the job as it is, and other jobs continue."""
    try:
        await action()
    except CannotWrite as error:
        run.limits.brake.pause(error.pause, error.message)
        run.queue.jobs.set_aside(job.id)
    except Exception as error:  # the boundary of one job: reported, never silent
        defect(job.key, error)
        run.queue.jobs.set_aside(job.id)


def start(
    tasks: TaskGroup,
    run: Context,
    ready: MemoryObjectReceiveStream[OpenJob],
    found: Recovered,
    *,
    downloads: int,
    defect: Defect,
) -> None:
    """Start both pools on the jobs found in flight and the queue. They end when nothing is left to do.

    `downloads` is the number of jobs whose images are downloaded at once.
    """
    for job in found.running:
        run.queue.jobs.give(job)
    for job in found.fetching:
        run.queue.jobs.hold(job)
    for unconfirmed in found.naming_ids:
        run.queue.jobs.hold(unconfirmed)
    refreshed: set[int] = set()
    for _ in range(downloads):
        tasks.start_soon(fetch, run, ready.clone(), refreshed, defect)
    ready.close()
    tasks.start_soon(_workers, run, found, defect)


async def _workers(run: Context, found: Recovered, defect: Defect) -> None:
    # The download tasks end when this stream, their only source, is closed.
    async with run.images.ready, anyio.create_task_group() as workers:
        workers.start_soon(_hand_over, run, found.fetching)
        workers.start_soon(_ask_for_named, run, found.naming_ids, defect)
        await _work(run, workers, defect)


async def _ask_for_named(run: Context, jobs: list[UnconfirmedJob], defect: Defect) -> None:
    """Ask for the ids that answers of earlier runs named, one after the other."""

    async def ask(job: UnconfirmedJob) -> None:
        known = await take_up(run, job)
        if known is None:
            run.queue.jobs.release(job.id)
        else:
            run.queue.jobs.give(known)

    for job in jobs:
        await _guarded(run, job, defect, partial(ask, job))


async def _hand_over(run: Context, fetching: list[OpenJob]) -> None:
    """Send jobs that were in `fetching` when the last run ended straight to the downloads."""
    for job in fetching:
        with run.limits.brake.guarding(Reach.DOWNLOADS) as waiting:
            await run.images.ready.send(job)
        if waiting.cancelled_caught:
            run.queue.jobs.release(job.id)
