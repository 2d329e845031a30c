"""Wires the parts of one run. It awaits nothing and decides nothing: what may be paid is approved before."""

from anyio import CapacityLimiter

from jobs.states import JobState
from runner.downloads.download import Downloads
from runner.events.observer import Observer
from runner.http.api_url import is_loopback, split_origin
from runner.lifecycle.approve import Approval
from runner.lifecycle.order import Order, Resources, Scope
from runner.limits.brake import Brake
from runner.limits.budget import Budget
from runner.limits.clock_jump import ClockJumpDetector, sentence
from runner.limits.guards import GuardLimits, Guards
from runner.limits.health import Health
from runner.limits.throttle import Throttle
from runner.providers.connect import Api
from runner.settings import Settings
from runner.uploads.uploader import Uploader
from runner.workers.context import Context, Images, Limits, Tally, Time, Timing, WorkQueue
from runner.workers.queue import JobQueue


def build_brake(observer: Observer) -> Brake:
    """The brake of a run, whose pauses are shown as they come."""
    return Brake(lambda stop: observer.notice(f"Paused ({stop.reason}): {stop.detail}"))


def build_health(order: Order, api: Api, brake: Brake, scope: Scope) -> Health:
    """How this run sees the API. Before anything is sent, the API is asked whether it is there."""
    queued, unconfirmed = next(iter(scope.queued), None), [job.model for job in scope.unconfirmed]
    under_way = [job.model for job in (*scope.found.running, *scope.found.fetching)]
    return Health(
        api.provider,
        queued or (*unconfirmed, *under_way)[0],
        order.environment.clock,
        order.environment.rng,
        brake,
        outage_limit=order.settings.outage_limit,
        notice=order.observer.notice,
        ask_first=bool(scope.queued or scope.unconfirmed),
    )


def build(
    order: Order,
    api: Api,
    brake: Brake,
    health: Health,
    approval: Approval,
    scope: Scope,
    resources: Resources,
) -> Context:
    """What all tasks of a run share."""
    settings, clock, rng = order.settings, order.environment.clock, order.environment.rng
    batch, store, notice = approval.batch, order.store, order.observer.notice
    guards = Guards(
        _guard_limits(settings),
        brake,
        total=sum(approval.counts.values()),
        proven=approval.counts[JobState.SUCCEEDED] > 0,
        recovered={job.id for job in (*scope.found.running, *scope.found.fetching)},
    )
    throttle = Throttle(
        clock,
        rng,
        brake,
        health,
        gate=settings.submit_gate,
        rate=approval.tuning.rate,
        outage_limit=settings.outage_limit,
    )
    uploader = Uploader(
        store,
        clock,
        rng,
        brake,
        notice,
        deadline=settings.deadline,
        outage_limit=settings.outage_limit,
        here=is_loopback(split_origin(api.base)[1]),
        way=settings.way,
        bucket=resources.bucket,
    )
    return Context(
        batch=batch,
        store=store,
        provider=api.provider,
        spool=resources.spool,
        time=Time(
            clock, rng, ClockJumpDetector(clock, lambda seconds: _after_a_jump(seconds, api, order.observer))
        ),
        timing=_timing(settings),
        limits=Limits(
            brake,
            health,
            throttle,
            Budget(approval.tuning.budget, approval.committed_usd, approval.prices),
            guards,
        ),
        queue=WorkQueue(
            CapacityLimiter(approval.tuning.concurrency), JobQueue(store, batch.id, brake, clock, guards)
        ),
        images=Images(
            uploader,
            Downloads(resources.image_client, settings.output_root, clock, resources.disk),
            resources.ready,
            settings.name_template,
            settings.keep_bad,
        ),
        notice=notice,
        probe=order.environment.probe,
        tally=Tally(resubmits_left=approval.resubmits_left),
    )


def _after_a_jump(seconds: float, api: Api, observer: Observer) -> None:
    """After a sleep of the machine, idle connections are dead."""
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


def _timing(settings: Settings) -> Timing:
    return Timing(
        poll_min=settings.poll_min,
        poll_max=settings.poll_max,
        deadline=settings.deadline,
        outage_limit=settings.outage_limit,
        max_attempts=settings.max_attempts,
    )
