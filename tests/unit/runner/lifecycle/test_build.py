"""The parts of one run: every setting arrives where it counts, and nothing begins without agreement."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from typing import Any

import anyio
import pytest

from jobs.errors import UsageProblem
from jobs.failures import Failure, FailureKind
from jobs.outcomes import Accepted, LeftUnconfirmed
from jobs.pauses import PauseReason
from jobs.store.sqlite.thumb_file import ThumbFile
from jobs.views import OpenJob
from runner.downloads.disk import LocalDisk
from runner.events.progress import ProgressCounter, Watched
from runner.http.image_client import ImageClient
from runner.http.url_policy import ImageUrlPolicy
from runner.lifecycle.approve import approve
from runner.lifecycle.build import build, build_brake, build_health
from runner.lifecycle.guarding import track_record
from runner.lifecycle.order import Resources, Scope
from runner.limits.brake import Reach
from runner.limits.guards import Guards
from runner.planning.consent import Ask, Consent, agreed_to_all
from runner.providers.base import Priced, Stopped
from runner.providers.connect import Api
from runner.providers.runcomfy.endpoint import DEFAULT_BASE, IMAGE_HOSTS
from runner.recovery.recover import recover
from runner.settings import load_settings
from runner.workers.context import Context
from tests.support.night import Watching
from tests.support.order import order_of
from tests.support.scripted import PRICE
from tests.support.tables import ESTIMATE, MODEL, ORIGIN, SHEET, claimed, rows
from tests.support.virtual_time import virtual
from tests.support.world import World, world


class Around:
    """What happened outside of the run while it was put together, and afterwards."""

    def __init__(self) -> None:
        self.asked: list[Ask] = []
        self.forgotten = 0
        self.watching = Watching()

    def forget(self) -> None:
        self.forgotten += 1

    async def agree(self, ask: Ask) -> bool:
        self.asked.append(ask)
        return True

    async def refuse(self, ask: Ask) -> bool:
        self.asked.append(ask)
        return False


@asynccontextmanager
async def assembled(
    w: World, folder: Path, environment: Around, consent: Consent = agreed_to_all, **settings: Any
) -> AsyncIterator[Context]:
    """A run over the world's batch, as `runner.run` puts it together."""
    w = replace(w, run=replace(w.run, batch=await w.store.batches.get(w.run.batch.id)))
    order, environment.watching = order_of(w, folder, consent)
    order = replace(
        order, settings=load_settings({"db": w.path, "output_dir": folder / "outputs"} | settings)
    )
    found = await recover(w.store, w.run.batch, w.places, w.clock.now())
    api = Api(w.provider, DEFAULT_BASE, ORIGIN, environment.forget)
    queued = await w.store.preview.to_send(w.run.batch.id)
    scope = Scope(found, None, queued, (), await track_record(order))
    send, ready = anyio.create_memory_object_stream[OpenJob](8)
    async with ImageClient(ImageUrlPolicy.of(DEFAULT_BASE, IMAGE_HOSTS)) as client:
        with send, ready:
            brake = build_brake(order)
            health = build_health(order, api, brake, scope)
            early = Watched(order.store, order.batch, order.environment.clock, brake, health, 0.0)
            progress = ProgressCounter(early, order.observer)
            approval = await approve(order, api.provider, brake, health, scope, progress)
            resources = Resources(w.run.journal, w.run.files, client, LocalDisk(), None, send)
            account = await order.store.accounts.enter(api.account, order.batch.id)
            yield build(order, api, brake, health, approval, scope, resources, None, account)


async def take(w: World, key: str, *, unconfirmed: bool = False) -> None:
    """Have the API take a job, or leave it in doubt."""
    job, now = await w.queued(key), w.clock.now()
    assert await w.store.jobs.claim(claimed(job.id, now, ESTIMATE))
    failure = Failure(FailureKind.UNCONFIRMED, "silence")
    outcome = LeftUnconfirmed(job.id, failure, now) if unconfirmed else Accepted(job.id, f"req-{key}", now)
    assert await w.store.jobs.apply(outcome)


def failures_until_paused(run: Context) -> int:
    """How many failures in a row the guard lets pass."""
    for times in range(1, 100):
        run.limits.guards.failed(MODEL, FailureKind.REMOTE_FAILED)
        if run.limits.brake.stop is not None:
            return times
    return 0


# -- settings --------------------------------------------------------------------------------------------


