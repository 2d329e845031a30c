"""What a person decides: over a doubtful submit, and over a job that has ended."""

from decimal import Decimal

import pytest

from jobs.failures import FailureKind
from jobs.ledger import balance
from jobs.outcomes import Accepted, Attached, Discarded, RemoteFailed, Reopened, Requeued, Resubmitted
from jobs.states import JobState, Move
from tests.support.tables import Table, claimed, failure, outcome_of

S = JobState


async def test_an_attached_id_makes_the_doubtful_submit_an_accepted_one(table: Table) -> None:
    """It is polled and fetched like any other from here on."""
    job_id = await table.bring("a", S.UNCONFIRMED)
    at = table.clock.advance(3600)
    assert await table.store.jobs.apply(Attached(job_id, "found", at))
    (attempt,) = table.attempts(job_id)
    assert (attempt["outcome"], attempt["request_id"]) == ("accepted", "found")
    assert attempt["answered_at"] == at.isoformat(timespec="microseconds")
    job = await table.job("a")
    assert (job.state, job.failure, job.finished_at) == (S.RUNNING, None, None)
    assert [found.id for found in await table.store.jobs.open_jobs(table.batch.id, S.RUNNING)] == [job_id]


async def test_an_id_that_another_job_has_is_not_attached(table: Table) -> None:
    """A slip of the person who copied it; both jobs stay as they are."""
    await table.bring("b", S.RUNNING)
    job_id = await table.bring("a", S.UNCONFIRMED)
    before = table.everything()
    assert not await table.store.jobs.apply(Attached(job_id, "req-b", table.clock.at))
    assert table.everything() == before


@pytest.mark.parametrize("kind", [FailureKind.LOST, FailureKind.REFUSED])
async def test_of_the_failed_only_what_may_be_at_the_api_is_attached(table: Table, kind: FailureKind) -> None:
    """A lost request that is known again goes on under its own id; what was refused has none."""
    job_id = await table.bring("a", S.RUNNING)
    assert await table.store.jobs.apply(RemoteFailed(job_id, failure(kind), None, table.clock.at))
    taken = await table.store.jobs.apply(Attached(job_id, "req-a", table.clock.at))
    assert taken is (kind is FailureKind.LOST)
    job = await table.job("a")
    assert job.state is (S.RUNNING if taken else S.FAILED)
    assert [attempt["number"] for attempt in table.attempts(job_id)] == [1]


async def test_another_id_of_a_lost_job_is_another_submit(table: Table) -> None:
    """Nothing that was accepted is written over: the ledger has both, and the second is allowed."""
    job_id = await table.bring("a", S.RUNNING)
    lost = RemoteFailed(job_id, failure(FailureKind.LOST), None, table.clock.at)
    assert await table.store.jobs.apply(lost, Attached(job_id, "found", table.clock.at))
    first, second = table.attempts(job_id)
    assert (first["request_id"], second["request_id"], second["number"]) == ("req-a", "found", 2)
    assert balance(await table.store.ledger.attempts(table.batch.id)).balanced
    (open_job,) = await table.store.jobs.open_jobs(table.batch.id, S.RUNNING)
    assert open_job.request_id == "found"


async def _with_two_lost(table: Table) -> int:
    """A job that was lost as "req-a", allowed once more, and lost as "r-2"."""
    job_id = await table.bring("a", S.RUNNING)
    lost = RemoteFailed(job_id, failure(FailureKind.LOST), None, table.clock.at)
    assert await table.store.jobs.apply(lost, Requeued(job_id, table.clock.at))
    table.clock.advance(3600)
    await table.store.batches.agree(table.batch.id)
    assert await table.store.jobs.claim(claimed(job_id, table.clock.at)) is not None
    assert await table.store.jobs.apply(outcome_of(Move.ACCEPTED, job_id, request_id="r-2"), lost)
    return job_id


