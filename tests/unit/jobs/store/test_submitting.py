"""What came of a submit: accepted, refused, unanswered."""

import pytest

from jobs.attempts import Intent, RawAnswer
from jobs.failures import FailureKind
from jobs.outcomes import Accepted, Attached, LeftUnconfirmed, NotAccepted, Refused, Unsendable
from jobs.states import JobState, Move
from jobs.store.moves.values import ROW_GONE
from tests.support.tables import ESTIMATE, Table, claimed, failure, rows

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


async def test_a_late_receipt_heals_a_doubt(table: Table) -> None:
    """A receipt is proof: the doubt was declared by somebody who did not have it."""
    await table.store.batches.agree(table.batch.id)
    intent = claimed((await table.job("a")).id, table.clock.at)
    assert await table.store.jobs.claim(intent) is not None
    doubt = LeftUnconfirmed(intent.job_id, failure(FailureKind.UNCONFIRMED), table.clock.at)
    assert await table.store.jobs.apply(doubt)
    assert await table.store.jobs.apply(Accepted(intent.job_id, "req-1", table.clock.at, intent.uid))
    job = await table.job("a")
    assert (job.state, job.request_id, job.failure) == (S.RUNNING, "req-1", None)


async def test_a_receipt_is_taken_by_its_own_attempt_alone(table: Table) -> None:
    """An older submit's receipt must not pass for the one that is under way."""
    job_id = await table.bring("a", S.UNCONFIRMED)
    before = table.everything()
    assert not await table.store.jobs.apply(Accepted(job_id, "req-1", table.clock.at, "of another"))
    assert not await table.store.jobs.apply(Attached(job_id, "req-1", table.clock.at, "of another"))
    assert table.everything() == before


async def test_what_was_turned_away_stays_in_the_ledger(table: Table) -> None:
    """Without a number: the job's next submit is its first one, and it is not paid for."""
    job_id = await table.bring("a", S.SUBMITTING)
    answer = RawAnswer(429, {"server": "nginx"}, "Too Many Requests")
    turned_away = NotAccepted(job_id, table.clock.at, table.clock.at, "Too Many Requests", answer)
    assert await table.store.jobs.apply(turned_away)
    row = table.row(job_id)
    assert (row["state"], row["attempts"], row["submitted_at"]) == ("queued", 0, None)
    assert await table.move("a", Move.CLAIM, Move.ACCEPTED) == job_id
    first, second = await table.store.ledger.attempts(table.batch.id)
    assert (first.outcome, first.number, first.detail) == ("turned_away", None, "Too Many Requests")
    assert first.answer == answer
    assert (second.outcome, second.number) == ("accepted", 1)
    account = await table.store.ledger.account(table.batch.id)
    assert (account.submits, account.turned_away, account.spent_usd) == (1, 1, ESTIMATE)
    job = await table.job("a")
    assert (job.attempts, job.request_id) == (1, "req-a")


async def test_what_was_turned_away_and_left_the_sheet_ends_unpaid(table: Table) -> None:
    """Nobody would send it any more; it is queued again when its row returns."""
    job_id = await table.bring("a", S.SUBMITTING)
    await table.load(rows("b", "c"))
    assert await table.store.jobs.apply(NotAccepted(job_id, table.clock.at, table.clock.at, "Too many"))
    row = table.row(job_id)
    assert (row["state"], row["error_code"], row["finished_at"] is not None) == ("cancelled", ROW_GONE, True)
    await table.load(rows("a", "b", "c"))
    assert (await table.job("a")).state == S.QUEUED


async def test_what_was_not_sent_is_no_attempt(table: Table) -> None:
    """Nothing left this machine."""
    job_id = await table.bring("a", S.SUBMITTING)
    assert await table.store.jobs.apply(NotAccepted(job_id, table.clock.at, table.clock.at))
    assert table.attempts(job_id) == []


UNPROVEN = "an answer that proves nothing"


@pytest.mark.parametrize(
    ("then", "counted"),
    [
        ((), 1),
        ((UNPROVEN, UNPROVEN), 3),
        ((Move.CLAIM, None), 1),
        ((Move.CLAIM, Move.UNCONFIRMED, Move.RESUBMIT), 1),
        ((Move.CLAIM, Move.UNCONFIRMED, Move.DISCARD, Move.REQUEUE), 1),
        ((Move.CANCEL, Move.REQUEUE), 1),
        ((Move.CLAIM, Move.NOT_ACCEPTED), 0),
        ((Move.CLAIM, Move.NOT_ACCEPTED, UNPROVEN), 1),
        ((Move.CLAIM, Move.REFUSED, Move.REQUEUE), 0),
        ((Move.CLAIM, Move.ACCEPTED, Move.REMOTE_FAILED, Move.REQUEUE), 0),
    ],
)
async def test_answers_that_prove_nothing_are_counted_in_a_row(
    table: Table, then: tuple[Move | str | None, ...], counted: int
) -> None:
    """Whatever happens in between, but for a proof: a 429, a refusal, a receipt. What was not sent (None) is
    no answer."""
    job_id = (await table.job("a")).id
    for step in (UNPROVEN, *then):
        if step is UNPROVEN:
            await table.move("a", Move.CLAIM)
        if isinstance(step, Move):
            await table.move("a", step)
        else:
            at = table.clock.at
            assert await table.store.jobs.apply(NotAccepted(job_id, at, at, step, proven=False))
    await table.store.batches.agree(table.batch.id)
    assert await table.store.jobs.claim(claimed(job_id, table.clock.at)) == Intent(counted)


async def test_an_unknown_id_under_a_429_is_turned_away_after_all(table: Table) -> None:
    """It was recorded as a doubt first, since the id might have been a receipt."""
    job_id = await table.bring("a", S.SUBMITTING)
    reason = failure(FailureKind.UNCONFIRMED)
    assert await table.store.jobs.apply(LeftUnconfirmed(job_id, reason, table.clock.at, "gateway-1"))
    (naming,) = await table.store.ledger.naming_ids(table.batch.id)
    assert (naming.id, naming.key, naming.named_id) == (job_id, "a", "gateway-1")
    assert await table.store.jobs.apply(NotAccepted(job_id, table.clock.at, table.clock.at, "Too many"))
    job = await table.job("a")
    assert (job.state, job.failure, job.agreed) == (S.QUEUED, None, True)
    assert await table.store.ledger.naming_ids(table.batch.id) == []
