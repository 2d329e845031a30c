"""A run under its account's own limits: it sends what they let go, waits with the rest, pauses for money."""

from collections import Counter
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest

from jobs.admission import ACCOUNT_BUDGET, NO_KNOWN_PRICE, Bound, NotAdmitted
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.store.store import Store
from runner.providers.base import Taken, TurnedAway, Unconfirmed
from runner.workers.edge.money import no_room
from runner.workers.edge.submit import submit
from tests.support.scripted import PRICE
from tests.support.tables import select, tamper
from tests.support.virtual_time import virtual
from tests.support.world import World, world
from tests.unit.runner.workers.test_pool import run_to_its_end, states

KEYS = [f"k{number}" for number in range(12)]
OF_TESTS = ""
"""The account's name."""


async def limited(store: Store, **limits: Any) -> None:
    await store.accounts.set_limits(OF_TESTS, limits)


def submits(w: World) -> list[float]:
    """When each submit left."""
    return [call.at for call in w.provider.asked("submit")]


@virtual
async def test_no_more_at_the_api_than_the_account_takes(tmp_path: Path) -> None:
    """Whatever the run's own concurrency is; and all of them come home."""
    async with world(tmp_path, *KEYS, slots=8) as w:
        await limited(w.store, in_flight_max=3)
        seen: list[int] = []

        def look(_call: Any) -> Taken:
            at_api = "SELECT count(*) AS many FROM job WHERE state IN ('submitting', 'running')"
            seen.append(select(w.path, at_api)[0]["many"])
            return Taken(f"req-{len(seen)}")

        w.provider.says("submit", look)
        assert await run_to_its_end(w) == []
        assert await states(w) == {JobState.SUCCEEDED: len(KEYS)}
        assert max(seen) == 3
        assert len(seen) == len(KEYS)


@virtual
async def test_the_account_s_rate(tmp_path: Path) -> None:
    """Evenly, to the moment: whoever is refused is told when to ask again."""
    async with world(tmp_path, *KEYS[:5]) as w:
        await limited(w.store, per_minute=6.0)
        assert await run_to_its_end(w) == []
        assert [round(later - earlier, 2) for earlier, later in pairwise(submits(w))] == [10.0] * 4


@virtual
async def test_the_account_s_budget_pauses(tmp_path: Path) -> None:
    """What fits is sent and fetched; then the batch says what it waits for, and what to do."""
    async with world(tmp_path, *KEYS) as w:
        await limited(w.store, budget=3 * PRICE)
        assert await run_to_its_end(w) == []
        assert Counter(await states(w)) == {JobState.SUCCEEDED: 3, JobState.QUEUED: len(KEYS) - 3}
        (stop,) = w.stops
        assert stop.reason is PauseReason.BUDGET
        assert f"the account's budget of {3 * PRICE} USD" in stop.detail
        assert "`nightsheet account set --budget USD`" in stop.detail
        assert len(submits(w)) == 3


@pytest.mark.parametrize("of_account", [True, False])
@virtual
async def test_a_price_that_nobody_knows_is_not_helped_by_more_money(
    tmp_path: Path, of_account: bool
) -> None:
    """What a person is told leads out of it."""
    async with world(tmp_path, "a") as w:
        whose = ACCOUNT_BUDGET if of_account else "the batch's budget"
        refused = NotAdmitted(Bound.BUDGET, f"{whose} of 9 USD, and this one has {NO_KNOWN_PRICE}")
        told = no_room(await w.queued(), refused)
    assert "raises it" not in told
    assert "under [prices] in nightsheet.toml" in told
    assert ("`nightsheet account set --budget none`" in told) is of_account


@virtual
async def test_a_rate_that_is_raised_meanwhile(tmp_path: Path) -> None:
    """Is obeyed within a second, and not after the turn that was told."""
    async with world(tmp_path, "a", "b") as w:
        await limited(w.store, per_minute=0.1)
        assert await submit(w.run, await w.queued("a")) is not None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(submit, w.run, await w.queued("b"))
            await w.clock.sleep(5)
            await limited(w.store, per_minute=None)
        first, second = submits(w)
        assert 5 <= second - first < 6.5


