"""Lists of jobs: what may be claimed, what the API has, what a manifest shows."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from jobs.outcomes import NotAccepted
from jobs.states import JobState, Move
from jobs.views import FRONT, ArtifactView, OpenJob, Place, QueuedJob
from tests.support.tables import ESTIMATE, MODEL, NIGHT, Table, failure, picture, planned, rows, select

S = JobState


async def queued(table: Table, after: Place = FRONT, limit: int = 99) -> list[str]:
    """Keys of the jobs that may be claimed now."""
    return [job.key for job in await table.store.jobs.queued(table.batch.id, after=after, limit=limit)]


async def test_nothing_may_be_claimed_before_it_is_agreed_to(table: Table) -> None:
    """Not even listed."""
    assert await queued(table) == []
    assert await table.store.batches.agree(table.batch.id) == 3
    assert await queued(table) == ["a", "b", "c"]


async def test_a_queued_job_comes_with_what_is_sent(table: Table) -> None:
    """To the byte, so that nothing is looked up between the claim and the submit."""
    await table.store.batches.agree(table.batch.id)
    job_id = (await table.job("a")).id
    inputs = '{"prompt":"a fox","size":"2048x2048"}'
    first, *_ = await table.store.jobs.queued(table.batch.id, limit=1)
    digest = (await table.job("a")).fingerprint
    assert first == QueuedJob(
        id=job_id, key="a", row=2, model=MODEL, inputs=inputs, pictures=1, fingerprint=digest
    )


async def test_the_queue_comes_in_pages(table: Table) -> None:
    """Each begins beyond the last id of the one before."""
    await table.load(rows("a", "b", "c", "d", "e"))
    await table.store.batches.agree(table.batch.id)
    assert await queued(table, limit=2) == ["a", "b"]
    assert await queued(table, after=(0.0, (await table.job("b")).id), limit=2) == ["c", "d"]
    assert await queued(table, after=(0.0, (await table.job("d")).id), limit=2) == ["e"]
    assert await queued(table, after=(0.0, (await table.job("e")).id), limit=2) == []


async def test_higher_priority_goes_first_in_pages_too(kept_on: str, table: Table) -> None:
    """Then the order of loading; by the index, without sorting or passing by what is left out."""
    turns = {"a": 0.0, "b": 0.0, "c": 5.0, "d": -1.0, "e": 2.5, "f": 5.0}
    sheet = [planned(key, place, priority=turn) for place, (key, turn) in enumerate(turns.items())]
    await table.load(sheet)
    await table.store.batches.agree(table.batch.id)
    assert "".join(await queued(table)) == "cfeabd"
    (last,) = (await table.store.jobs.queued(table.batch.id, limit=4))[-1:]
    assert "".join(await queued(table, after=last.place)) == "bd"
    statement = (
        "EXPLAIN QUERY PLAN SELECT id FROM job WHERE batch_id = 1 AND state = 'queued' AND agreed IS 1"
        " AND (turn, id) > (0.0, 3) AND current = 1 ORDER BY turn, id"
    )
    if kept_on == "file":
        (step,) = select(table.path, statement)
        assert "job_in_turn (batch_id=? AND state=? AND agreed=? AND turn>?)" in step["detail"]


async def test_a_job_that_waits_is_listed_when_its_time_has_come(table: Table) -> None:
    """To the moment: at `available_at` itself it may go."""
    job_id = await table.bring("b", S.SUBMITTING)
    await table.store.jobs.apply(NotAccepted(job_id, NIGHT, NIGHT + timedelta(seconds=30)))
    assert await queued(table) == ["a", "c"]
    table.clock.advance(29.999)
    assert await queued(table) == ["a", "c"]
    table.clock.advance(0.001)
    assert await queued(table) == ["a", "b", "c"]


async def test_the_next_time_a_job_may_go(table: Table) -> None:
    """The earliest over all queued jobs that were agreed to and are in the sheet."""
    assert await table.store.jobs.next_available(table.batch.id) is None
    for key, seconds in (("a", 60), ("b", 30), ("c", 90)):
        job_id = await table.bring(key, S.SUBMITTING)
        await table.store.jobs.apply(NotAccepted(job_id, NIGHT, NIGHT + timedelta(seconds=seconds)))
    assert await table.store.jobs.next_available(table.batch.id) == NIGHT + timedelta(seconds=30)
    await table.load(rows("a", "c"))
    assert await table.store.jobs.next_available(table.batch.id) == NIGHT + timedelta(seconds=60)


async def test_only_jobs_of_the_sheet_and_the_batch_are_queued(table: Table) -> None:
    """Another batch's jobs are its own."""
    other, _ = await table.store.batches.load(name="other", sheet=table.path, origin="o", planned=rows("x"))
    await table.store.batches.agree(table.batch.id)
    await table.store.batches.agree(other.id)
    await table.load(rows("a", "b"))
    assert await queued(table) == ["a", "b"]
    assert [job.key for job in await table.store.jobs.queued(other.id, limit=9)] == ["x"]


