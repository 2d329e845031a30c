"""Counts and money: what a batch has come to, and what it may have cost."""

from decimal import Decimal

from jobs.attempts import SubmitOutcome
from jobs.outcomes import RemoteDone, RemoteFailed
from jobs.states import JobState, Move
from jobs.views import Account, AttemptView
from tests.support.tables import ESTIMATE, NIGHT, Table, claimed, failure, planned, rows

S = JobState
NOTHING = Account(Decimal(0), Decimal(0), 0)


async def test_every_state_is_counted_zeros_included(table: Table) -> None:
    """`status --json` promises all eight."""
    await table.load(rows(*"abcdefgh"))
    for key, state in zip("abcdefgh", JobState, strict=True):
        await table.bring(key, state)
    assert await table.store.jobs.counts(table.batch.id) == dict.fromkeys(JobState, 1)
    assert await table.store.jobs.counts(table.batch.id + 1) == dict.fromkeys(JobState, 0)


async def test_counts_are_of_the_sheet_as_it_is(table: Table) -> None:
    """Old revisions and rows that are gone do not count."""
    await table.bring("a", S.SUCCEEDED)
    await table.bring("b", S.FAILED)
    await table.load([planned("a", 0, prompt="a wolf"), planned("c", 1)])
    counted = await table.store.jobs.counts(table.batch.id)
    assert {state: many for state, many in counted.items() if many} == {S.QUEUED: 2}


async def test_jobs_that_ended_lately_are_counted(table: Table) -> None:
    """From that moment on, itself included; for the rate and the time that is left. A cancel is no pace."""
    await table.bring("a", S.FAILED)
    await table.move("c", Move.CANCEL)
    later = table.clock.advance(60)
    await table.bring("b", S.SUCCEEDED)
    assert await table.store.jobs.ended_since(table.batch.id, NIGHT) == 2
    assert await table.store.jobs.ended_since(table.batch.id, later) == 1
    assert await table.store.jobs.ended_since(table.batch.id, table.clock.advance(1)) == 0


async def test_nothing_sent_costs_nothing(table: Table) -> None:
    """Zero, not unknown."""
    assert await table.store.ledger.account(table.batch.id) == NOTHING
    assert await table.store.ledger.unconfirmed_usd(table.batch.id) == 0


async def test_what_the_api_told_stands_beside_what_is_estimated(table: Table) -> None:
    """Told where it was told, even zero; else the estimate, also of a run that failed."""
    await table.load(rows("a", "b", "c", "d"))
    told, free, silent, running = [await table.bring(key, S.RUNNING) for key in "abcd"]
    assert running
    await table.store.jobs.apply(
        RemoteDone(told, (), Decimal("0.07")),
        RemoteFailed(free, failure(), Decimal(0), NIGHT),
        RemoteFailed(silent, failure(), None, NIGHT),
    )
    account = await table.store.ledger.account(table.batch.id)
    assert account == Account(Decimal("0.07"), 2 * ESTIMATE, 4)
    assert account.spent_usd == Decimal("0.31")


async def test_a_submit_without_an_estimate_adds_nothing_to_it(table: Table) -> None:
    """An unknown price is no reason to know less about the others."""
    await table.store.batches.agree(table.batch.id)
    job_id = (await table.job("a")).id
    await table.store.jobs.claim(claimed(job_id, estimate_usd=None))
    await table.move("a", Move.ACCEPTED)
    await table.bring("b", S.RUNNING)
    assert await table.store.ledger.account(table.batch.id) == Account(Decimal(0), ESTIMATE, 2, unpriced=1)


async def test_a_refused_submit_is_not_paid(table: Table) -> None:
    """Neither spent, nor in doubt, nor counted."""
    await table.move("a", Move.CLAIM, Move.REFUSED)
    assert await table.store.ledger.account(table.batch.id) == NOTHING
    assert await table.store.ledger.unconfirmed_usd(table.batch.id) == 0


async def test_doubtful_submits_are_counted_apart_from_what_is_spent(table: Table) -> None:
    """On their way, unanswered, sent again or let go: each may be paid for."""
    await table.load(rows(*"abcde"))
    ways: dict[str, tuple[Move, ...]] = {
        "a": (Move.CLAIM,),
        "b": (Move.CLAIM, Move.UNCONFIRMED),
        "c": (Move.CLAIM, Move.UNCONFIRMED, Move.RESUBMIT),
        "d": (Move.CLAIM, Move.UNCONFIRMED, Move.DISCARD),
        "e": (Move.CLAIM, Move.UNCONFIRMED, Move.ATTACH),
    }
    for key, moves in ways.items():
        await table.move(key, *moves)
    assert await table.store.ledger.unconfirmed_usd(table.batch.id) == 4 * ESTIMATE
    assert await table.store.ledger.account(table.batch.id) == Account(Decimal(0), ESTIMATE, 5)


