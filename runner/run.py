"""The composition root: a batch, from its sheet or from its table, to the report of one run over it."""

import os
import socket
import sys
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread

from jobs.errors import CannotWrite
from jobs.manifests.writing import write_manifests
from jobs.naming import folder_name
from jobs.sheets.planning import plan
from jobs.sheets.sheet import open_sheet
from jobs.states import JobState
from jobs.store.door import Store, check_origin
from jobs.tables import PauseReason
from jobs.views import BatchView, OpenJob, Pause
from runner.brake import Brake, Stop
from runner.budget import Budget
from runner.consent import Consent
from runner.context import Context, Limits
from runner.control import obey_signals, obey_the_table, write_pause
from runner.disk import LocalDisk, probe_writable, remove_stale_parts
from runner.downloads import Downloads
from runner.events import Watcher
from runner.guards import GuardLimits, Guards
from runner.health import Health
from runner.http.addresses import PicturePolicy
from runner.http.fetching import PictureClient
from runner.lock import holding, try_holding
from runner.notify import Herald, event, herald
from runner.opening import Api, Surroundings, open_api, open_store, origin_of, user_agent
from runner.pace import pace
from runner.pool import Defect, start
from runner.preparing import Work, agree, check_budget, prices_now
from runner.progress import Meter
from runner.recovery import Recovered, recover
from runner.report import RunReport
from runner.settings import Settings
from runner.source import Source
from runner.spool import Spool, open_spool
from runner.throttle import Throttle

_READY = 64
"""Jobs that may wait for the download pool before a worker waits with them."""


async def run_sheet(
    path: Path,
    *,
    batch: str | None,
    model: str | None,
    settings: Settings,
    around: Surroundings,
    consent: Consent,
    watcher: Watcher,
) -> RunReport:
    """Load what is new in a sheet, and run its batch until nothing is left to do.

    Raises:
        NightsheetError: every kind of it, before anything is paid.
    """
    sheet = await to_thread.run_sync(lambda: open_sheet(path, batch=batch, model=model))
    place = await to_thread.run_sync(path.resolve)
    origin = origin_of(settings, around.env)
    async with (
        open_store(settings, around.clock, create=True) as store,
        holding(settings.database, store),
    ):
        loaded, _report = await store.load(
            name=sheet.batch, sheet=place, origin=origin, planned=plan(sheet, around.rng)
        )
        return await _run(store, loaded, settings, around, consent, watcher)


async def resume_batch(
    name: str | None, *, settings: Settings, around: Surroundings, consent: Consent, watcher: Watcher
) -> RunReport | None:
    """Clear a batch's pause and go on with it; None where another runner holds the database and does that.

    Raises:
        NightsheetError: every kind of it, before anything is paid.
    """
    async with open_store(settings, around.clock) as store:
        batch = await store.batch(name)
        check_origin(batch, origin_of(settings, around.env))
        with try_holding(settings.database) as held:
            if not held:
                await store.unpause(batch.id)
                return None
            return await _run(store, batch, settings, around, consent, watcher)


async def _run(
    store: Store,
    batch: BatchView,
    settings: Settings,
    around: Surroundings,
    consent: Consent,
    watcher: Watcher,
) -> RunReport:
    """One run over a batch whose database is held."""
    outside = herald(settings, around.env, watcher.notice)
    begun = around.clock.monotonic()
    folder = settings.output_root / folder_name(batch.name)
    with open_spool(settings.database) as spool:
        found = await recover(store, batch, spool)
        _tell(found, watcher)
        await store.unpause(batch.id)
        queued = await store.queued_pictures(batch.id)
        if not (queued or found.running or found.fetching):
            return await _nothing_to_do(store, batch, folder)
        async with open_api(settings, around) as api:
            await _must_be_writable(settings.output_root)
            await to_thread.run_sync(remove_stale_parts, folder)
            run_id = await store.begin_run(batch.id, pid=os.getpid(), host=socket.gethostname())
            if api.warning:
                watcher.notice(api.warning)
            policy = PicturePolicy.of(api.base, settings.picture_hosts)
            async with PictureClient(policy, proxy=settings.proxy, user_agent=user_agent()) as pictures:
                downloads = Downloads(pictures, settings.output_root, around.clock, LocalDisk())
                run = await _work(
                    store,
                    batch,
                    settings,
                    around,
                    api,
                    spool,
                    downloads,
                    watcher,
                    found,
                    queued,
                    consent,
                    outside,
                )
                with anyio.CancelScope(shield=True):
                    report = await _close(run, run_id, folder, begun)
                what = "interrupted" if report.interrupted else "paused" if report.paused else "ended"
                told = event(what, batch.name, report.counts, report.account, report.paused, report.exit_code)
                await outside.tell(told)
    return report