async def test_an_earlier_request_of_the_job_is_attached(table: Table) -> None:
    """It is paid for, and known again: it changes places with the newest one, and nothing is added."""
    job_id = await _with_two_lost(table)
    first, second = table.attempts(job_id)
    before = table.row(job_id)
    assert await table.store.jobs.apply(Attached(job_id, "req-a", table.clock.at))
    row, attempts = table.row(job_id), table.attempts(job_id)
    assert [(line["id"], line["number"], line["request_id"]) for line in attempts] == [
        (second["id"], 1, "r-2"),
        (first["id"], 2, "req-a"),
    ]
    assert (row["attempts"], row["authorised"]) == (before["attempts"], before["authorised"])
    assert (row["state"], row["submitted_at"]) == (S.RUNNING, first["started_at"])
    assert balance(await table.store.ledger.attempts(table.batch.id)).balanced
    (open_job,) = await table.store.jobs.open_jobs(table.batch.id, S.RUNNING)
    assert open_job.request_id == "req-a"


async def test_earlier_and_later_requests_of_a_job_may_change_places_again(table: Table) -> None:
    """Lost once more, the other one is known."""
    job_id = await _with_two_lost(table)
    lost = RemoteFailed(job_id, failure(FailureKind.LOST), None, table.clock.at)
    for request_id in ("req-a", "r-2", "r-2", "req-a"):
        assert await table.store.jobs.apply(Attached(job_id, request_id, table.clock.at), lost)
        assert table.attempts(job_id)[-1]["request_id"] == request_id
    assert [line["number"] for line in table.attempts(job_id)] == [1, 2]


async def test_an_earlier_request_waits_for_the_doubt_to_be_decided(table: Table) -> None:
    """It would hide a submit that may be paid for: a person lets it go first."""
    job_id = await _with_two_lost(table)
    await table.store.jobs.apply(Requeued(job_id, table.clock.at))
    await table.store.batches.agree(table.batch.id)
    assert await table.store.jobs.claim(claimed(job_id, table.clock.at)) is not None
    assert await table.store.jobs.apply(outcome_of(Move.UNCONFIRMED, job_id))
    before = table.everything()
    assert not await table.store.jobs.apply(Attached(job_id, "req-a", table.clock.at))
    assert table.everything() == before
    let_go = Discarded(job_id, failure(FailureKind.DISCARDED), table.clock.at)
    assert await table.store.jobs.apply(let_go, Attached(job_id, "req-a", table.clock.at))
    assert [line["outcome"] for line in table.attempts(job_id)] == ["discarded", "accepted", "accepted"]


@pytest.mark.parametrize(
    "then",
    [
        (Move.REFUSED,),
        (Move.ACCEPTED, Move.REMOTE_FAILED),
        (Move.ACCEPTED, Move.REMOTE_CANCELLED),
        (Move.ACCEPTED, Move.REMOTE_DONE, Move.FETCH_FAILED),
    ],
)
async def test_an_earlier_request_is_attached_whatever_the_later_submit_came_to(
    table: Table, then: tuple[Move, ...]
) -> None:
    """It was paid for, and is known again. The later one stays in the ledger, and may change places again."""
    job_id = await _with_two_lost(table)
    await table.store.jobs.apply(Requeued(job_id, table.clock.at))
    await table.move("a", Move.CLAIM)
    assert await table.store.jobs.apply(*(outcome_of(move, job_id, request_id="r-3") for move in then))
    before = table.row(job_id)
    assert await table.store.jobs.apply(Attached(job_id, "req-a", table.clock.at))
    row, attempts = table.row(job_id), table.attempts(job_id)
    later = None if then[0] is Move.REFUSED else "r-3"
    assert [line["request_id"] for line in attempts] == [later, "r-2", "req-a"]
    assert (row["attempts"], row["authorised"]) == (before["attempts"], before["authorised"])
    assert balance(await table.store.ledger.attempts(table.batch.id)).balanced
    (open_job,) = await table.store.jobs.open_jobs(table.batch.id, S.RUNNING)
    assert open_job.request_id == "req-a"
    if later is not None:
        ended = RemoteFailed(job_id, failure(), None, table.clock.at)
        assert await table.store.jobs.apply(ended, Attached(job_id, later, table.clock.at))
        assert [line["request_id"] for line in table.attempts(job_id)] == ["req-a", "r-2", later]


