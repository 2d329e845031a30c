"""The end of a run: records its pause, writes the manifests and makes the report."""

from contextlib import suppress
from pathlib import Path

from jobs.errors import CannotWrite
from jobs.manifests.of_a_run import write_manifests
from jobs.pauses import PauseReason
from jobs.views import LinkCounts, Pause
from runner.events.report import RunReport
from runner.lifecycle.order import Order
from runner.lifecycle.supervise import write_pause
from runner.limits.brake import Stop
from runner.recovery.moved_images import find_moved
from runner.workers.context import Context, Tally


async def finish(order: Order, run: Context, run_id: int, begun: float) -> RunReport:
    """Record how the run ended, as far as the disk allows. `begun` is monotonic, in seconds."""
    manifests: tuple[Path, ...] = ()
    try:
        await order.store.links.settle(order.batch.id)
    except CannotWrite as error:  # the next run settles them
        run.limits.brake.pause(PauseReason.DISK, error.message)
    missing = 0
    try:
        places = await find_moved(order.store, order.batch, order.settings.output_root)
        missing = places.missing
        manifests = await write_manifests(order.store, order.batch, order.folder, places)
    except CannotWrite as error:
        run.limits.brake.pause(PauseReason.DISK, error.message)
    try:
        if run.limits.brake.stop is not None:
            await write_pause(run, run.limits.brake.stop)
    except CannotWrite as error:  # then only the report shows the pause
        run.limits.brake.pause(PauseReason.DISK, error.message)
    seconds = run.time.clock.monotonic() - begun
    interrupted = run.limits.brake.interrupted
    report = await _report(
        order,
        run.tally,
        seconds,
        manifests,
        missing=missing,
        interrupted=interrupted,
        stop=run.limits.brake.stop,
    )
    with suppress(CannotWrite):
        await order.store.batches.end_run(run_id, report.exit_code)
    return report


async def finish_idle(order: Order) -> RunReport:
    """The report of a run that had nothing to do. It made no call to the API."""
    places = await find_moved(order.store, order.batch, order.settings.output_root)
    missing = places.missing
    manifests = await write_manifests(order.store, order.batch, order.folder, places)
    return await _report(order, Tally(), 0.0, manifests, missing=missing, interrupted=False)


async def _report(
    order: Order,
    tally: Tally,
    seconds: float,
    manifests: tuple[Path, ...],
    *,
    missing: int,
    interrupted: bool,
    stop: Stop | None = None,
) -> RunReport:
    store, batch = order.store, order.batch
    paused = (await store.batches.get(batch.id)).paused
    if stop is not None and paused is None:
        paused = Pause(stop.reason, stop.detail, order.environment.clock.now())
    links = await store.links.count(batch.id)
    counts, account = await store.jobs.counts_and_account(batch.id)
    return RunReport(
        batch=batch.name,
        counts=counts,
        account=account,
        images=tally.images,
        seconds=seconds,
        paused=paused,
        interrupted=interrupted,
        overdue=tally.overdue,
        warned=await store.jobs.warned(batch.id),
        left_out=await _left_out(order, links),
        linked=links.succeeded,
        waiting=links.waiting,
        held=await store.held.count(batch.id),
        folder=order.folder,
        manifests=manifests,
        missing=missing,
    )


async def _left_out(order: Order, links: LinkCounts) -> int:
    """How many jobs are outside the run's selection, with those that wait for them.

    0 for a run over the whole batch.
    """
    if not order.selection:
        return 0
    left = await order.store.preview.unagreed(order.batch.id)
    return left.jobs + links.idle