@virtual
async def test_what_nobody_sets_is_as_it_always_was(tmp_path: Path) -> None:
    """The defaults of the README."""
    async with world(tmp_path, "a") as w, assembled(w, tmp_path, Around()) as run:
        timing = run.timing
        assert (timing.poll_min, timing.poll_max, timing.deadline, timing.outage_limit) == (
            0.25,
            5,
            3600,
            1800,
        )
        assert (timing.max_attempts, run.images.keep_bad) == (1, False)
        assert (run.queue.slots.total_tokens, run.limits.throttle.rate, run.limits.budget.limit) == (
            8,
            None,
            None,
        )
        assert run.images.downloads.root == tmp_path / "outputs"
        assert failures_until_paused(run) == 20


@virtual
async def test_every_limit_is_a_setting(tmp_path: Path) -> None:
    """Each by its own name, and none in another's place."""
    said: dict[str, Any] = {
        "poll_min": 2.0,
        "poll_max": 7.0,
        "deadline": 11.0,
        "outage_limit": 13.0,
        "max_attempts": 3,
        "name_template": "{batch}/{key}-{index}",
        "keep_bad": True,
    }
    async with world(tmp_path, "a") as w, assembled(w, tmp_path, Around(), **said) as run:
        found = {name: getattr(run.images, name, None) or getattr(run.timing, name, None) for name in said}
        assert found == said


@virtual
async def test_thumbnails_are_kept_beside_the_database(tmp_path: Path) -> None:
    """Unless nobody wants them."""
    async with world(tmp_path, "a") as w:
        async with assembled(w, tmp_path, Around()) as run:
            assert run.images.thumbs is not None
            run.images.thumbs.put("a" * 64, 384, b"small")
            run.images.thumbs.close()
            found = ThumbFile.beside(w.path)
            assert found.get("a" * 64, 384) == b"small"
            found.close()
        async with assembled(w, tmp_path, Around(), thumbnails=False) as run:
            assert run.images.thumbs is None


@virtual
async def test_every_guard_is_a_setting(tmp_path: Path) -> None:
    """Each does what its name says."""
    keys = [f"{number:02}" for number in range(50)]

    async def paused_after(number: int, event: Any, **settings: Any) -> int:
        (folder := tmp_path / f"{number}").mkdir()
        async with world(folder, *keys) as w, assembled(w, folder, Around(), **settings) as run:
            for times in range(1, 60):
                event(run.limits.guards)
                if run.limits.brake.stop is not None:
                    return times
            return 0

    def fail(guards: Guards) -> None:
        guards.failed(MODEL, FailureKind.REMOTE_FAILED)
        guards.admits(MODEL, 0)

    def differently(guards: Guards) -> None:
        guards.failed(MODEL, next(kinds))

    def doubt(guards: Guards) -> None:
        guards.unconfirmed(MODEL)

    kinds = cycle((FailureKind.REMOTE_FAILED, FailureKind.EXPIRED))
    assert await paused_after(1, fail, guard_failures=5, canary=0) == 5
    assert await paused_after(2, doubt, guard_unconfirmed=5) == 6
    assert await paused_after(3, doubt, guard_unconfirmed_percent=60) == 31
    assert await paused_after(4, fail, canary_above=49) == 3
    assert await paused_after(5, fail, canary_above=49, canary=2) == 2
    assert await paused_after(6, fail, canary_above=50) == 20
    assert await paused_after(7, differently, guard_window=7) == 7
    assert await paused_after(8, differently, guard_window_percent=0) == 0


@virtual
async def test_the_gate_and_the_rate_are_settings(tmp_path: Path) -> None:
    """Two at once at most, and thirty a minute."""
    async with world(tmp_path, "a") as w:
        async with assembled(w, tmp_path, Around(), submit_gate=2) as run, anyio.create_task_group() as tasks:
            inside: list[int] = []

            async def enter(number: int) -> None:
                async with run.limits.throttle.admit(1):
                    inside.append(number)
                    await anyio.sleep(60)

            for number in range(5):
                tasks.start_soon(enter, number)
            await anyio.sleep(30)
            assert len(inside) == 2
            tasks.cancel_scope.cancel()
        async with assembled(w, tmp_path, Around(), rate=30.0) as run:
            assert run.limits.throttle.rate == 30


