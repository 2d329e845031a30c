"""Whose a job is: what a runner has in hand nobody touches while it lives, and anybody takes up after."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from jobs.attempts import SubmitOutcome
from jobs.errors import LockLost
from jobs.failures import Failure, FailureKind
from jobs.outcomes import Accepted, Fetched, FetchFailed, LinksExpired, RemoteDone, RemoteFailed, Reopened
from jobs.runners import RunnerIdentity
from jobs.states import JobState
from jobs.store.store import Store
from tests.support.postgres import Cluster, open_on_server, run
from tests.support.tables import NIGHT, Table, WallClock, claimed, new_table

WHY = Failure(FailureKind.UNCONFIRMED, "Nobody answered.")
S = JobState


@pytest.fixture
def url(cluster: Cluster, tmp_path: Path) -> str:
    """A database with our tables."""
    return cluster.place(tmp_path / "night.db")


@asynccontextmanager
async def another(url: str, home: Path) -> AsyncIterator[Store]:
    """Another process that works on the table: a row of its own, and connections."""
    async with open_on_server(url, home) as database:
        database.runner_id = entered(url)
        yield Store(database, WallClock().now)


@pytest.fixture
async def table(url: str, tmp_path: Path) -> AsyncIterator[Table]:
    """A batch with five queued jobs, and a runner at work on it."""
    async with open_on_server(url, tmp_path / "night.db") as database:
        made = await new_table(database, "a", "b", "c", "d", "e")
        await made.store.batches.agree(made.batch.id)
        database.runner_id = entered(url)
        yield made


def entered(url: str) -> int:
    """A runner's row, as made by a process that ends nobody."""
    (row,) = run(
        url,
        "INSERT INTO runner (host, pid, machine, begun, version, note,"
        " since, beat_at, steady_since, lease_until, progress_at)"
        " VALUES ('here', 17, 'boot', '1234', '2.0', '{}',"
        " now(), now(), now(), now() + interval '30 seconds', now()) RETURNING id",
    )
    return int(row["id"])


def dies(url: str, runner_id: int | None) -> None:
    run(url, "UPDATE runner SET dead_at = now(), why = 'lease' WHERE id = ?", runner_id)


def owners(url: str) -> dict[str, int | None]:
    return {row["key"]: row["runner_id"] for row in run(url, "SELECT key, runner_id FROM job ORDER BY key")}


async def accepted(table: Table, key: str, number: int) -> int:
    """A job at the API, in the hands of the table's own runner."""
    job = await table.job(key)
    intent = claimed(job.id)
    assert await table.store.jobs.claim(intent) is not None
    assert await table.store.jobs.advance(Accepted(job.id, f"req-{number}", NIGHT, intent.uid)) is not None
    return job.id


async def test_what_a_runner_sends_is_its_own(url: str, table: Table) -> None:
    """The job while it is in hand; the attempt for ever."""
    me = table.store.database.runner_id
    a = await accepted(table, "a", 1)
    assert owners(url)["a"] == me
    assert await table.store.jobs.advance(RemoteDone(a, ("https://x.example/1.png",), None)) is not None
    assert owners(url)["a"] == me
    assert await table.store.jobs.apply(Fetched(a, (), NIGHT))
    assert set(owners(url).values()) == {None}
    assert run(url, "SELECT runner_id FROM attempt") == [{"runner_id": me}]


async def test_the_living_are_not_doubted(url: str, table: Table, tmp_path: Path) -> None:
    """Another one begins beside it: what is on its way stays so, and what the API has is not taken."""
    b = await table.job("b")
    await table.store.jobs.claim(claimed(b.id))
    await accepted(table, "a", 1)
    async with another(url, tmp_path / "other.db") as beside:
        settled = await beside.witness.settle_interrupted(table.batch.id, WHY)
        assert settled.unconfirmed == 0
        assert await beside.jobs_to_do(table.batch.id, S.RUNNING) == []
    assert (await table.job("b")).state is S.SUBMITTING
    assert owners(url)["a"] == table.store.database.runner_id


async def test_what_the_dead_leave(url: str, table: Table, tmp_path: Path) -> None:
    """Submits are in doubt, and the ledger says so; what the API has is taken up, once."""
    b = await table.job("b")
    intent = claimed(b.id)
    await table.store.jobs.claim(intent)
    a = await accepted(table, "a", 1)
    c = await accepted(table, "c", 2)
    await table.store.jobs.advance(RemoteDone(c, ("https://x.example/1.png",), None))
    dies(url, table.store.database.runner_id)
    async with another(url, tmp_path / "1.db") as one, another(url, tmp_path / "2.db") as two:
        assert (await one.witness.settle_interrupted(table.batch.id, WHY)).unconfirmed == 1
        assert (await two.witness.settle_interrupted(table.batch.id, WHY)).unconfirmed == 0
        assert [job.id for job in await one.jobs_to_do(table.batch.id, S.RUNNING)] == [a]
        assert await two.jobs_to_do(table.batch.id, S.RUNNING) == [], "the first has it, and lives"
        assert [job.id for job in await two.jobs_to_do(table.batch.id, S.FETCHING)] == [c]
        assert [job.id for job in await one.jobs_to_do(table.batch.id, S.RUNNING)] == [a], "and keeps it"
        assert owners(url) == {
            "a": one.database.runner_id,
            "b": None,
            "c": two.database.runner_id,
            "d": None,
            "e": None,
        }
    assert (await table.job("b")).state is S.UNCONFIRMED
    told = run(url, "SELECT outcome, runner_id FROM attempt WHERE uid = ?", intent.uid)
    assert told == [{"outcome": SubmitOutcome.UNCONFIRMED, "runner_id": table.store.database.runner_id}]