async def test_many_small_amounts_add_up_exactly(table: Table) -> None:
    """Thirty times ten cents and a millionth, as no float does."""
    keys = [f"k{number}" for number in range(30)]
    await table.load(rows(*keys))
    await table.store.batches.agree(table.batch.id)
    for key in keys:
        job_id = (await table.job(key)).id
        await table.store.jobs.claim(claimed(job_id))
        await table.move(key, Move.ACCEPTED)
        await table.store.jobs.apply(RemoteDone(job_id, (), Decimal("0.100001")))
    assert (await table.store.ledger.account(table.batch.id)).reported_usd == Decimal("3.00003")


async def test_what_left_the_sheet_was_paid_all_the_same(table: Table) -> None:
    """The account is of the batch, not of the manifest."""
    await table.bring("a", S.RUNNING)
    await table.load([])
    assert await table.store.ledger.account(table.batch.id) == Account(Decimal(0), ESTIMATE, 1)


async def test_queued_jobs_and_their_pictures_by_model(table: Table) -> None:
    """For the plan's price: only what is queued in the sheet, and apart what nobody agreed to."""
    batch = table.batch.id
    await table.load(
        [planned("d", 0, pictures=3), planned("e", 1, pictures=2), planned("f", 2, model="other")]
    )
    model = (await table.job("d")).model
    assert await table.store.preview.to_send(batch) == {model: (2, 5), "other": (1, 1)}
    assert await table.store.preview.unagreed(batch) == {model: (2, 5), "other": (1, 1)}
    await table.bring("e", S.RUNNING)  # it agrees to all three
    await table.load([planned("d", 0, pictures=3), planned("f", 1, model="other"), planned("g", 2)])
    assert await table.store.preview.to_send(batch) == {model: (2, 4), "other": (1, 1)}
    assert await table.store.preview.unagreed(batch) == {model: (1, 1)}


async def test_the_ledger_has_every_attempt(table: Table) -> None:
    """Oldest first, those of old revisions too, with all that an audit tells."""
    await table.move("b", Move.CLAIM, Move.REFUSED)
    at = table.clock.advance(5)
    job_id = await table.move("a", Move.CLAIM, Move.ACCEPTED, Move.REMOTE_DONE)
    await table.load(rows("c"))
    refused, accepted = await table.store.ledger.attempts(table.batch.id)
    assert (refused.key, refused.outcome, refused.detail) == ("b", SubmitOutcome.REFUSED, "why")
    assert accepted == AttemptView(
        id=table.attempts(job_id)[0]["id"],
        uid=table.attempts(job_id)[0]["uid"],
        job_id=job_id,
        key="a",
        row=2,
        number=1,
        payload_sha256="5" * 64,
        started_at=at,
        answered_at=at,
        outcome=SubmitOutcome.ACCEPTED,
        request_id="req-a",
        named_id=None,
        answer=None,
        cost_usd=Decimal("0.04"),
        estimate_usd=ESTIMATE,
        ended="done",
        detail=None,
        automatic=False,
        state=S.FETCHING,
        authorised=0,
    )
    assert await table.store.ledger.attempts(table.batch.id + 1) == []


async def test_revisions_are_told_apart(table: Table) -> None:
    """What was replaced, what replaced it, what is gone; the plain rest is not listed."""
    old = await table.bring("a", S.SUCCEEDED)
    gone = await table.bring("b", S.SUCCEEDED)
    await table.load([planned("a", 0, prompt="a wolf"), planned("c", 2)])
    new = (await table.job("a")).id
    assert sorted(await table.store.jobs.revisions(table.batch.id)) == [
        (old, "a", 1, False),
        (gone, "b", 1, False),
        (new, "a", 2, True),
    ]
    assert await table.store.jobs.revisions(table.batch.id + 1) == []


async def test_a_request_id_leads_to_its_job(table: Table) -> None:
    """So that `review --attach` can say who has it already."""
    await table.bring("b", S.SUCCEEDED)
    assert await table.store.ledger.holder_of("req-b") == ((await table.job("b")).id, "b")
    assert await table.store.ledger.holder_of("req-c") is None