@virtual
async def test_a_limit_that_is_raised_meanwhile(tmp_path: Path) -> None:
    """Is found within a second, by whoever waits in line."""
    async with world(tmp_path, "a", "b") as w:
        await limited(w.store, in_flight_max=1)
        assert await submit(w.run, await w.queued("a")) is not None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(submit, w.run, await w.queued("b"))
            await w.clock.sleep(5)
            assert (await w.job("b")).state is JobState.QUEUED
            assert w.run.limits.account.waiting_for == "the account's limit of 1 in flight"
            await limited(w.store, in_flight_max=2)
        first, second = submits(w)
        assert 5 <= second - first < 6.5


@virtual
async def test_a_job_that_is_cancelled_stops_waiting_for_the_account(tmp_path: Path) -> None:
    """And so does one whose batch is paused."""
    async with world(tmp_path, "a", "b", "c") as w:
        await limited(w.store, in_flight_max=1)
        assert await submit(w.run, await w.queued("a")) is not None
        async with anyio.create_task_group() as tasks:
            for key in ("b", "c"):
                tasks.start_soon(submit, w.run, await w.queued(key))
            await w.clock.sleep(5)
            w.run.queue.pending.end((await w.job("b")).id)
            await w.clock.sleep(5)
            w.run.limits.brake.pause(PauseReason.PERSON, "wait")
        assert len(submits(w)) == 1
        assert w.run.limits.budget.committed == PRICE


@virtual
async def test_a_doubt_of_this_run_costs_one_free_question(tmp_path: Path) -> None:
    """The table has it until the API has answered, and then nobody waits for it any more."""
    async with world(tmp_path, "a", "b", "c") as w:
        w.provider.says("submit", Unconfirmed("no answer"), Taken("req-b"), Taken("req-c"))
        assert await submit(w.run, await w.queued("a")) is None
        assert select(w.path, "SELECT doubted_since FROM apiaccount")[0]["doubted_since"] is not None
        for key in ("b", "c"):
            assert await submit(w.run, await w.queued(key)) is not None
        assert len(w.provider.asked("price")) == 1
        assert select(w.path, "SELECT doubted_since FROM apiaccount") == [{"doubted_since": None}]


@virtual
async def test_a_doubt_of_another_run_is_asked_about_first(tmp_path: Path) -> None:
    """A free question leaves before this run's submit does."""
    async with world(tmp_path, "a") as w:
        tamper(w.path, "UPDATE apiaccount SET doubted_since = '2026-11-20T21:59:00.000000+00:00'")
        assert await submit(w.run, await w.queued()) is not None
        assert [call.name for call in w.provider.calls] == ["price", "submit"]
        assert select(w.path, "SELECT doubted_since FROM apiaccount") == [{"doubted_since": None}]


@virtual
async def test_the_others_wait_for_the_one_who_asks(tmp_path: Path) -> None:
    """Another run has the question: this one asks nothing, and sends once the doubt is cleared."""
    async with world(tmp_path, "a") as w:
        asked = w.clock.now().replace(second=20).isoformat(timespec="microseconds")
        doubted = "2026-11-20T21:59:00.000000+00:00"
        tamper(w.path, f"UPDATE apiaccount SET doubted_since = '{doubted}', asked_until = '{asked}'")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(submit, w.run, await w.queued())
            await w.clock.sleep(5)
            assert w.provider.calls == []
            tamper(w.path, "UPDATE apiaccount SET doubted_since = NULL")
        assert [call.name for call in w.provider.calls] == ["submit"]


@pytest.mark.parametrize("waits", [20.0, None])
@virtual
async def test_a_cool_down_is_told_to_the_account(tmp_path: Path, waits: float | None) -> None:
    """Whoever else uses it waits as long as this run does."""
    async with world(tmp_path, "a") as w:
        w.provider.says("submit", TurnedAway("busy", busy=True, retry_after_seconds=waits), Taken("req-a"))
        assert await submit(w.run, await w.queued()) is not None
        first, second = submits(w)
        (row,) = select(w.path, "SELECT cool_until FROM apiaccount")
        assert row["cool_until"] is not None
        assert second - first >= (waits or 0.5)
        assert w.run.limits.budget.committed == Decimal(PRICE)