async def test_who_was_taken_for_dead_moves_nothing_of_anothers(
    url: str, table: Table, tmp_path: Path
) -> None:
    """It wakes, and polls and fetches on: every end of it is refused, and the other one's holds."""
    running = await accepted(table, "a", 1)
    fetching = await accepted(table, "b", 2)
    await table.store.jobs.advance(RemoteDone(fetching, ("https://x.example/1.png",), None))
    dies(url, table.store.database.runner_id)
    async with another(url, tmp_path / "other.db") as other:
        for state in (S.RUNNING, S.FETCHING):
            assert len(await other.jobs_to_do(table.batch.id, state)) == 1
        late = (
            RemoteDone(running, (), None),
            RemoteFailed(running, WHY, None, NIGHT),
            LinksExpired(fetching),
            Fetched(fetching, (), NIGHT),
            FetchFailed(fetching, WHY, NIGHT),
        )
        for outcome in late:
            assert not await table.store.jobs.apply(outcome), outcome
        with pytest.raises(LockLost):
            await table.store.jobs_to_do(table.batch.id, S.RUNNING)
        assert await other.jobs.apply(Fetched(fetching, (), NIGHT))
        assert await other.jobs.advance(RemoteDone(running, (), None)) is not None


async def test_a_receipt_that_comes_late_is_anybodys_job(url: str, table: Table, tmp_path: Path) -> None:
    """Its runner was taken for dead meanwhile: the table takes the receipt, and whoever lives the job."""
    job = await table.job("a")
    intent = claimed(job.id)
    await table.store.jobs.claim(intent)
    dies(url, table.store.database.runner_id)
    async with another(url, tmp_path / "other.db") as other:
        await other.witness.settle_interrupted(table.batch.id, WHY)
        assert (await table.job("a")).state is S.UNCONFIRMED
        assert await table.store.jobs.advance(Accepted(job.id, "req-1", NIGHT, intent.uid)) is not None
        assert [one.id for one in await other.jobs_to_do(table.batch.id, S.RUNNING)] == [job.id]


async def test_what_a_person_decides_is_nobodys_yet(url: str, table: Table, tmp_path: Path) -> None:
    """A command is no runner: it moves any job, and whoever works takes that up."""
    job_id = await accepted(table, "a", 1)
    async with open_on_server(url, tmp_path / "command.db") as database:
        command = Store(database, WallClock().now)
        assert await command.jobs.apply(RemoteFailed(job_id, WHY, None, NIGHT))
        assert await command.jobs.apply(Reopened(job_id, NIGHT))
    assert owners(url)["a"] is None
    assert [one.id for one in await table.store.jobs_to_do(table.batch.id, S.RUNNING)] == [job_id]


async def test_runners_are_listed(url: str, table: Table) -> None:
    """Who they are, what they have in hand, how long ago they beat."""
    await accepted(table, "a", 1)
    await table.store.jobs.claim(claimed((await table.job("b")).id))
    run(url, "UPDATE runner SET beat_at = now() - interval '7 seconds', batch_id = ?", table.batch.id)
    gone = entered(url)
    dies(url, gone)
    (one,) = await table.store.runners.living()
    assert (one.id, one.batch) == (table.store.database.runner_id, table.batch.name)
    assert one.identity == RunnerIdentity("here", 17, "boot", "1234", "2.0")
    assert (one.submitting, one.running, one.fetching, one.in_hand) == (1, 1, 0, 2)
    assert 7 <= one.silent_seconds < 60
    assert -30 < one.left_seconds < 30
    assert await table.store.runners.living(table.batch.id + 1) == []


async def test_a_submit_whose_runner_may_be_asleep_may_still_arrive(url: str, table: Table) -> None:
    """For a while. Not one whose runner has surely ended, or lives and has doubted it itself."""
    a, b, c = [await table.job(key) for key in ("a", "b", "c")]
    asked = [a.id, b.id, c.id]
    me, store = table.store.database.runner_id, table.store
    for job in (a, b):
        await store.jobs.claim(claimed(job.id))
    assert await store.runners.wait_for_late(asked, 140.0) == {}, "it lives"
    dies(url, me)
    found = await store.runners.wait_for_late(asked, 140.0)
    assert set(found) == {a.id, b.id}
    assert all(100 < seconds <= 140 for seconds in found.values())
    run(url, "UPDATE runner SET dead_at = now() - interval '141 seconds'")
    assert await store.runners.wait_for_late(asked, 140.0) == {}, "what left then has arrived, or is lost"
    for why in ("ended", "gone"):
        run(url, "UPDATE runner SET dead_at = now(), why = ?", why)
        assert await store.runners.wait_for_late(asked, 140.0) == {}, why
