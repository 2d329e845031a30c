"""Puts the parts of one run together: what its tasks share, after it was agreed what it may cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from anyio import CapacityLimiter
from anyio.streams.memory import MemoryObjectSendStream

from jobs.paths import folder_name
from jobs.states import JobState
from jobs.store.store import Store
from jobs.views import BatchView, JobView, OpenJob
from runner.downloads.disk import LocalDisk
from runner.downloads.download import Downloads
from runner.environment import Environment
from runner.events.observer import Observer
from runner.http.api_url import is_loopback, split_origin
from runner.http.image_client import ImageClient
from runner.humanize import count_of
from runner.lifecycle.supervise import obeying_signals
from runner.limits.brake import Brake, Reach
from runner.limits.budget import Budget
from runner.limits.clock_jump import ClockJumpDetector, sentence
from runner.limits.guards import GuardLimits, Guards
from runner.limits.health import Health
from runner.limits.throttle import Throttle
from runner.planning.approval import (
    Work,
    agree,
    check_budget,
    prices_now,
    repeats_left,
    resubmit_what_is_allowed,
    with_repeats,
)
from runner.planning.consent import Consent, agreed_to_all
from runner.planning.selection import WHOLE, SelectedJobs, Selection
from runner.providers.connect import Api
from runner.recovery.recover import Recovered
from runner.recovery.spool import Spool
from runner.settings import Settings
from runner.uploads.object_store import Bucket
from runner.uploads.uploader import Uploader
from runner.workers.context import Context, Limits, Tally
from runner.workers.queue import JobQueue
from runner.workers.tuning import tuning_for


@dataclass(frozen=True, slots=True)
class Order:
    """What one run is to do, and what it finds around it. The database is held for it."""

    store: Store
    batch: BatchView
    settings: Settings
    environment: Environment
    consent: Consent
    observer: Observer
    part: Selection = WHOLE
    """What of the batch it is for, where that is not all of it."""
    prune: bool = False
    """Whether the API is to cancel what waits there and is gone from the sheet."""

    @property
    def folder(self) -> Path:
        """The batch's folder: pictures and manifests."""
        return self.settings.output_root / folder_name(self.batch.name)


async def assemble(
    order: Order,
    api: Api,
    spool: Spool,
    pictures: ImageClient,
    found: Recovered,
    queued: Work,
    to_fetch: MemoryObjectSendStream[OpenJob],
    chosen: SelectedJobs | None = None,
    bucket: Bucket | None = None,
    doubts: Sequence[JobView] = (),
) -> Context:
    """The run's context. Asks the API for prices and a person for consent where something is to be sent.

    `doubts` are submits that `--resubmit-unconfirmed` has sent again, once the rest is agreed to.

    Raises:
        UsageProblem: nobody agreed, or a budget that no price can be held against.
    """
    store, batch, settings, observer = order.store, order.batch, order.settings, order.observer
    clock, rng, limit = order.environment.clock, order.environment.rng, settings.outage_limit
    work = with_repeats(queued, doubts)
    brake = Brake(lambda stop: observer.notice(f"Paused ({stop.reason}): {stop.detail}"))
    health = Health(
        api.provider,
        next(iter(work), None) or (found.running + found.fetching)[0].model,
        clock,
        rng,
        brake,
        outage_limit=limit,
        notice=observer.notice,
        ask_first=bool(work),
    )
    paced = tuning_for(settings, batch)
    if settings.is_said("budget") and paced.budget != batch.budget:  # a limit outlives its run
        await store.batches.tune(batch.id, {"budget": paced.budget})
        batch = await store.batches.get(batch.id)
    prices: Mapping[str, Decimal] = batch.prices
    if work:
        async with obeying_signals(brake, clock, observer.notice):  # an outage may be ridden out here
            prices = await prices_now(
                api.provider, store, batch, health, brake, work, fallback=settings.prices
            )
        if brake.reach is Reach.NOTHING:
            check_budget(paced.budget, work, prices)
            if doubts:
                observer.notice(
                    f"Sent again, as --resubmit-unconfirmed allows: {count_of(len(doubts), 'submit')} "
                    "without an answer, perhaps paid twice."
                )
            await agree(store, batch, order.consent, prices, observer.notice, chosen)
        elif order.consent is agreed_to_all:  # said beforehand: to go on later asks nothing
            await store.batches.agree(batch.id, None if chosen is None else chosen.ids)
    elif chosen is not None:
        await store.batches.agree(batch.id, chosen.ids)
    if doubts and brake.reach is Reach.NOTHING:
        repeats = await resubmit_what_is_allowed(store, batch, settings, clock.now())
    else:
        repeats = await repeats_left(store, batch, settings)
    counts = await store.jobs.counts(batch.id)
    guards = Guards(
        _guard_limits(settings),
        brake,
        total=sum(counts.values()),
        proven=counts[JobState.SUCCEEDED] > 0,
        recovered={job.id for job in (*found.running, *found.fetching)},
    )
    spent = (await store.ledger.account(batch.id)).spent_usd
    committed = spent + await store.ledger.unconfirmed_usd(batch.id)
    return Context(
        batch=batch,
        store=store,
        provider=api.provider,
        clock=clock,
        rng=rng,
        limits=_limits(settings),
        brake=brake,
        health=health,
        throttle=Throttle(
            clock, rng, brake, health, gate=settings.submit_gate, rate=paced.rate, outage_limit=limit
        ),
        budget=Budget(paced.budget, committed, prices),
        guards=guards,
        slots=CapacityLimiter(paced.concurrency),
        source=JobQueue(store, batch.id, brake, clock, guards),
        references=Uploader(
            store,
            clock,
            rng,
            brake,
            observer.notice,
            deadline=settings.deadline,
            outage_limit=limit,
            here=is_loopback(split_origin(api.base)[1]),
            way=settings.way,
            bucket=bucket,
        ),
        spool=spool,
        downloads=Downloads(pictures, settings.output_root, clock, LocalDisk()),
        to_fetch=to_fetch,
        notice=observer.notice,
        gap=ClockJumpDetector(clock, lambda seconds: _after_a_gap(seconds, api, observer)),
        probe=order.environment.probe,
        tally=Tally(resubmits_left=repeats),
    )


def _after_a_gap(seconds: float, api: Api, observer: Observer) -> None:
    api.forget_connections()
    observer.notice(sentence(seconds))


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