async def test_an_open_job_has_all_that_polling_needs(table: Table) -> None:
    """After a crash nothing but this row is left."""
    job_id = await table.bring("b", S.RUNNING)
    slow = text("UPDATE job SET warnings = '[\"slow\"]' WHERE id = :job_id")
    await table.store.database.write(lambda c: c.execute(slow, {"job_id": job_id}))
    assert await table.store.jobs.open_job(job_id) == OpenJob(
        id=job_id,
        key="b",
        row=3,
        model=MODEL,
        folder="b",
        pictures=1,
        state=S.RUNNING,
        attempt_id=table.attempts(job_id)[0]["id"],
        request_id="req-b",
        submitted_at=NIGHT,
        failed_runs=0,
        urls=None,
        estimate_usd=ESTIMATE,
        warnings=("slow",),
    )


async def test_a_cost_that_was_told_outlives_the_links(table: Table) -> None:
    """The books hold the estimate until the API has told the cost, and the cost from then on."""
    job_id = await table.bring("a", S.RUNNING)
    before = await table.store.jobs.open_job(job_id)
    await table.move("a", Move.REMOTE_DONE, Move.LINKS_EXPIRED)
    after = await table.store.jobs.open_job(job_id)
    assert before is not None
    assert after is not None
    assert (before.cost_usd, before.counted_usd) == (None, ESTIMATE)
    assert (after.cost_usd, after.counted_usd) == (Decimal("0.04"), Decimal("0.04"))


async def test_open_jobs_are_those_of_one_state_oldest_first(table: Table) -> None:
    """Running ones are polled, fetching ones are downloaded."""
    await table.load(rows("d", "c", "b", "a"))
    for key, state in (("a", S.RUNNING), ("b", S.FETCHING), ("c", S.RUNNING), ("d", S.UNCONFIRMED)):
        await table.bring(key, state)
    batch = table.batch.id
    assert [job.key for job in await table.store.jobs.open_jobs(batch, S.RUNNING)] == ["a", "c"]
    assert [job.key for job in await table.store.jobs.open_jobs(batch, S.FETCHING)] == ["b"]
    assert await table.store.jobs.open_jobs(batch + 1, S.RUNNING) == []


@pytest.mark.parametrize("state", [S.QUEUED, S.SUBMITTING, S.UNCONFIRMED])
async def test_a_job_without_a_request_id_is_not_open(table: Table, state: JobState) -> None:
    """There is nothing to poll."""
    assert await table.store.jobs.open_job(await table.bring("a", state)) is None


async def test_an_open_job_is_about_its_newest_attempt(table: Table) -> None:
    """Polling the id of a run that failed would fail the job again."""
    job_id = await table.move("a", Move.CLAIM, Move.ACCEPTED, Move.REMOTE_FAILED, Move.REQUEUE, Move.CLAIM)
    assert await table.store.jobs.open_job(job_id) is None


async def test_jobs_come_in_sheet_order(table: Table) -> None:
    """Whatever the order in which they were loaded; only some states, if wanted."""
    await table.load(rows("c", "d", "a", "b"))
    await table.bring("b", S.FAILED)
    await table.bring("c", S.FAILED)
    batch = table.batch.id
    assert [job.key async for job in table.store.jobs.each(batch)] == ["c", "d", "a", "b"]
    assert [job.key async for job in table.store.jobs.each(batch, states=[S.FAILED])] == ["c", "b"]
    assert [job.key for job in await table.store.jobs.in_state(batch, [S.FAILED, S.QUEUED])] == [
        "c",
        "d",
        "a",
        "b",
    ]
    assert [job.key for job in await table.store.jobs.in_state(batch, [S.QUEUED], keys=["a", "b"])] == ["a"]


