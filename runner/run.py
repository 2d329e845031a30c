"""The composition root: a batch, from its sheet or from its table, to the report of one run over it."""

import os
import socket
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread
from anyio.streams.memory import MemoryObjectReceiveStream

from jobs.errors import CannotWrite, LockHeld
from jobs.manifests.ownership import in_the_way, manifests_in
from jobs.sheets.images.album import Way
from jobs.sheets.planning import open_images, plan
from jobs.sheets.sheet import open_sheet
from jobs.sheets.source import SheetSource
from jobs.store.door import check_origin
from jobs.store.open import open_store
from jobs.views import BatchView, LoadReport, OpenJob, Pause
from runner.downloads.disk import probe_writable, remove_stale_parts
from runner.environment import Environment
from runner.events.notify import Notifier, event, event_of, notifier
from runner.events.observer import Observer
from runner.events.progress import ProgressCounter
from runner.events.report import RunReport
from runner.http.image_client import ImageClient
from runner.http.url_policy import ImageUrlPolicy
from runner.lifecycle.build import Order, assemble
from runner.lifecycle.finish import close, report_of_nothing
from runner.lifecycle.supervise import obey_the_table, obeying_signals
from runner.limits.brake import Stop
from runner.planning.approval import to_be_repeated
from runner.planning.consent import Consent
from runner.planning.dedupe import dedupe as link_or_not
from runner.planning.selection import WHOLE, Selection, choose
from runner.providers.connect import open_api, origin_of, user_agent
from runner.recovery.lock import Holder, holding
from runner.recovery.recover import Recovered, recover
from runner.recovery.spool import open_spool
from runner.settings import UNPROVEN, Settings, with_image_settings
from runner.uploads.object_store import Bucket, open_bucket
from runner.workers.context import Context
from runner.workers.pool import start

_READY = 64
"""Jobs that may wait for the download pool before a worker waits with them."""

Ready = MemoryObjectReceiveStream[OpenJob]


async def run_sheet(
    source: Path | SheetSource,
    *,
    batch: str | None,
    model: str | None,
    settings: Settings,
    environment: Environment,
    consent: Consent,
    observer: Observer,
    part: Selection = WHOLE,
    priority_by: str | None = None,
    prune: bool = False,
    dedupe: bool | None = None,
) -> RunReport:
    """Load what is new in a sheet, and run its batch until nothing is left to do.

    With a `part`, until nothing of that is. `priority_by` names the column that says what goes first;
    `prune` has the API cancel what waits there and is gone from the sheet. With `dedupe` one of several jobs
    that say the same is sent for all of them, in later runs as well; False ends that for what still waits.

    Raises:
        NightsheetError: every kind of it, before anything is paid.
    """
    given = with_image_settings(source, settings)
    sheet = await to_thread.run_sync(lambda: open_sheet(given, batch=batch, model=model))
    await to_thread.run_sync(open_images, sheet)
    origin = origin_of(settings, environment.env)
    async with (
        open_store(settings.database, environment.clock.now, create=True) as store,
        holding(
            settings.database,
            command="run",
            batch=sheet.batch,
            clock=environment.clock,
            notice=observer.notice,
        ) as other,
    ):
        if other is not None:
            raise _held(other, settings)
        loaded, report = await store.load(
            name=sheet.batch,
            sheet=sheet.place,
            origin=origin,
            planned=plan(sheet, environment.rng, priority_by),
            is_copy=sheet.is_copy,
            dedupe=dedupe,
        )
        if report.new < report.total and (report.new or report.changed or report.gone):
            observer.notice(
                f"The sheet: {report.new} new, {report.changed} changed, {report.unchanged} unchanged, "
                f"{report.gone} gone."
            )
        if report.gone:
            observer.notice(_of_gone(report))
        return await _run(Order(store, loaded, settings, environment, consent, observer, part, prune))


def _of_gone(report: LoadReport) -> str:
    told = f"Gone from the sheet: {report.unsent} were not sent yet, and are not any more"
    if report.gone > report.unsent:
        told += f"; {report.gone - report.unsent} were: they end as they may, and `export --all` has them"
    return f"{told}."


async def resume_batch(
    name: str | None,
    *,
    settings: Settings,
    environment: Environment,
    consent: Consent,
    observer: Observer,
    part: Selection = WHOLE,
) -> RunReport | None:
    """Clear a batch's pause and go on with it; where a runner holds the database only that, and None.

    Raises:
        NightsheetError: every kind of it, before anything is paid.
    """
    async with open_store(settings.database, environment.clock.now) as store:
        batch = await store.batch(name)
        check_origin(batch, origin_of(settings, environment.env))
        async with holding(
            settings.database,
            command="resume",
            batch=batch.name,
            clock=environment.clock,
            notice=observer.notice,
        ) as other:
            if other is not None:
                if other.makes_room_soon:
                    raise _held(other, settings)
                await store.unpause(batch.id)
                observer.notice(_of_who_goes_on(other, batch))
                return None
            return await _run(Order(store, batch, settings, environment, consent, observer, part))


def _held(other: Holder, settings: Settings) -> LockHeld:
    end = "try again when it has ended" if other.makes_room_soon else "`nightsheet pause` stops it"
    hint = f"Nothing was changed. `nightsheet status` works meanwhile; {end}."
    at_work = f", and works on batch {other.batch!r}" if other.batch else ""
    return LockHeld(f"{other} holds {settings.database}{at_work}.", hint=hint)


