"""One run, stage by stage: recover, hold, select, link, approve, build, work, finish."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial

import anyio
from anyio import to_thread
from anyio.streams.memory import MemoryObjectReceiveStream

from jobs.errors import CannotWrite
from jobs.manifests.ownership import in_the_way, manifests_in
from jobs.sheets.images.way import UNPROVEN, Way
from jobs.states import JobState
from jobs.store.sqlite.notices import version_notice
from jobs.views import OpenJob, Pause
from jobs.workload import Workload
from runner.downloads.disk import LocalDisk, probe_writable, remove_stale_parts
from runner.events.notify import Notifier, event, event_of, notifier_for
from runner.events.observer import Observer
from runner.events.progress import ProgressCounter, Watched, watched
from runner.events.report import RunReport
from runner.http.image_client import ImageClient
from runner.http.transport import tls_context
from runner.http.url_policy import ImageUrlPolicy
from runner.lifecycle.approve import approve
from runner.lifecycle.build import build, build_brake, build_health
from runner.lifecycle.finish import finish, finish_idle
from runner.lifecycle.guarding import track_record, under_guards
from runner.lifecycle.order import Order, Resources, Scope
from runner.lifecycle.places import settled_places
from runner.lifecycle.signals import obeying_signals
from runner.lifecycle.supervise import obey_the_table
from runner.limits.brake import Stop
from runner.planning.consent import agreed_to_all
from runner.planning.dedupe import dedupe
from runner.planning.held import hold, nothing_else, release
from runner.planning.resubmits import allowed_resubmits
from runner.planning.selection import SelectedJobs, select
from runner.providers.connect import Api, open_api, user_agent
from runner.recovery.file_watch import FileWatch
from runner.recovery.healing import moved_notice
from runner.recovery.journal import SubmitJournal, open_journal
from runner.recovery.journal_format import Header
from runner.recovery.journal_places import Places, new_name, places_of
from runner.recovery.lock import Phase
from runner.recovery.recover import Recovered, read_again, recover
from runner.recovery.state_lock import one_runner
from runner.uploads.object_store import Bucket, open_bucket
from runner.workers.context import Context
from runner.workers.edge.journaling import settle_journal
from runner.workers.late_decodes import decoding_late
from runner.workers.pool import start

_READY = 64
"""Jobs that may queue for the download pool. Beyond that the workers wait until downloads catch up."""

Ready = MemoryObjectReceiveStream[OpenJob]


async def carry_out(order: Order) -> RunReport:
    """Run a batch, stage by stage. The caller holds the database's lock."""
    order = await settled_places(order)
    if order.keeper is not None:
        order.keeper.batch_id = order.batch.id
    notifier = notifier_for(order.settings, order.environment.env, order.observer.notice)
    begun = order.environment.clock.monotonic()
    bucket = await _bucket(order)
    places = await places_of(order.store, order.batch, order.settings, order.environment.state_folder)
    with one_runner(places, order.settings.place, order.observer.notice) as written:
        found = await _recover(order, places)
        order, scope = await _scope(await _unpause(order), found)
        if scope.held and not scope:
            raise nothing_else(scope.held)
        if not scope:
            return await _idle(order, notifier)
        async with _opened(order, written, bucket) as (api, resources, ready):
            run_id = await order.store.batches.begin_run(
                order.batch.id, pid=os.getpid(), host=socket.gethostname()
            )
            standing = await order.store.accounts.enter(api.account, order.batch.id)
            await _warn_of_the_database(order)
            brake = build_brake(order)
            health = build_health(order, api, brake, scope)
            say = order.say_waiting
            early = Watched(order.store, order.batch, order.environment.clock, brake, health, begun, say=say)
            before_work = ProgressCounter(early, order.observer)
            approval = await approve(order, api.provider, brake, health, scope, before_work)
            found = await read_again(order.store, order.batch, found)
            known = await order.store.accounts.limit(api.account, scope.queued)
            run = build(order, api, brake, health, approval, scope, resources, known, standing)
            progress = ProgressCounter(watched(run, begun, say), order.observer)
            await _work(order, run, progress, ready, found, notifier)
            if order.keeper is not None:
                await order.keeper.confirm()
            if run.files.lost is not None:  # the other runner says how the batch ends
                raise run.files.lost
            with anyio.CancelScope(shield=True):
                await _note_limit(run, api, scope)
                report = await finish(order, run, run_id, begun)
            await notifier.send(event_of(report))
    return report


