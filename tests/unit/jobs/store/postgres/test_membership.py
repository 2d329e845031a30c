"""Who works on a server's database has a row there; whose row is dead commits no intent."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.errors import CannotWrite, LockLost
from jobs.failures import Failure, FailureKind
from jobs.outcomes import Accepted, LeftUnconfirmed, NotAccepted, Refused, Resubmitted
from jobs.runners import RunnerIdentity
from jobs.states import JobState
from jobs.store.postgres.address import address_of
from jobs.store.postgres.membership import Membership
from jobs.store.store import Store
from runner.recovery.hold import is_held
from runner.recovery.lock import Holder
from runner.recovery.server_lock import held_now
from tests.support.postgres import Cluster, open_on_server, run
from tests.support.tables import NIGHT, Table, claimed, new_table

ME = RunnerIdentity("here", 17, "boot", "1234", "2.0")
WHY = Failure(FailureKind.UNCONFIRMED, "Nobody answered.")
_END = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"


@pytest.fixture
def url(cluster: Cluster, tmp_path: Path) -> str:
    """A database with our tables."""
    return cluster.place(tmp_path / "night.db")


@asynccontextmanager
async def beside(url: str, home: Path) -> AsyncIterator[Table]:
    async with open_on_server(url, home) as database:
        made = await new_table(database, "a", "b")
        await made.store.batches.agree(made.batch.id)
        yield made


@pytest.fixture
async def table(url: str, tmp_path: Path) -> AsyncIterator[Table]:
    """A batch with two queued jobs, of a process that has the lock."""
    async with beside(url, tmp_path / "night.db") as made:
        yield made


@pytest.fixture
def lock(url: str) -> Iterator[Membership]:
    with closing_lock(url) as made:
        yield made


@contextmanager
def closing_lock(url: str) -> Iterator[Membership]:
    made = Membership(address_of(url))
    try:
        yield made
    finally:
        made.release()


def test_one_at_a_time(url: str, lock: Membership) -> None:
    """The second one gets it once the first has let go, or has ended without a word."""
    with closing_lock(url) as other:
        assert lock.take()
        assert not other.take()
        lock.release()
        assert other.take()
        assert not lock.take()


def entered(members: Membership, note: str = "{}") -> int:
    return members.enter(ME, note)


def dead(url: str) -> list[tuple[int, str]]:
    found = run(url, "SELECT id, why FROM runner WHERE dead_at IS NOT NULL ORDER BY id")
    return [(row["id"], row["why"]) for row in found]


def test_each_holder_has_a_row(url: str, lock: Membership) -> None:
    """It says who it is, and that it lives; whoever takes over says that it does not."""
    assert lock.take()
    first = entered(lock)
    assert lock.beat(first, "paused", progressed=True)
    assert run(url, "SELECT id, host, pid, note FROM runner") == [
        {"id": first, "host": "here", "pid": 17, "note": "paused"}
    ]
    with closing_lock(url) as other:
        run(url, _END)
        assert other.take()
        second = entered(other)
        assert second > first
        assert dead(url) == [(first, "followed")]
        with pytest.raises(CannotWrite):
            lock.beat(first, "one", progressed=False)
        assert not lock.beat(first, "one", progressed=False), "it learns that it was followed"
        assert other.beat(second, "two", progressed=False)
        other.leave(second)
    assert dead(url) == [(first, "followed"), (second, "ended")]
    assert not lock.beat(second, "it ended", progressed=False)


def test_a_runner_of_the_version_before_is_fenced_as_well(url: str, lock: Membership) -> None:
    """It has no row: it holds each intent against the number that it counted up itself."""
    run(url, "UPDATE identity SET epoch = 7")
    lock.take()
    entered(lock)
    assert run(url, "SELECT epoch FROM identity") == [{"epoch": 8}]


async def test_a_runner_that_lost_power_is_at_work_until_its_lease_is_over(
    url: str, table: Table, lock: Membership
) -> None:
    """Nobody has followed it, and its row says nothing of that."""
    lock.take()
    entered(lock, Holder(command="run").model_dump_json())
    assert await is_held(table.store)
    run(url, "UPDATE runner SET lease_until = now() - interval '1 second'")
    assert await is_held(table.store), "it has the lock"
    lock.release()
    while run(url, "SELECT 1 AS held FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"):
        pass
    assert not await is_held(table.store)
    assert await held_now(table.store) is None
    run(url, "UPDATE runner SET lease_until = now() + interval '9 seconds'")
    assert await is_held(table.store), "it may only have lost its connection"


def test_a_beat_renews_the_lease(url: str, lock: Membership) -> None:
    """A beat alone is no progress."""
    lock.take()
    me = entered(lock)
    columns = ("beat_at", "lease_until", "progress_at")
    run(url, "UPDATE runner SET " + ", ".join(f"{name} = now() - interval '1 hour'" for name in columns))
    lock.beat(me, "{}", progressed=False)
    assert _recent(url, "beat_at, lease_until") == [True, True]
    assert _recent(url, "progress_at") == [False]
    lock.beat(me, "{}", progressed=True)
    assert _recent(url, "progress_at") == [True]


def _recent(url: str, columns: str) -> list[bool]:
    asked = ", ".join(f"{name} > now() - interval '1 minute' AS {name}" for name in columns.split(", "))
    (row,) = run(url, f"SELECT {asked} FROM runner")
    return list(row.values())


async def test_a_runner_that_was_followed_commits_no_intent(url: str, table: Table, lock: Membership) -> None:
    """Its own connections work: it has heard of nothing."""
    lock.take()
    database = table.store.database
    database.runner_id = entered(lock)
    first, second = await table.job("a"), await table.job("b")
    assert await table.store.jobs.claim(claimed(first.id)) is not None
    with closing_lock(url) as other:
        run(url, _END)
        assert other.take()
        entered(other)
        with pytest.raises(LockLost, match="Another runner has taken over"):
            await table.store.jobs.claim(claimed(second.id))
        with pytest.raises(LockLost):
            await table.store.witness.settle_interrupted(table.batch.id, WHY)
    assert (await table.job("a")).state is JobState.SUBMITTING, "it may be the other one's"
    assert (await table.job("b")).state is JobState.QUEUED


async def test_a_lock_that_came_back_to_its_owner(url: str, table: Table, lock: Membership) -> None:
    """Nobody came in between: its row is alive, and so are its intents."""
    lock.take()
    table.store.database.runner_id = me = entered(lock)
    run(url, _END)
    with pytest.raises(CannotWrite):
        lock.beat(me, "{}", progressed=False)
    assert lock.take()
    assert lock.beat(me, "{}", progressed=False)
    assert await table.store.jobs.claim(claimed((await table.job("a")).id)) is not None


async def test_a_late_answer_is_about_its_own_attempt(table: Table) -> None:
    """Another runner doubted the submit, and a person had it sent again: the first one wakes, and tells."""
    job, store = await table.job("a"), table.store
    first = claimed(job.id)
    second = replace(first, uid="f" * 32)
    await store.jobs.claim(first)
    assert await _doubted(store, table.batch.id) == 1
    assert await store.jobs.apply(Resubmitted(job.id, NIGHT, automatic=False))
    assert await store.jobs.claim(second) is not None
    late = (
        NotAccepted(job.id, NIGHT, NIGHT, uid=first.uid),
        NotAccepted(job.id, NIGHT, NIGHT, told="Busy.", uid=first.uid),
        Refused(job.id, WHY, NIGHT, uid=first.uid),
        LeftUnconfirmed(job.id, WHY, NIGHT, uid=first.uid),
        Accepted(job.id, "req-1", NIGHT, first.uid),
    )
    for outcome in late:
        assert not await store.jobs.apply(outcome), outcome
    assert (await table.job("a")).state is JobState.SUBMITTING
    assert await store.jobs.apply(LeftUnconfirmed(job.id, WHY, NIGHT, uid=second.uid))
    assert not await store.jobs.apply(Resubmitted(job.id, NIGHT, automatic=True, uid=first.uid))
    assert (await table.job("a")).state is JobState.UNCONFIRMED, "that doubt is the other one's"
    assert await store.jobs.apply(Accepted(job.id, "req-2", NIGHT, second.uid))


async def test_a_late_receipt_heals_the_doubt(table: Table) -> None:
    """And who knows that nothing was sent says so, whoever doubted it."""
    store = table.store
    a, b = await table.job("a"), await table.job("b")
    sent, unsent = claimed(a.id), claimed(b.id)
    await store.jobs.claim(sent)
    await store.jobs.claim(unsent)
    assert await _doubted(store, table.batch.id) == 2
    assert await store.jobs.apply(Accepted(a.id, "req-1", NIGHT, sent.uid))
    assert await store.jobs.apply(NotAccepted(b.id, NIGHT, NIGHT, uid=unsent.uid))
    assert (await table.job("a")).state is JobState.RUNNING
    assert (await table.job("b")).state is JobState.QUEUED


async def _doubted(store: Store, batch_id: int) -> int:
    return (await store.witness.settle_interrupted(batch_id, WHY)).unconfirmed