async def _work(
    store: Store,
    batch: BatchView,
    settings: Settings,
    around: Surroundings,
    api: Api,
    spool: Spool,
    downloads: Downloads,
    watcher: Watcher,
    found: Recovered,
    queued: Work,
    consent: Consent,
    outside: Herald,
) -> Context:
    """Do all that is to be done and can be done now."""
    brake = Brake(lambda stop: watcher.notice(f"Paused ({stop.reason}): {stop.detail}"))
    clock, rng, limit = around.clock, around.rng, settings.outage_limit
    model = next(iter(queued), None) or (found.running + found.fetching)[0].model
    health = Health(
        api.provider,
        model,
        clock,
        rng,
        brake,
        outage_limit=limit,
        notice=watcher.notice,
        ask_first=bool(queued),
    )
    chosen = pace(settings, batch)
    prices: Mapping[str, Decimal] = batch.prices
    if queued:
        prices = await prices_now(api.provider, store, batch, health, brake, queued)
        if brake.stop is None:
            check_budget(chosen.budget, queued, prices)
            await agree(store, batch, consent, prices)
    account = await store.account(batch.id)
    committed = account.spent_usd + await store.doubtful_usd(batch.id)
    throttle = Throttle(
        clock, rng, brake, health, gate=settings.submit_gate, rate=chosen.rate, outage_limit=limit
    )
    counts = await store.counts(batch.id)
    guards = Guards(
        _guard_limits(settings), brake, total=sum(counts.values()), proven=counts[JobState.SUCCEEDED] > 0
    )
    send, ready = anyio.create_memory_object_stream[OpenJob](_READY)
    run = Context(
        batch=batch,
        store=store,
        provider=api.provider,
        clock=clock,
        rng=rng,
        limits=_limits(settings),
        brake=brake,
        health=health,
        throttle=throttle,
        budget=Budget(chosen.budget, committed, prices),
        guards=guards,
        slots=anyio.CapacityLimiter(chosen.concurrency),
        source=Source(store, batch.id, brake, clock, guards),
        spool=spool,
        downloads=downloads,
        to_fetch=send,
        notice=watcher.notice,
        probe=around.probe,
    )
    async with anyio.create_task_group() as beside:
        meter = Meter(run, watcher)
        if sys.platform != "win32":  # there Ctrl-C cancels the run, which loses nothing either
            beside.start_soon(obey_signals, run)
        beside.start_soon(obey_the_table, run, settings, meter.tick, partial(_tell_of_pause, run, outside))
        async with anyio.create_task_group() as tasks:
            start(tasks, run, ready, found, downloads=settings.downloads, defect=_defect(watcher))
        beside.cancel_scope.cancel()
    watcher.progress(await meter.count())
    return run


async def _tell_of_pause(run: Context, outside: Herald, stop: Stop) -> None:
    counts, account = await run.store.counts(run.batch.id), await run.store.account(run.batch.id)
    paused = Pause(stop.reason, stop.detail, run.clock.now())
    await outside.tell(event("paused", run.batch.name, counts, account, paused))


async def _close(run: Context, run_id: int, folder: Path, begun: float) -> RunReport:
    """Write down how the run ended: its pause, its manifests, its end."""
    manifests: tuple[Path, ...] = ()
    try:
        manifests = await write_manifests(run.store, run.batch, folder)
    except CannotWrite as error:
        run.brake.pause(PauseReason.DISK, error.message)
    if run.brake.stop is not None:
        await write_pause(run, run.brake.stop)
    report = RunReport(
        batch=run.batch.name,
        counts=await run.store.counts(run.batch.id),
        account=await run.store.account(run.batch.id),
        pictures=run.tally.pictures,
        seconds=run.clock.monotonic() - begun,
        paused=(await run.store.refresh(run.batch.id)).paused,
        interrupted=run.brake.interrupted,
        overdue=run.tally.overdue,
        warned=run.tally.warned,
        folder=folder,
        manifests=manifests,
    )
    await run.store.end_run(run_id, report.exit_code)
    return report


async def _nothing_to_do(store: Store, batch: BatchView, folder: Path) -> RunReport:
    """The report of a run that asked the API nothing."""
    return RunReport(
        batch=batch.name,
        counts=await store.counts(batch.id),
        account=await store.account(batch.id),
        pictures=0,
        seconds=0.0,
        paused=None,
        interrupted=False,
        overdue=0,
        warned=0,
        folder=folder,
        manifests=await write_manifests(store, batch, folder),
    )


async def _must_be_writable(root: Path) -> None:
    trouble = await to_thread.run_sync(probe_writable, root)
    if trouble is not None:
        raise CannotWrite(f"{trouble}. Nothing was sent.", hint="Choose another --output-dir, or make room.")


def _defect(watcher: Watcher) -> Defect:
    def tell(key: str, error: BaseException) -> None:
        watcher.notice(
            f"Job {key!r} met a defect of Nightsheet and is left as it stands; please report it: "
            f"{type(error).__name__}: {error}"
        )

    return tell


def _guard_limits(settings: Settings) -> GuardLimits:
    return GuardLimits(
        failures_in_a_row=settings.guard_failures,
        unconfirmed=settings.guard_unconfirmed,
        unconfirmed_percent=settings.guard_unconfirmed_percent,
        canary=settings.canary,
        canary_above=settings.canary_above,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        poll_min=settings.poll_min,
        poll_max=settings.poll_max,
        deadline=settings.deadline,
        outage_limit=settings.outage_limit,
        max_attempts=settings.max_attempts,
        name_template=settings.name_template,
        keep_bad=settings.keep_bad,
    )


def _tell(found: Recovered, watcher: Watcher) -> None:
    going_on = len(found.running) + len(found.fetching)
    if going_on:
        watcher.notice(f"Going on: {going_on} jobs are paid for already, nothing of them is sent again.")
    if found.from_spool:
        watcher.notice(f"{found.from_spool} request_ids were taken up from the spool file.")
    if found.in_doubt:
        watcher.notice(
            f"{found.in_doubt} submits were on their way when the last run ended, and may be paid for: "
            "see `nightsheet review`."
        )