@pytest.mark.parametrize("decided", [(Move.DISCARD, Move.REQUEUE), (Move.RESUBMIT,)])
@pytest.mark.parametrize("then", [(Move.CLAIM, Move.REFUSED), (Move.UNSENDABLE,)])
async def test_the_id_of_a_submit_that_was_in_doubt_is_attached_to_it(
    table: Table, decided: tuple[Move, ...], then: tuple[Move, ...]
) -> None:
    """A person finds it at the API after all: nothing is added, and what came later stays in the ledger."""
    job_id = await table.move("a", Move.CLAIM, Move.UNCONFIRMED, *decided, *then)
    before = table.row(job_id)
    assert await table.store.jobs.apply(Attached(job_id, "found", table.clock.at))
    row, attempts = table.row(job_id), table.attempts(job_id)
    later = ["refused"] if Move.REFUSED in then else []
    assert [line["outcome"] for line in attempts] == [*later, "accepted"]
    assert attempts[-1]["request_id"] == "found"
    assert attempts[-1]["payload_sha256"] == "5" * 64, "it is the submit that was in doubt"
    assert (row["state"], row["attempts"], row["authorised"]) == (
        S.RUNNING,
        before["attempts"],
        before["authorised"],
    )
    assert balance(await table.store.ledger.attempts(table.batch.id)).balanced


async def test_an_id_that_no_submit_can_have_is_not_attached(table: Table) -> None:
    """The row was refused, and nothing of it is in doubt: the id is another's."""
    job_id = await table.move("a", Move.CLAIM, Move.REFUSED)
    failed = await table.move("b", Move.CLAIM, Move.ACCEPTED, Move.REMOTE_FAILED)
    before = table.everything()
    assert not await table.store.jobs.apply(Attached(job_id, "found", table.clock.at))
    assert not await table.store.jobs.apply(Attached(failed, "found", table.clock.at))
    assert not await table.store.jobs.apply(Attached(failed, "req-b", table.clock.at))
    assert table.everything() == before


async def test_a_receipt_does_not_take_an_earlier_request(table: Table) -> None:
    """Only a person attaches one: a receipt is its own submit's."""
    job_id = await _with_two_lost(table)
    before = table.everything()
    uid = table.attempts(job_id)[-1]["uid"]
    assert not await table.store.jobs.apply(Attached(job_id, "req-a", table.clock.at, uid))
    assert table.everything() == before


async def test_another_id_of_a_job_is_counted_at_the_earlier_submit_s_price(table: Table) -> None:
    """Else a budget would meet a submit whose price nobody knows. Where that was unknown, so is this."""
    for key, estimate in (("a", Decimal("0.12")), ("b", None)):
        job_id = (await table.job(key)).id
        at = table.clock.at
        await table.store.batches.agree(table.batch.id)
        assert await table.store.jobs.claim(claimed(job_id, at, estimate))
        lost = RemoteFailed(job_id, failure(FailureKind.LOST), None, at)
        attached = Attached(job_id, f"found-{key}", at)
        assert await table.store.jobs.apply(Accepted(job_id, f"req-{key}", at), lost, attached)
    found = await table.store.jobs.open_jobs(table.batch.id, S.RUNNING)
    assert [(job.request_id, job.estimate_usd) for job in found] == [
        ("found-a", Decimal("0.12")),
        ("found-b", None),
    ]


async def test_a_job_that_was_cancelled_unsent_may_have_an_id(table: Table) -> None:
    """A person knows more than the table: it has its first submit then."""
    job_id = await table.bring("a", S.CANCELLED)
    assert await table.store.jobs.apply(Attached(job_id, "found", table.clock.at))
    job = await table.job("a")
    assert (job.state, job.request_id, job.attempts, job.finished_at) == (S.RUNNING, "found", 1, None)
    assert balance(await table.store.ledger.attempts(table.batch.id)).balanced


async def test_a_doubtful_submit_sent_again_stays_in_the_ledger(table: Table) -> None:
    """It may have been paid for: a second attempt comes beside it, not in its place."""
    job_id = await table.bring("a", S.UNCONFIRMED)
    at = table.clock.advance(60)
    assert await table.store.jobs.apply(Resubmitted(job_id, at))
    assert [attempt["outcome"] for attempt in table.attempts(job_id)] == ["resubmitted"]
    job = await table.job("a")
    assert (job.state, job.failure, job.attempts) == (S.QUEUED, None, 1)
    row = table.row(job_id)
    assert (row["agreed"], row["available_at"]) == (1, at.isoformat(timespec="microseconds"))
    await table.move("a", Move.CLAIM)
    assert [attempt["outcome"] for attempt in table.attempts(job_id)] == ["resubmitted", "intent"]


