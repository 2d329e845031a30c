"""Which jobs a retry would take, as values."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from jobs.errors import TokenProblem
from jobs.failures import Failure, FailureKind
from jobs.outcomes import Attached, Discarded, Requeued
from jobs.pauses import PauseReason
from jobs.states import JobState
from jobs.store.store import Store
from runner.clock import SystemClock
from runner.deciding.retry import RetryPlan, carry_out, plan_retry, without_payment
from runner.providers.base import CallFailed, StatusVerdict, Stopped, UnknownId
from runner.providers.connect import Api
from tests.support.postgres import Cluster, open_on_server, run
from tests.support.scripted import WORKING, ScriptedProvider
from tests.support.tables import new_table
from tests.unit.runner.cli.world import World, accepted, done, fetch_failed, job, refused, remote_failed

OpenApi = Callable[[], AbstractAsyncContextManager[Api]]
CLOCK = SystemClock()
ANOTHERS = "it is another account's request: use that account's token"
NOT_TOLD = "the API does not say whether it knows its request"


@pytest.fixture
def night(world: World) -> World:
    """One that the API holds the result of, one to pay for, one that has to be named, one to be sent yet."""
    world.load(*(job(position, key) for position, key in enumerate(["held", "paid", "moderated", "queued"])))
    world.price()
    world.move("held", accepted("r-1"), done("0.08"), fetch_failed())
    world.move("paid", refused())
    world.move("moderated", accepted("r-2"), remote_failed(FailureKind.MODERATED))
    return world


def unreachable() -> AbstractAsyncContextManager[Api]:
    """Opens no API: nothing has to be asked."""
    raise TokenProblem("There is no API token.")


async def planned(store: Store, *kinds: FailureKind, open_api: OpenApi = unreachable) -> RetryPlan:
    batch = await store.batches.named(None)
    return await plan_retry(store, batch, (), kinds, open_api, submit_timeout=60.0)


def asking(verdict: StatusVerdict) -> OpenApi:
    """Opens an API that says this of each request."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Api]:
        provider = ScriptedProvider(CLOCK)
        provider.says("status", verdict)
        yield Api(provider, "https://api.example/v1", "https://api.example", lambda: None)

    return opened


@pytest.mark.parametrize(
    ("verdict", "free", "paid", "why"),
    [
        (WORKING, ["held", "lost"], ["paid"], None),
        (UnknownId("ResourceNotFound"), ["held"], ["paid", "lost"], None),
        (UnknownId("PermissionDeniedError", "403001"), ["held"], ["paid"], ANOTHERS),
        (UnknownId("Forbidden", "403"), ["held"], ["paid"], ANOTHERS),
        (CallFailed("silence"), ["held"], ["paid"], f"{NOT_TOLD}: silence"),
        (Stopped(PauseReason.TOKEN, "no"), ["held"], ["paid"], f"{NOT_TOLD}: no"),
        (None, ["held"], ["paid"], "the API cannot be asked about its request: There is no API token."),
    ],
)
def test_a_lost_request_is_asked_for_first(
    night: World, verdict: StatusVerdict | None, free: list[str], paid: list[str], why: str | None
) -> None:
    """It is paid for: only where the API says that it does not know it, it is bought again."""
    night.move("queued", accepted("r-3"), remote_failed(FailureKind.LOST))
    opened = unreachable if verdict is None else asking(verdict)
    plan = night.store(lambda store: planned(store, open_api=opened))
    names = {"queued": "lost"}
    assert [names.get(one.key, one.key) for one in plan.free] == free
    assert [names.get(one.key, one.key) for one in plan.paid] == paid
    assert [one.reason for one in plan.not_retried if one.key == "queued"] == ([why] if why else [])


@pytest.mark.parametrize(("dead_for", "why"), [(10, "may still arrive"), (141, None)])
async def test_a_discarded_submit_that_may_still_arrive_is_not_sent_again(
    cluster: Cluster, tmp_path: Path, dead_for: int, why: str | None
) -> None:
    """Its runner may only be asleep: letting it go is no way around the wait."""
    url = cluster.place(tmp_path / "night.db")
    async with open_on_server(url, tmp_path / "night.db") as database:
        table = await new_table(database, "a")
        await table.bring("a", JobState.UNCONFIRMED)
        discarded = Failure(FailureKind.DISCARDED, "let go")
        one = await table.job("a")
        assert await table.store.jobs.apply(Discarded(one.id, discarded, CLOCK.now()))
        (row,) = run(
            url,
            "INSERT INTO runner (host, pid, version, note, since, beat_at, steady_since, lease_until,"
            " progress_at, dead_at, why) VALUES ('there', 17, '2.0', '{}', now(), now(), now(), now(), now(),"
            " now() - ? * interval '1 second', 'followed') RETURNING id",
            dead_for,
        )
        run(url, "UPDATE attempt SET runner_id = ?", row["id"])
        plan = await plan_retry(table.store, table.batch, ["a"], (), unreachable, submit_timeout=60.0)
    assert [one.key for one in plan.paid] == ([] if why else ["a"])
    assert [why is not None and why in one.reason for one in plan.not_retried] == ([True] if why else [])


def test_what_the_api_holds_goes_by_the_newest_submit(night: World) -> None:
    """An earlier request that is attached again is the newest, though it was written down first."""
    lost = remote_failed(FailureKind.LOST)
    night.move("queued", accepted("r-3"), lost, lambda job_id: Requeued(job_id, CLOCK.now()))
    night.move(
        "queued",
        accepted("r-4"),
        lost,
        lambda job_id: Attached(job_id, "r-3", CLOCK.now()),
        done("0.08"),
        fetch_failed(),
    )
    plan = night.store(planned)
    assert [one.key for one in plan.free] == ["held", "queued"]
    assert [one.key for one in plan.paid] == ["paid"]


def test_a_plan_changes_nothing(night: World) -> None:
    """It sorts the jobs, with a reason for each that it leaves out."""
    before = night.states()
    plan = night.store(planned)
    assert [one.key for one in plan.free] == ["held"]
    assert [one.key for one in plan.paid] == ["paid"]
    assert [(one.key, one.state) for one in plan.not_retried] == [("moderated", "failed")]
    assert night.states() == before


def test_a_kind_that_is_named_is_taken(night: World) -> None:
    """And the others are passed over without a word."""
    plan = night.store(lambda store: planned(store, FailureKind.MODERATED))
    assert ([one.key for one in plan.paid], plan.not_retried) == (["moderated"], [])


def test_without_payment_what_is_free_is_left(night: World) -> None:
    """And queued; each that was declined is named."""

    async def inside(store: Store) -> RetryPlan:
        plan = without_payment(await planned(store), await store.batches.named(None))
        return await carry_out(plan, store, CLOCK)

    retried = night.store(inside)
    assert [one.key for one in retried.free] == ["held"]
    assert retried.paid == ()
    assert [(one.key, one.reason) for one in retried.not_retried][1:] == [("paid", "not agreed to")]
    assert night.states() == {"held": "running", "paid": "failed", "moderated": "failed", "queued": "queued"}


def test_what_changed_since_the_plan_is_named(night: World) -> None:
    """The result says what was done, not what was planned."""

    async def inside(store: Store) -> RetryPlan:
        plan = await planned(store)
        await carry_out(plan, store, CLOCK)
        return await carry_out(plan, store, CLOCK)

    retried = night.store(inside)
    assert retried.is_empty
    assert [one.reason for one in retried.not_retried][1:] == ["it changed in the meantime"] * 2
