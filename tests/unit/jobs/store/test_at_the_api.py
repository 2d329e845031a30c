"""What happens to a job that the API has: its end there, its pictures, a person's cancel."""

from decimal import Decimal

import pytest

from jobs.failures import FailureKind
from jobs.outcomes import (
    Cancelled,
    Fetched,
    FetchFailed,
    LinksExpired,
    RemoteCancelled,
    RemoteDone,
    RemoteFailed,
)
from jobs.states import JobState, Move
from tests.support.tables import Table, failure, picture

S = JobState
URLS = ("https://pictures.example/1.png", "https://pictures.example/2.png")


async def test_done_at_the_api_keeps_the_links_and_the_cost(table: Table) -> None:
    """So that the pictures are fetched after a restart, without asking again."""
    job_id = await table.bring("a", S.RUNNING)
    assert await table.store.jobs.apply(RemoteDone(job_id, URLS, Decimal("0.08")))
    opened = await table.store.jobs.open_job(job_id)
    assert opened is not None
    assert (opened.state, opened.urls, opened.request_id) == (S.FETCHING, URLS, "req-a")
    (attempt,) = table.attempts(job_id)
    assert (attempt["cost_usd"], attempt["ended"]) == (80_000, "done")


async def test_a_cost_that_was_not_told_is_unknown(table: Table) -> None:
    """Unknown is not free."""
    job_id = await table.bring("a", S.RUNNING)
    await table.store.jobs.apply(RemoteDone(job_id, URLS, None))
    assert table.attempts(job_id)[0]["cost_usd"] is None


async def test_dead_links_are_forgotten_and_the_id_is_not(table: Table) -> None:
    """The result is asked for again under the same request_id: never a second submit."""
    job_id = await table.bring("a", S.FETCHING)
    before = table.attempts(job_id)[0]
    assert await table.store.jobs.apply(LinksExpired(job_id))
    assert table.row(job_id)["state"] == "running"
    assert table.attempts(job_id) == [before | {"urls": None, "ended": None}]


async def test_a_run_that_failed_is_counted(table: Table) -> None:
    """`--max-attempts` goes by it; the cost is kept, as a failed run may be billed."""
    job_id = await table.bring("a", S.RUNNING)
    at = table.clock.advance(9)
    reason = failure(FailureKind.REMOTE_FAILED, "out of memory", "500")
    assert await table.store.jobs.apply(RemoteFailed(job_id, reason, Decimal("0.01"), at))
    row, (attempt,) = table.row(job_id), table.attempts(job_id)
    assert (row["state"], row["failed_runs"]) == ("failed", 1)
    assert (attempt["ended"], attempt["detail"]) == ("remote_failed", "out of memory")
    assert (attempt["cost_usd"], attempt["request_id"]) == (10_000, "req-a")
    job = await table.job("a")
    assert (job.failure, job.finished_at) == (reason, at)


async def test_cancelled_at_the_api_is_the_apis_word(table: Table) -> None:
    """The ledger says so: `retry` must then not poll that id again."""
    job_id = await table.bring("a", S.RUNNING)
    reason = failure(FailureKind.CANCELLED, "Cancelled at the API.", None)
    assert await table.store.jobs.apply(RemoteCancelled(job_id, reason, table.clock.at))
    assert (await table.job("a")).failure == reason
    assert table.row(job_id)["state"] == "cancelled"
    assert table.attempts(job_id)[0]["ended"] == "cancelled"


async def test_cancelled_by_a_person_leaves_the_attempt_alone(table: Table) -> None:
    """What was paid for stays on record as it was."""
    job_id = await table.bring("a", S.RUNNING)
    ledger = table.attempts(job_id)
    reason = failure(FailureKind.CANCELLED, "Cancelled by a person.", None)
    assert await table.store.jobs.apply(Cancelled(job_id, reason, table.clock.at))
    job = await table.job("a")
    assert (job.state, job.failure, job.finished_at) == (S.CANCELLED, reason, table.clock.at)
    assert table.attempts(job_id) == ledger


async def test_success_keeps_its_warnings_and_has_no_failure(table: Table) -> None:
    """Fewer pictures than asked for is a success with a warning."""
    job_id = await table.bring("a", S.FETCHING)
    at = table.clock.advance(3)
    assert await table.store.jobs.apply(Fetched(job_id, ("2 of 3 pictures",), at))
    job = await table.job("a")
    assert (job.state, job.warnings, job.failure, job.finished_at) == (
        S.SUCCEEDED,
        ("2 of 3 pictures",),
        None,
        at,
    )


async def test_what_came_home_of_a_failed_fetch_is_kept(table: Table) -> None:
    """A picture that was paid for is recorded, whatever became of the others."""
    job_id = await table.bring("a", S.FETCHING)
    await table.store.ledger.record_image(job_id, table.attempts(job_id)[0]["id"], picture(1))
    reason = failure(FailureKind.EXPIRED, "Gone.", None)
    assert await table.store.jobs.apply(FetchFailed(job_id, reason, table.clock.at))
    job = await table.job("a")
    assert (job.state, job.failure, job.images) == (S.FAILED, reason, (picture(1),))


async def test_a_second_note_of_a_picture_replaces_the_first(table: Table) -> None:
    """A crash between the rename and the note makes it happen twice."""
    job_id = await table.bring("a", S.FETCHING)
    attempt_id = table.attempts(job_id)[0]["id"]
    for noted in (picture(1), picture(2), picture(1, sha256="f" * 64, path="/elsewhere/01.png")):
        await table.store.ledger.record_image(job_id, attempt_id, noted)
    assert await table.store.ledger.images_of(attempt_id) == {
        1: picture(1, sha256="f" * 64, path="/elsewhere/01.png"),
        2: picture(2),
    }


@pytest.mark.parametrize(
    "end", [Move.FETCHED, Move.FETCH_FAILED, Move.REMOTE_FAILED, Move.REMOTE_CANCELLED, Move.CANCEL]
)
async def test_a_wish_to_cancel_ends_with_the_job(table: Table, end: Move) -> None:
    """Otherwise a `retry` would bring back a job that can never be claimed."""
    job_id = await table.bring("a", S.RUNNING)
    await table.store.jobs.cancel(table.batch.id)
    assert table.row(job_id)["cancel_requested"] == 1
    ways = {Move.FETCHED: [Move.REMOTE_DONE, end], Move.FETCH_FAILED: [Move.REMOTE_DONE, end]}
    await table.move("a", *ways.get(end, [end]))
    assert table.row(job_id)["cancel_requested"] == 0
