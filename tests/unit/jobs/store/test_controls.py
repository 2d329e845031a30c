"""Moves over many jobs at once: doubt at start, cancel; and the wishes that steer a run."""

import pytest

from jobs.failures import Failure, FailureKind
from jobs.outcomes import LeftUnconfirmed, RemoteFailed, Requeued, Resubmitted
from jobs.states import JobState, Move
from jobs.views import CancelCounts
from tests.support.tables import Table, rows

S = JobState
UNCONFIRMED = Failure(FailureKind.UNCONFIRMED, "The run ended between sending and reading.")


async def all_states(table: Table) -> dict[JobState, int]:
    """A job in each state; its id by state."""
    await table.load(rows(*"abcdefgh"))
    return {state: await table.bring(key, state) for key, state in zip("abcdefgh", JobState, strict=True)}


async def test_what_was_on_its_way_at_a_crash_is_in_doubt(table: Table) -> None:
    """Those jobs and no others; the intent has become a submit without an answer."""
    ids = await all_states(table)
    before = {state: (table.row(job_id), table.attempts(job_id)) for state, job_id in ids.items()}
    assert (await table.store.witness.settle_interrupted(table.batch.id, UNCONFIRMED)).unconfirmed == 1
    row, (attempt,) = before.pop(S.SUBMITTING)
    job_id = ids.pop(S.SUBMITTING)
    assert table.row(job_id) == row | {
        "state": "unconfirmed",
        "error_kind": "unconfirmed",
        "error_message": UNCONFIRMED.message,
    }
    assert table.attempts(job_id) == [attempt | {"outcome": "unanswered", "detail": UNCONFIRMED.message}]
    assert before == {state: (table.row(job_id), table.attempts(job_id)) for state, job_id in ids.items()}


async def test_doubting_twice_changes_nothing(table: Table) -> None:
    """A start that is interrupted is begun again."""
    await table.bring("a", S.SUBMITTING)
    assert (await table.store.witness.settle_interrupted(table.batch.id, UNCONFIRMED)).unconfirmed == 1
    before = table.everything()
    assert (await table.store.witness.settle_interrupted(table.batch.id, UNCONFIRMED)).unconfirmed == 0
    assert table.everything() == before


async def test_only_the_newest_attempt_is_in_doubt(table: Table) -> None:
    """An earlier one keeps what it was."""
    job_id = await table.move("a", Move.CLAIM, Move.ACCEPTED, Move.REMOTE_FAILED, Move.REQUEUE, Move.CLAIM)
    first, _ = table.attempts(job_id)
    await table.store.witness.settle_interrupted(table.batch.id, UNCONFIRMED)
    again, second = table.attempts(job_id)
    assert again == first
    assert second["outcome"] == "unanswered"


async def test_another_batch_is_left_alone(table: Table) -> None:
    """Its runner may be a different process with a different purse."""
    await table.bring("a", S.SUBMITTING)
    await table.bring("b", S.RUNNING)
    other, _ = await table.store.batches.load(name="other", sheet=table.path, origin="o", planned=[])
    before = table.everything()
    assert (await table.store.witness.settle_interrupted(other.id, UNCONFIRMED)).unconfirmed == 0
    assert await table.store.jobs.cancel(other.id) == CancelCounts(queued=0, asked=0)
    assert await table.store.jobs.cancel_wanted(other.id) == []
    assert await table.store.batches.agree(other.id) == 0
    assert table.everything() == before


async def test_cancelling_the_queue_is_free_and_touches_nothing_else(table: Table) -> None:
    """What the API has is paid for: it is not ended from here."""
    ids = await all_states(table)
    before = {state: table.row(job_id) for state, job_id in ids.items()}
    at = table.clock.advance(60)
    assert await table.store.jobs.cancel(table.batch.id) == CancelCounts(queued=1, asked=2)
    queued = before.pop(S.QUEUED)
    assert table.row(ids.pop(S.QUEUED)) == queued | {
        "state": "cancelled",
        "finished_at": at.isoformat(timespec="microseconds"),
        "error_kind": "cancelled",
        "error_message": "Cancelled before it was sent: nothing was paid.",
    }
    for state in (S.SUBMITTING, S.RUNNING):
        before[state] = before[state] | {"cancel_requested": 1}
    assert before == {state: table.row(job_id) for state, job_id in ids.items()}


@pytest.mark.parametrize(
    ("keys", "left"), [(["a", "c"], ["b"]), (["nobody"], ["a", "b", "c"]), ([], ["a", "b", "c"])]
)
async def test_only_the_named_jobs_are_cancelled(table: Table, keys: list[str], left: list[str]) -> None:
    """No name is no job, not every job."""
    assert (await table.store.jobs.cancel(table.batch.id, keys)).queued == 3 - len(left)
    assert [job.key for job in await table.store.jobs.in_state(table.batch.id, [S.QUEUED])] == left