async def test_everything_adds_what_the_sheet_no_longer_has(table: Table) -> None:
    """Old revisions stand before the new one, in its place."""
    await table.bring("a", S.SUCCEEDED)
    await table.bring("c", S.RUNNING)
    await table.load([planned("a", 0, prompt="a wolf"), planned("b", 1)])
    batch = table.batch.id
    assert [job.key async for job in table.store.jobs.each(batch)] == ["a", "b"]
    everything = [
        (job.key, job.revision, job.current) async for job in table.store.jobs.each(batch, everything=True)
    ]
    assert everything == [("a", 1, False), ("a", 2, True), ("b", 1, True), ("c", 1, False)]


@pytest.mark.parametrize("everything", [False, True])
async def test_long_lists_come_in_pages_without_a_gap(table: Table, everything: bool) -> None:
    """Over several pages, with two jobs in one place of the sheet at the seam of two of them."""
    keys = [f"k{number}" for number in range(1203)]
    await table.load(rows(*keys))
    seam = keys[499]
    await table.bring(seam, S.SUCCEEDED)
    changed = rows(*keys)
    changed[499] = planned(seam, 499, prompt="a wolf")
    await table.load(changed)
    found = [job async for job in table.store.jobs.each(table.batch.id, everything=everything)]
    assert [job.key for job in found if job.current] == keys
    gone = [(job.key, job.revision) for job in found if not job.current]
    # The fixture's own rows are gone, and keep the places they had.
    assert gone == ([("a", 1), ("b", 1), ("c", 1), (seam, 1)] if everything else [])


async def test_a_job_shows_its_pictures_in_order(table: Table) -> None:
    """Those of its newest attempt: a second submit makes other pictures."""
    job_id = await table.bring("a", S.FETCHING)
    attempt_id = table.attempts(job_id)[0]["id"]
    for number in (2, 1):
        await table.store.ledger.record_image(job_id, attempt_id, picture(number))
    assert (await table.job("a")).images == (picture(1), picture(2))
    assert (await table.job("b")).images == ()
    await table.move("a", Move.FETCH_FAILED, Move.REQUEUE, Move.CLAIM)
    assert (await table.job("a")).images == ()
    assert await table.store.ledger.images_of(attempt_id) == {1: picture(1), 2: picture(2)}


async def test_the_pictures_of_a_long_list_go_to_their_jobs(table: Table) -> None:
    """More jobs than fit in one question to SQLite."""
    keys = [f"k{number}" for number in range(520)]
    await table.load(rows(*keys))
    await table.store.batches.agree(table.batch.id)
    for key in ("k0", "k501", "k519"):
        job_id = await table.bring(key, S.FETCHING)
        await table.store.ledger.record_image(
            job_id, table.attempts(job_id)[0]["id"], picture(1, path=f"/{key}.png")
        )
    found: dict[str, tuple[ArtifactView, ...]] = {
        job.key: job.images async for job in table.store.jobs.each(table.batch.id) if job.images
    }
    assert {key: images[0].path for key, images in found.items()} == {
        "k0": "/k0.png",
        "k501": "/k501.png",
        "k519": "/k519.png",
    }


async def test_a_key_finds_its_newest_revision(table: Table) -> None:
    """Even when the sheet has it no more; and none where there is none."""
    await table.bring("a", S.SUCCEEDED)
    await table.load([planned("a", 0, prompt="a wolf")])
    await table.load([])
    job = await table.job("a")
    assert (job.revision, job.current, job.batch) == (2, False, "night")
    assert await table.store.jobs.by_key(table.batch.id, "nobody") is None
    assert await table.store.jobs.by_key(table.batch.id + 1, "a") is None


async def test_a_job_shows_what_its_manifest_record_needs(table: Table) -> None:
    """State, reason, cost and times of its newest attempt."""
    job_id = await table.bring("a", S.RUNNING)
    at = table.clock.advance(10)
    await table.move("a", Move.REMOTE_FAILED)
    job = await table.job("a")
    assert (job.id, job.request_id, job.cost_usd, job.estimate_usd) == (job_id, "req-a", None, ESTIMATE)
    assert (job.failure, job.submitted_at, job.finished_at) == (failure(), NIGHT, at)
    assert (job.attempts, job.warnings, job.columns) == (1, (), {})


async def test_a_refused_submit_is_no_attempt(table: Table) -> None:
    """An attempt was or may have been accepted; a refusal is told by the job's failure."""
    await table.move("a", Move.CLAIM, Move.REFUSED)
    assert (await table.job("a")).attempts == 0
    await table.move("a", Move.REQUEUE, Move.CLAIM)
    assert (await table.job("a")).attempts == 1
    await table.move("a", Move.ACCEPTED)
    assert (await table.job("a")).attempts == 1