@virtual
async def test_what_tune_has_left_counts_unless_a_flag_says_other(tmp_path: Path) -> None:
    """Both in the run's own parts."""
    async with world(tmp_path, "a") as w:
        await w.store.batches.tune(w.run.batch.id, {"concurrency": 3, "rate": 12.0, "budget": Decimal(5)})
        async with assembled(w, tmp_path, Around()) as run:
            assert (run.queue.slots.total_tokens, run.limits.throttle.rate, run.limits.budget.limit) == (
                3,
                12.0,
                Decimal(5),
            )
        async with assembled(w, tmp_path, Around(), budget=Decimal(2), concurrency=1) as run:
            assert (run.queue.slots.total_tokens, run.limits.throttle.rate, run.limits.budget.limit) == (
                1,
                12.0,
                Decimal(2),
            )


# -- prices, agreement and money -------------------------------------------------------------------------


@virtual
async def test_prices_are_asked_and_then_a_person(tmp_path: Path) -> None:
    """With the API's own price, for what is new."""
    async with world(tmp_path) as w:
        environment = Around()
        await w.store.batches.load(name="night", sheet=SHEET, origin=ORIGIN, planned=rows("a", "b"))
        w.provider.says("price", Priced(Decimal("0.07")))
        async with assembled(w, tmp_path, environment, environment.agree) as run:
            assert run.limits.budget.estimate(MODEL, 2) == Decimal("0.14")
        assert [(ask.jobs, ask.high_usd) for ask in environment.asked] == [(2, Decimal("0.14"))]
        assert (await w.store.batches.get(w.run.batch.id)).prices == {MODEL: Decimal("0.07")}


@virtual
async def test_without_agreement_there_is_no_run(tmp_path: Path) -> None:
    """Nothing may be claimed."""
    async with world(tmp_path) as w:
        environment = Around()
        await w.store.batches.load(name="night", sheet=SHEET, origin=ORIGIN, planned=rows("a"))
        with pytest.raises(UsageProblem, match="Not agreed to"):
            async with assembled(w, tmp_path, environment, environment.refuse):
                pass
        assert len(environment.asked) == 1
        assert w.provider.asked("submit") == []
        assert await w.store.jobs.queued(w.run.batch.id, limit=9) == []


@virtual
async def test_a_budget_without_a_price_is_refused_before_a_person_is_asked(tmp_path: Path) -> None:
    """A limit that nothing can be held against is none; a tuned one as well."""
    async with world(tmp_path) as w:
        environment = Around()
        await w.store.batches.load(name="night", sheet=SHEET, origin=ORIGIN, planned=rows("a"))
        w.provider.says("price", Priced(None))
        for settings, tuned in (({"budget": Decimal(5)}, None), ({}, Decimal(5))):
            await w.store.batches.tune(w.run.batch.id, {"budget": tuned})
            with pytest.raises(UsageProblem, match="has none for"):
                async with assembled(w, tmp_path, environment, environment.agree, **settings):
                    pass
        assert environment.asked == []


@virtual
async def test_a_token_that_is_refused_asks_nobody_for_agreement(tmp_path: Path) -> None:
    """Nor says that a budget has no price: the run comes to its end by the brake."""
    async with world(tmp_path) as w:
        environment = Around()
        await w.store.batches.load(name="night", sheet=SHEET, origin=ORIGIN, planned=rows("a"))
        w.provider.says("price", Stopped(PauseReason.TOKEN, "expired"))
        async with assembled(w, tmp_path, environment, environment.agree, budget=Decimal(5)) as run:
            assert run.limits.brake.stops(Reach.POLLS)
        assert environment.asked == []
        assert environment.watching.notices == ["Paused (token): expired"]


@virtual
async def test_with_nothing_queued_nothing_is_asked(tmp_path: Path) -> None:
    """What is at the API is only fetched: neither a price nor an agreement is needed for it."""
    async with world(tmp_path, "a") as w:
        environment = Around()
        await take(w, "a")
        async with assembled(w, tmp_path, environment, environment.refuse, budget=Decimal(5)) as run:
            assert not run.limits.health.suspect
        assert (w.provider.calls, environment.asked) == ([], [])


@virtual
async def test_what_is_or_may_be_paid_already_counts_against_the_budget(tmp_path: Path) -> None:
    """Jobs at the API and doubts alike."""
    async with world(tmp_path, "a", "b", "c", "d") as w:
        await take(w, "a")
        await take(w, "b", unconfirmed=True)
        await w.store.jobs.claim(claimed((await w.queued("c")).id, w.clock.now(), ESTIMATE))
        async with assembled(w, tmp_path, Around(), budget=3 * ESTIMATE + PRICE) as run:
            assert run.limits.budget.committed == 3 * ESTIMATE
            assert run.limits.budget.reserve(run.limits.budget.estimate(MODEL, 1))
            assert not run.limits.budget.reserve(run.limits.budget.estimate(MODEL, 1))