async def _recover(order: Order, places: Places) -> Recovered:
    found = await recover(order.store, order.batch, places, order.environment.clock.now())
    _announce(found, order)
    return found


async def _unpause(order: Order) -> Order:
    """The order over the batch as it is once its pause is cleared, as far as the order clears it."""
    batches = order.store.batches
    await (batches.resume if order.resumes else batches.unpause)(order.batch.id)
    return replace(order, batch=await batches.get(order.batch.id), paused_before=order.batch.paused)


async def _scope(order: Order, found: Recovered) -> tuple[Order, Scope]:
    """The work of the run. Where the batch is paused, that is what the API has: the rest is not sent."""
    await order.store.links.settle(order.batch.id)
    looked_at = order.looked_at or order.environment.clock.now()
    await hold(order.store, order.batch, order.elsewhere, looked_at, order.observer.notice)
    record = await track_record(order)
    if order.batch.paused is None:
        held = await _release(order)
        found = replace(found, running=await order.store.jobs_to_do(order.batch.id, JobState.RUNNING))
        scope = await _link(order, found, await _select(order))
        scope = replace(scope, record=record, held=held)
        order = await under_guards(order, scope)
        if order.batch.paused is None:
            return order, scope
    paused = order.batch.paused
    assert paused is not None
    how = "" if order.resume_command in paused.detail else f" To clear the pause: `{order.resume_command}`."
    order.observer.notice(
        f"Batch {order.batch.name!r} is paused ({paused.reason}), and nothing is sent: {paused.detail}{how}"
    )
    if order.consent is agreed_to_all and not order.selection:  # so that the resume need not ask
        await order.store.batches.agree(order.batch.id)
    return order, Scope(found, None, Workload(), (), record)


async def _release(order: Order) -> int:
    """Tell of the rows that were paid for before; return how many are not to be sent."""
    now = order.environment.clock.now()
    return await release(order.store, order.batch, order.settings, order.consent, order.observer.notice, now)


async def _select(order: Order) -> SelectedJobs | None:
    """The jobs of the order's selection; None for the whole batch."""
    if not order.selection:
        return None
    return await select(order.store, order.batch, order.selection, order.observer.notice)


async def _link(order: Order, found: Recovered, selected: SelectedJobs | None) -> Scope:
    """Link identical jobs if the batch has `dedupe`; return the work that is left."""
    store, batch = order.store, order.batch
    await dedupe(store, batch, selected, order.observer.notice)
    if selected is not None:
        return Scope(found, selected, selected.work, ())
    queued = await store.preview.to_send(batch.id)
    return Scope(found, None, queued, tuple(await allowed_resubmits(store, batch, order.settings)))


async def _idle(order: Order, notifier: Notifier) -> RunReport:
    order.say_phase(Phase.ENDING)
    await _remove_stale_parts(order)  # from a run that died at its very end
    report = await finish_idle(order)
    await notifier.send(event_of(report))
    return report


@asynccontextmanager
async def _opened(
    order: Order, places: Places, bucket: Bucket | None
) -> AsyncIterator[tuple[Api, Resources, Ready]]:
    """The API and the other resources of a run."""
    settings, environment = order.settings, order.environment
    async with open_api(settings, environment) as api:
        await _prepare_folder(order)
        if api.warning:
            order.observer.notice(api.warning)
        policy = ImageUrlPolicy.of(api.base, (*api.image_hosts, *settings.picture_hosts))
        client = ImageClient(
            policy,
            transport=environment.transport,
            proxy=settings.proxy,
            tls=tls_context(settings.ca),
            user_agent=user_agent(),
        )
        send, ready = anyio.create_memory_object_stream[OpenJob](_READY)
        async with client:
            with send, ready, await _journal(order, places) as journal:  # closed even if nobody consents
                files = order.keeper or FileWatch(settings.database)
                yield api, Resources(journal, files, client, LocalDisk(), bucket, send), ready


async def _journal(order: Order, places: Places) -> AbstractContextManager[SubmitJournal]:
    """This run's journal. Its files come into being with the first submit."""
    settings, environment = order.settings, order.environment
    header = Header(
        await order.store.witness.database_uid(),
        str(settings.place),
        socket.gethostname(),
        order.batch.origin,
        environment.clock.now(),
    )
    name = new_name(places, header.begun_at, environment.rng)
    return open_journal(places, name, header, order.observer.notice)


