"""What came of a submit: accepted, refused, unanswered."""

from jobs.failures import FailureKind
from jobs.outcomes import Accepted, LeftUnconfirmed, Refused, Unsendable
from jobs.states import JobState
from tests.support.tables import Table, failure

S = JobState


async def test_an_accepted_submit_keeps_its_request_id(table: Table) -> None:
    """The id that everything after it hangs on, and when it was told."""
    job_id = await table.bring("a", S.SUBMITTING)
    at = table.clock.advance(2)
    assert await table.store.jobs.apply(Accepted(job_id, "req-1", at))
    (attempt,) = table.attempts(job_id)
    assert attempt["outcome"] == "accepted"
    assert attempt["request_id"] == "req-1"
    assert attempt["answered_at"] == at.isoformat(timespec="microseconds")
    assert table.row(job_id)["state"] == "running"


async def test_a_request_id_that_another_job_has_is_refused(table: Table) -> None:
    """It changes neither job: they would fetch the same pictures, and one submit would be lost sight of."""
    await table.bring("a", S.RUNNING)
    job_id = await table.bring("b", S.SUBMITTING)
    before = table.everything()
    assert not await table.store.jobs.apply(Accepted(job_id, "req-a", table.clock.at))
    assert table.everything() == before


async def test_a_refusal_keeps_the_reason_word_for_word(table: Table) -> None:
    """In the job for the manifest, in the attempt for the ledger."""
    job_id = await table.bring("a", S.SUBMITTING)
    at = table.clock.advance(1)
    reason = "  size: must be\none of …  "
    assert await table.store.jobs.apply(Refused(job_id, failure(FailureKind.REFUSED, reason, "400001"), at))
    (attempt,) = table.attempts(job_id)
    assert (attempt["outcome"], attempt["ended"], attempt["detail"]) == ("refused", "refused", reason)
    assert attempt["answered_at"] == at.isoformat(timespec="microseconds")
    job = await table.job("a")
    assert job.failure == failure(FailureKind.REFUSED, reason, "400001")
    assert (job.state, job.finished_at) == (S.FAILED, at)


async def test_a_submit_without_an_answer_is_doubtful_and_not_ended(table: Table) -> None:
    """It may be paid for: it has a reason, and neither an end nor an answer."""
    job_id = await table.bring("a", S.SUBMITTING)
    reason = failure(FailureKind.UNCONFIRMED, "HTTP 502 with an HTML page", None)
    assert await table.store.jobs.apply(LeftUnconfirmed(job_id, reason, table.clock.advance(60)))
    (attempt,) = table.attempts(job_id)
    assert (attempt["outcome"], attempt["answered_at"]) == ("unanswered", None)
    assert attempt["detail"] == "HTTP 502 with an HTML page"
    job = await table.job("a")
    assert (job.state, job.failure, job.finished_at) == (S.UNCONFIRMED, reason, None)
    assert table.row(job_id)["agreed"] == 0


async def test_a_job_that_cannot_be_sent_fails_for_free(table: Table) -> None:
    """Straight from the queue, without an attempt."""
    job_id = (await table.job("a")).id
    gone = failure(FailureKind.REFUSED, "There is no such model any more.")
    assert await table.store.jobs.apply(Unsendable(job_id, gone, table.clock.at))
    job = await table.job("a")
    assert (job.state, job.failure, job.attempts, job.submitted_at) == (S.FAILED, gone, 0, None)
    assert table.attempts(job_id) == []