# -- what reaches out ------------------------------------------------------------------------------------


@virtual
async def test_after_a_sleep_connections_are_let_go_of(tmp_path: Path) -> None:
    """And a person is told."""
    async with world(tmp_path, "a") as w:
        environment = Around()
        async with assembled(w, tmp_path, environment) as run:
            run.time.jumps.look()
            assert (environment.forgotten, environment.watching.notices) == (0, [])
            w.clock.jump(timedelta(hours=7))
            run.time.jumps.look()
            assert environment.forgotten == 1
            assert "7 h 00 min" in environment.watching.notices[0]


@virtual
async def test_a_pause_and_a_notice_reach_who_looks_on(tmp_path: Path) -> None:
    """In words."""
    async with world(tmp_path, "a") as w:
        environment = Around()
        async with assembled(w, tmp_path, environment) as run:
            run.limits.brake.pause(PauseReason.GUARD, "all of them fail")
            run.notice("a notice")
        assert environment.watching.notices == ["Paused (guard): all of them fail", "a notice"]


@virtual
async def test_a_free_question_is_about_a_model_of_the_batch(tmp_path: Path) -> None:
    """Of one that is fetched still, where nothing else is left."""
    async with world(tmp_path, "a") as w:
        await take(w, "a")
        async with assembled(w, tmp_path, Around()) as run:
            run.limits.health.submit_unconfirmed()
            await run.limits.health.ready()
        assert [call.about for call in w.provider.asked("price")] == [MODEL]


@virtual
async def test_a_budget_that_is_said_outlives_its_run(tmp_path: Path) -> None:
    """`resume` without it keeps to it; one from a file is read again each time."""
    async with world(tmp_path, "a") as w:
        async with assembled(w, tmp_path, Around(), budget=Decimal("0.30")) as run:
            assert run.batch.budget == Decimal("0.30")
        async with assembled(w, tmp_path, Around()) as run:
            assert run.limits.budget.limit == Decimal("0.30")


@virtual
async def test_what_was_agreed_to_beforehand_is_recorded_though_nothing_can_be_sent(tmp_path: Path) -> None:
    """`--yes`, and a token that is refused: to mend it and to resume asks nothing new."""
    new = rows("a", "b")
    async with world(tmp_path, "a") as w:
        await w.store.batches.load(name="night", sheet=SHEET, origin=ORIGIN, planned=new)
        w.provider.says("price", Stopped(PauseReason.TOKEN, "expired"))
        async with assembled(w, tmp_path, Around()):
            assert await w.store.preview.unagreed(w.run.batch.id) == {}
    (folder := tmp_path / "asked").mkdir()
    async with world(folder, "a") as w:
        await w.store.batches.load(name="night", sheet=SHEET, origin=ORIGIN, planned=new)
        w.provider.says("price", Stopped(PauseReason.TOKEN, "expired"))
        environment = Around()
        async with assembled(w, folder, environment, environment.agree):
            assert await w.store.preview.unagreed(w.run.batch.id) != {}
            assert environment.asked == []


@virtual
async def test_what_other_batches_sent_without_a_price_is_reckoned(tmp_path: Path) -> None:
    """By the price that each kept, else by today's: no account's budget waits for a batch of the past."""
    async with world(tmp_path, "a") as w:
        known = {"kept": PRICE * 3, "none": None}
        ids = {}
        for name, kept in known.items():
            batch, _ = await w.store.batches.load(
                name=name, sheet=SHEET.with_name(f"{name}.csv"), origin=ORIGIN, planned=rows(name)
            )
            ids[name] = batch.id
            await w.store.batches.agree(batch.id)
            (job,) = await w.store.jobs.queued(batch.id, limit=9)
            assert await w.store.jobs.claim(claimed(job.id, w.clock.now(), None))
            assert await w.store.jobs.apply(Accepted(job.id, f"req-{name}", w.clock.now()))
            await w.store.accounts.enter("one", batch.id)
            if kept is not None:
                await w.store.batches.note_prices(batch.id, {MODEL: kept})
        await w.store.accounts.enter("one", w.run.batch.id)
        async with assembled(w, tmp_path, Around()):
            pass
        spent = [(await w.store.ledger.account(ids[name])).spent_usd for name in known]
        assert spent == [PRICE * 3, PRICE]