def _of_who_goes_on(other: Holder, batch: BatchView) -> str:
    if other.batch not in {"", batch.name}:
        return f"It works on batch {other.batch!r}: resume {batch.name!r} again when that has ended."
    return "It goes on by itself."


async def _run(order: Order) -> RunReport:
    """One run over a batch whose database is held."""
    store, batch, settings, environment = order.store, order.batch, order.settings, order.environment
    outside = notifier(settings, environment.env, order.observer.notice)
    bucket = await _bucket(settings)
    if settings.way is Way.INSIDE and not settings.emulator:
        order.observer.notice(UNPROVEN)
    begun = environment.clock.monotonic()
    with open_spool(settings.database) as spool:
        found = await recover(store, batch, spool)
        _tell(found, order.observer)
        await store.unpause(batch.id)
        await store.settle_links(batch.id)
        chosen = await choose(store, batch, order.part, order.observer.notice) if order.part else None
        await link_or_not(store, batch, chosen, order.observer.notice)
        queued = await store.queued_pictures(batch.id) if chosen is None else chosen.work
        doubts = await to_be_repeated(store, batch, settings) if chosen is None else []
        if not (queued or doubts or found.running or found.fetching):
            await to_thread.run_sync(remove_stale_parts, order.folder)  # of a run that died at its very end
            report = await report_of_nothing(order)
            await outside.tell(event_of(report))
            return report
        async with open_api(settings, environment) as api:
            await _prepare_folder(order)
            run_id = await store.begin_run(batch.id, pid=os.getpid(), host=socket.gethostname())
            if api.warning:
                order.observer.notice(api.warning)
            policy = ImageUrlPolicy.of(api.base, (*api.image_hosts, *settings.picture_hosts))
            async with ImageClient(
                policy, transport=environment.transport, proxy=settings.proxy, user_agent=user_agent()
            ) as pictures:
                send, ready = anyio.create_memory_object_stream[OpenJob](_READY)
                with send, ready:  # closed as well where nobody agrees
                    run = await assemble(
                        order, api, spool, pictures, found, queued, send, chosen, bucket, doubts
                    )
                    if order.prune and (asked := await store.prune(batch.id)):
                        run.notice(f"{asked} at the API are gone from the sheet: what waits is cancelled.")
                    await _work(order, run, ready, found, outside)
                with anyio.CancelScope(shield=True):
                    report = await close(order, run, run_id, begun)
                await outside.tell(event_of(report))
    return report


async def _bucket(settings: Settings) -> Bucket | None:
    """The store of pictures, where the settings name one; whoever uploads nothing loads nothing for it."""
    if settings.way is not Way.STORE or settings.upload is None:
        return None
    return await to_thread.run_sync(open_bucket, settings.upload)


async def _work(order: Order, run: Context, ready: Ready, found: Recovered, outside: Notifier) -> None:
    """Do all that is to be done and can be done now."""
    meter = ProgressCounter(run, order.observer)
    async with (
        obeying_signals(run.brake, run.clock, run.notice),
        anyio.create_task_group() as beside,
    ):

        async def on_pause(stop: Stop) -> None:  # beside: who is told may take his time
            beside.start_soon(_tell_of_pause, run, outside, stop)

        beside.start_soon(obey_the_table, run, order.settings, meter.tick, on_pause)
        async with anyio.create_task_group() as tasks:
            defect = partial(_defect, order.observer)
            start(tasks, run, ready, found, downloads=order.settings.downloads, defect=defect)
        beside.cancel_scope.cancel()
    order.observer.progress(await meter.count())


async def _tell_of_pause(run: Context, outside: Notifier, stop: Stop) -> None:
    with anyio.CancelScope(shield=True):  # the run may end meanwhile
        counts, account = await run.store.counts_and_account(run.batch.id)
        paused = Pause(stop.reason, stop.detail, run.clock.now())
        await outside.tell(event("paused", run.batch.name, counts, account, paused))


async def _prepare_folder(order: Order) -> None:
    """See that pictures and manifests can be kept, before anything is paid, and sweep what an interrupted run
    left."""
    trouble = await to_thread.run_sync(probe_writable, order.settings.output_root)
    if trouble is not None:
        raise CannotWrite(f"{trouble}. Nothing was sent.", hint="Choose another --output-dir, or make room.")
    for manifest in manifests_in(order.folder):
        if (trouble := await to_thread.run_sync(in_the_way, manifest)) is not None:
            raise CannotWrite(
                f"{trouble}. Nothing was sent.", hint="Move it away, or choose another --output-dir."
            )
    await to_thread.run_sync(remove_stale_parts, order.folder)


def _defect(observer: Observer, key: str, error: BaseException) -> None:
    observer.notice(
        f"Job {key!r} met a defect of Nightsheet and is left as it stands; please report it: "
        f"{type(error).__name__}: {error}"
    )


def _tell(found: Recovered, observer: Observer) -> None:
    going_on = len(found.running) + len(found.fetching)
    if going_on:
        jobs = "1 job is" if going_on == 1 else f"{going_on} jobs are"
        observer.notice(f"Going on: {jobs} paid for already, nothing of that is sent again.")
    if found.from_spool:
        observer.notice(f"{found.from_spool} request_ids were taken up from the spool file.")
    if found.left:
        observer.notice(
            f"{len(found.left)} request_ids in the spool file fit no job of this batch, and are kept there: "
            f"{', '.join(found.left)}. They are paid for: look for them on the provider's page."
        )
    if found.in_doubt:
        observer.notice(
            f"{found.in_doubt} submits were on their way when the last run ended, and may be paid for: "
            "see `nightsheet review`."
        )
