"""Wires the parts of one run. Nothing is awaited or decided here: payment is approved before."""

from jobs.admission import AccountStanding
from jobs.concurrency import FoundLimit
from jobs.errors import LockLost
from jobs.pauses import PauseReason
from jobs.store.sqlite.thumb_file import ThumbFile
from runner.downloads.download import Downloads
from runner.events.observer import Observer
from runner.http.api_url import is_loopback, split_origin
from runner.lifecycle.approve import Approval
from runner.lifecycle.guarding import limits_of, pause_detail
from runner.lifecycle.order import Order, Resources, Scope
from runner.limits.account_line import AccountLine
from runner.limits.brake import Brake, Reach, Stop
from runner.limits.budget import Budget
from runner.limits.clock_jump import ClockJumpDetector, sentence
from runner.limits.concurrency import InFlight
from runner.limits.guards import Guards
from runner.limits.health import Health
from runner.limits.poll_pace import PollPace
from runner.limits.poll_schedule import LearnedPolls
from runner.limits.throttle import Throttle
from runner.providers.connect import Api
from runner.recovery.journal_places import folder_of
from runner.recovery.lock import Phase
from runner.settings import Settings
from runner.uploads.object_store import Bucket
from runner.uploads.uploader import Uploader
from runner.workers.context import Context, Images, Limits, Polling, Tally, Time, Timing, WorkQueue
from runner.workers.edge.sent_elsewhere import SentElsewhere
from runner.workers.known_ids import ANOTHER_ACCOUNT, KnownIds
from runner.workers.queue import JobQueue


def build_brake(order: Order) -> Brake:
    """The brake of a run, pulled where the batch stays paused.

    Each pause is shown to the observer; how the run stands, to other processes.
    """
    paused = order.batch.paused

    def say(brake: Brake) -> None:
        phase = Phase.PAUSED if brake.stops(Reach.SUBMITS) else Phase.WORKING
        order.say_phase(Phase.ENDING if brake.ending else phase)

    return Brake(
        lambda stop: order.observer.notice(f"Paused ({stop.reason}): {stop.detail}"),
        say,
        stop=None if paused is None else Stop(paused.reason, paused.detail),
    )


def build_health(order: Order, api: Api, brake: Brake, scope: Scope) -> Health:
    """The API's health as this run sees it. Where jobs are to be submitted, the API is probed first."""
    queued, unconfirmed = next(iter(scope.queued), None), [job.model for job in scope.unconfirmed]
    return Health(
        api.provider,
        queued or (*unconfirmed, *scope.found.models)[0],
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
    known: FoundLimit | None,
    account: AccountStanding,
) -> Context:
    """The context that all tasks of a run share. `known` is what an earlier one found out of the account."""
    settings, clock, rng = order.settings, order.environment.clock, order.environment.rng
    batch, store = approval.batch, order.store
    jumps = ClockJumpDetector(clock, lambda seconds: _after_clock_jump(seconds, api, order.observer))
    budget = Budget(approval.tuning.budget, approval.committed_usd, approval.prices, approval.unpriced)

    def trip(what: str) -> None:
        brake.pause(PauseReason.GUARD, pause_detail(order, what, budget))

    def lose(error: LockLost) -> None:
        resources.files.lose(error)
        brake.interrupt(Reach.DOWNLOADS)

    guards = Guards(limits_of(settings), trip, scope.record)
    in_flight = InFlight(
        approval.tuning.concurrency, clock.monotonic, most=settings.most_in_flight, found=known
    )
    return Context(
        batch=batch,
        store=store,
        provider=api.provider,
        journal=resources.journal,
        files=resources.files,
        time=Time(clock, rng, jumps),
        timing=_timing(settings),
        limits=Limits(
            brake,
            health,
            in_flight,
            _throttle(order, brake, health, in_flight, approval),
            budget,
            guards,
            _account_line(order, health, scope, account),
        ),
        queue=WorkQueue(in_flight.slots, JobQueue(store, batch.id, brake, clock, guards, lose)),
        polling=Polling(
            LearnedPolls(
                settings.poll_min, max(settings.poll_min, settings.poll_max), scope.record.service_seconds
            ),
            PollPace(clock),
        ),
        known_ids=_known_ids(order, scope),
        images=Images(
            _uploader(order, api, brake, resources.bucket),
            Downloads(resources.image_client, settings.output_root, clock, resources.disk, mark=batch.mark),
            resources.ready,
            settings.name_template,
            settings.keep_bad,
            thumbs=_thumbs(settings),
        ),
        notice=order.observer.notice,
        elsewhere=_elsewhere(order),
        probe=order.environment.probe,
        tally=Tally(resubmits_left=approval.resubmits_left),
    )


def _elsewhere(order: Order) -> SentElsewhere | None:
    """A rehearsal pays nothing, and `--again` pays for what was paid for elsewhere."""
    if order.journals is None or order.settings.emulator or order.settings.again:
        return None
    return SentElsewhere(order.journals, folder_of(order.environment.state_folder, order.batch.origin))


def _known_ids(order: Order, scope: Scope) -> KnownIds:
    """A person who resumes after a pause for another account's ids is not asked again."""
    paused = order.paused_before
    return KnownIds(
        order.environment.clock,
        [job.id for job in scope.found.running],
        account_doubted=order.resumes and paused is not None and paused.detail.startswith(ANOTHER_ACCOUNT),
    )


def _account_line(order: Order, health: Health, scope: Scope, account: AccountStanding) -> AccountLine:
    """A doubt of an earlier run is cleared where this one asks first whether the API answers.

    On a server the submit gate is the whole account's: several runners are not to leave more in doubt.
    """
    asks_first = bool(scope.queued or scope.unconfirmed)
    return AccountLine(
        order.environment.clock,
        health,
        account_id=account.id,
        batch_id=order.batch.id,
        gate=None if order.keeper is None else order.settings.submit_gate,
        doubt=account.doubted_since if asks_first else None,
    )


def _throttle(
    order: Order, brake: Brake, health: Health, in_flight: InFlight, approval: Approval
) -> Throttle:
    return Throttle(
        order.environment.clock,
        order.environment.rng,
        brake,
        health,
        in_flight,
        gate=order.settings.submit_gate,
        rate=approval.tuning.rate,
        outage_limit=order.settings.outage_limit,
    )


def _uploader(order: Order, api: Api, brake: Brake, bucket: Bucket | None) -> Uploader:
    return Uploader(
        order.store,
        order.environment.clock,
        order.environment.rng,
        brake,
        order.observer.notice,
        deadline=order.settings.deadline,
        outage_limit=order.settings.outage_limit,
        here=is_loopback(split_origin(api.base)[1]),
        way=order.settings.way,
        bucket=bucket,
    )


def _thumbs(settings: Settings) -> ThumbFile | None:
    """Where the page has the file locked, a thumbnail is not waited for: the page makes it."""
    return ThumbFile.beside(settings.database, patience_seconds=0.0) if settings.thumbnails else None


def _timing(settings: Settings) -> Timing:
    return Timing(
        poll_min=settings.poll_min,
        poll_max=settings.poll_max,
        deadline=settings.deadline,
        outage_limit=settings.outage_limit,
        max_attempts=settings.max_attempts,
    )


def _after_clock_jump(seconds: float, api: Api, observer: Observer) -> None:
    """Drop idle connections: they are dead after the machine slept."""
    api.forget_connections()
    observer.notice(sentence(seconds))