async def test_a_cancel_at_the_api_is_asked_for_where_the_api_has_the_job(table: Table) -> None:
    """The runner reads the wish; a job that is being fetched is done already."""
    ids = await all_states(table)
    assert await table.store.jobs.cancel_wanted(table.batch.id) == []
    assert (await table.store.jobs.cancel(table.batch.id)).asked == 2
    assert await table.store.jobs.cancel_wanted(table.batch.id) == [ids[S.RUNNING]]
    wishes = {state for state, job_id in ids.items() if table.row(job_id)["cancel_requested"]}
    assert wishes == {S.SUBMITTING, S.RUNNING}


async def test_a_wish_that_meets_a_submit_ends_it_if_it_is_not_accepted(table: Table) -> None:
    """It was between `queued` and `running` when the person asked: it must not slip through."""
    job_id = await table.bring("a", S.SUBMITTING)
    other = await table.bring("b", S.SUBMITTING)
    assert await table.store.jobs.cancel(table.batch.id, ["a"]) == CancelCounts(queued=0, asked=1)
    await table.move("a", Move.NOT_ACCEPTED)
    await table.move("b", Move.NOT_ACCEPTED)
    row = table.row(job_id)
    assert (row["state"], row["error_kind"], row["cancel_requested"]) == ("cancelled", "cancelled", 0)
    assert row["finished_at"] is not None
    assert [attempt["outcome"] for attempt in table.attempts(job_id)] == ["turned_away"]
    assert table.row(other)["state"] == "queued"


async def test_a_wish_that_meets_a_submit_goes_on_to_the_api_if_it_is_accepted(table: Table) -> None:
    """Then it is paid for, perhaps, and the API is asked."""
    job_id = await table.bring("a", S.SUBMITTING)
    await table.store.jobs.cancel(table.batch.id)
    assert await table.store.jobs.cancel_wanted(table.batch.id) == []
    await table.move("a", Move.ACCEPTED)
    assert await table.store.jobs.cancel_wanted(table.batch.id) == [job_id]


async def test_only_the_named_jobs_are_wanted_cancelled(table: Table) -> None:
    """By their keys."""
    first, second = await table.bring("a", S.RUNNING), await table.bring("b", S.RUNNING)
    assert (await table.store.jobs.cancel(table.batch.id, ["b", "c"])).asked == 1
    assert await table.store.jobs.cancel_wanted(table.batch.id) == [second]
    assert table.row(first)["cancel_requested"] == 0


async def test_a_wish_that_the_api_would_not_grant_is_dropped(table: Table) -> None:
    """`not_cancellable`: it runs on, and is not asked again at every poll."""
    job_id = await table.bring("a", S.RUNNING)
    await table.store.jobs.cancel(table.batch.id)
    await table.store.jobs.drop_cancel_request(job_id)
    assert await table.store.jobs.cancel_wanted(table.batch.id) == []
    assert table.row(job_id)["state"] == "running"


async def test_a_job_that_is_being_fetched_is_not_wanted_cancelled(table: Table) -> None:
    """It was done before the wish was read: its pictures are paid for."""
    await table.bring("a", S.RUNNING)
    await table.store.jobs.cancel(table.batch.id)
    await table.move("a", Move.REMOTE_DONE)
    assert await table.store.jobs.cancel_wanted(table.batch.id) == []


async def test_agreeing_is_to_all_that_is_queued_in_the_sheet(table: Table) -> None:
    """It tells how many jobs that adds, and is not given for what is not queued."""
    await table.load(rows("a", "b", "c", "d"))
    await table.move("a", Move.CANCEL)
    await table.load(rows("a", "b", "c"))
    assert await table.store.batches.agree(table.batch.id) == 2
    assert await table.store.batches.agree(table.batch.id) == 0
    assert [table.row((await table.job(key)).id)["agreed"] for key in "abcd"] == [0, 1, 1, 0]


async def test_a_setting_sends_nothing_again_that_a_person_wants_cancelled(table: Table) -> None:
    """`--max-attempts` and `--resubmit-unconfirmed` were said before it; a `retry` is said after it."""
    job_id = await table.bring("a", S.RUNNING)
    await table.store.jobs.cancel(table.batch.id, ["a"])
    at = table.clock.at
    broken = RemoteFailed(job_id, Failure(FailureKind.REMOTE_FAILED, "broke"), None, at)
    assert await table.store.jobs.apply(broken, Requeued(job_id, at, automatic=True))
    assert table.row(job_id)["state"] == "failed"
    other = await table.bring("b", S.SUBMITTING)
    await table.store.jobs.cancel(table.batch.id)
    assert await table.store.jobs.apply(
        LeftUnconfirmed(other, UNCONFIRMED, at), Resubmitted(other, at, automatic=True)
    )
    assert table.row(other)["state"] == "unconfirmed"
    assert not await table.store.jobs.apply(Resubmitted(other, at, automatic=True))
    assert await table.store.jobs.apply(Resubmitted(other, at))
    assert table.row(other)["state"] == "queued"