async def _warn_of_the_database(order: Order) -> None:
    """Warn of a bug in the database library. A rehearsal's database holds nothing that was paid for."""
    version = order.environment.sqlite_version
    if version is not None and not (order.settings.emulator or order.settings.place.is_server):
        notice = await version_notice(order.store.database, version)
        if notice is not None:
            order.observer.notice(notice)


async def _bucket(order: Order) -> Bucket | None:
    """The object store for images, if the settings name one. Its libraries are loaded only then."""
    settings = order.settings
    if settings.way is Way.INSIDE and not settings.emulator:
        order.observer.notice(UNPROVEN)
    if settings.way is not Way.STORE or settings.upload is None:
        return None
    return await to_thread.run_sync(open_bucket, settings.upload)


async def _work(
    order: Order,
    run: Context,
    progress: ProgressCounter,
    ready: Ready,
    found: Recovered,
    notifier: Notifier,
) -> None:
    """Start both pools, the supervisor and the progress display; return when nothing is left to do now."""
    if order.prune and (asked := await order.store.jobs.prune(order.batch.id)):
        run.notice(f"{asked} at the API are gone from the sheet: what waits is cancelled.")
    async with (
        obeying_signals(run.limits.brake, run.time.clock, run.notice, order.say_last_words),
        anyio.create_task_group() as beside,
    ):

        async def on_pause(stop: Stop) -> None:  # as a task of its own: a notification may take a while
            beside.start_soon(_tell_of_pause, run, notifier, stop)

        beside.start_soon(obey_the_table, run, order.settings, progress.tick, on_pause)
        defect = partial(_defect, order.observer)
        async with decoding_late(run, defect), anyio.create_task_group() as tasks:
            start(tasks, run, ready, found, downloads=order.settings.downloads, defect=defect)
        beside.cancel_scope.cancel()
    with suppress(CannotWrite), anyio.CancelScope(shield=True):  # the next start would read it all
        await settle_journal(run)
    order.observer.progress(await progress.count())


async def _note_limit(run: Context, api: Api, scope: Scope) -> None:
    """Keep what `auto` found out for the next night."""
    if (found := run.limits.in_flight.found) is not None and scope.queued:
        with suppress(CannotWrite):  # the next night finds it out again
            await run.store.accounts.note_limit(api.account, scope.queued, found)


async def _tell_of_pause(run: Context, outside: Notifier, stop: Stop) -> None:
    with anyio.CancelScope(shield=True):  # the run may end meanwhile
        counts, account = await run.store.jobs.counts_and_account(run.batch.id)
        paused = Pause(stop.reason, stop.detail, run.time.clock.now())
        await outside.send(event("paused", run.batch.name, counts, account, paused))


async def _prepare_folder(order: Order) -> None:
    """Check that images and manifests can be written, before anything is paid; remove an interrupted run's
    temporary files.

    Raises:
        CannotWrite: the output folder or a manifest in it cannot be written.
    """
    trouble = await to_thread.run_sync(probe_writable, order.settings.output_root)
    if trouble is not None:
        raise CannotWrite(f"{trouble}. Nothing was sent.", hint="Choose another --output-dir, or make room.")
    for manifest in manifests_in(order.folder):
        if (trouble := await to_thread.run_sync(in_the_way, manifest)) is not None:
            raise CannotWrite(
                f"{trouble}. Nothing was sent.", hint="Move it away, or choose another --output-dir."
            )
    await _remove_stale_parts(order)


async def _remove_stale_parts(order: Order) -> None:
    now = order.environment.clock.now()
    await to_thread.run_sync(remove_stale_parts, order.folder, order.batch.mark, now)


def _defect(observer: Observer, key: str, error: BaseException) -> None:
    observer.notice(
        f"Job {key!r} met a defect of Nightsheet and is left as it stands; please report it: "
        f"{type(error).__name__}: {error}"
    )


def _announce(found: Recovered, order: Order) -> None:
    observer, healing = order.observer, found.healing
    moved = moved_notice(healing.newest, order.settings.place, socket.gethostname())
    for sentence in filter(None, (moved, *healing.sentences())):
        observer.notice(sentence)
    going_on = len(found.running) + len(found.fetching)
    if going_on:
        jobs = "1 job is" if going_on == 1 else f"{going_on} jobs are"
        observer.notice(f"Going on: {jobs} already paid for, and none of it is sent again.")
    if found.unconfirmed:
        observer.notice(
            f"{found.unconfirmed} submits were on their way when the last run ended, and may be paid for: "
            "see `nightsheet review`."
        )