async def test_a_doubtful_submit_that_is_let_go_fails(table: Table) -> None:
    """The job ends; what it may have cost is still counted as possible."""
    job_id = await table.bring("a", S.UNCONFIRMED)
    reason = failure(FailureKind.DISCARDED, "Let go by a person.", None)
    at = table.clock.advance(60)
    assert await table.store.jobs.apply(Discarded(job_id, reason, at))
    job = await table.job("a")
    assert (job.state, job.failure, job.finished_at) == (S.FAILED, reason, at)
    assert table.attempts(job_id)[0]["outcome"] == "discarded"


async def test_reopening_is_free(table: Table) -> None:
    """Same attempt, same request_id: the result is asked for and fetched again."""
    job_id = await table.bring("a", S.FAILED)
    (before,) = table.attempts(job_id)
    await table.store.batches.agree(table.batch.id)
    assert await table.store.jobs.apply(Reopened(job_id, table.clock.at))
    assert table.attempts(job_id) == [before | {"urls": None, "ended": None}]
    job = await table.job("a")
    assert (job.state, job.failure, job.finished_at, job.attempts) == (S.RUNNING, None, None, 1)
    assert [found.request_id for found in await table.store.jobs.open_jobs(table.batch.id, S.RUNNING)] == [
        "req-a"
    ]


@pytest.mark.parametrize(
    "way",
    [
        (Move.UNSENDABLE,),
        (Move.CLAIM, Move.REFUSED),
        (Move.CLAIM, Move.UNCONFIRMED, Move.DISCARD),
        (Move.CLAIM, Move.ACCEPTED, Move.REMOTE_FAILED, Move.REQUEUE, Move.CLAIM, Move.REFUSED),
    ],
)
async def test_a_job_whose_last_submit_has_no_id_is_not_reopened(table: Table, way: tuple[Move, ...]) -> None:
    """It would be running without anything to poll, for ever."""
    job_id = await table.move("a", *way)
    before = table.everything()
    assert not await table.store.jobs.apply(Reopened(job_id, table.clock.at))
    assert table.everything() == before


@pytest.mark.parametrize("state", [S.FAILED, S.CANCELLED])
async def test_requeueing_is_a_paid_submit_that_was_agreed_to(table: Table, state: JobState) -> None:
    """The error goes, the attempts stay, and the next claim makes a new one."""
    job_id = await table.bring("a", state)
    ledger = table.attempts(job_id)
    at = table.clock.advance(60)
    assert await table.store.jobs.apply(Requeued(job_id, at))
    job = await table.job("a")
    assert (job.state, job.failure, job.finished_at) == (S.QUEUED, None, None)
    row = table.row(job_id)
    assert (row["agreed"], row["available_at"]) == (1, at.isoformat(timespec="microseconds"))
    assert table.attempts(job_id) == ledger
    await table.move("a", Move.CLAIM)
    assert len(table.attempts(job_id)) == len(ledger) + 1


@pytest.mark.parametrize("automatic", [False, True])
async def test_who_allowed_a_repeat_is_on_record(table: Table, automatic: bool) -> None:
    """A person or a setting: beside the submit that came before it, and counted for the books."""
    unconfirmed, failed = await table.bring("a", S.UNCONFIRMED), await table.bring("b", S.FAILED)
    assert await table.store.jobs.apply(
        Resubmitted(unconfirmed, table.clock.at, automatic), Requeued(failed, table.clock.at, automatic)
    )
    for job_id in (unconfirmed, failed):
        assert [attempt["automatic"] for attempt in table.attempts(job_id)] == [int(automatic)]
        assert table.row(job_id)["authorised"] == 1


async def test_a_repeat_of_nothing_is_no_repeat(table: Table) -> None:
    """A job that was cancelled before it was sent may be sent once, as before."""
    job_id = await table.move("a", Move.CANCEL, Move.REQUEUE)
    assert table.row(job_id)["authorised"] == 0
    await table.move("a", Move.CLAIM, Move.UNCONFIRMED, Move.RESUBMIT)
    assert table.row(job_id)["authorised"] == 1
