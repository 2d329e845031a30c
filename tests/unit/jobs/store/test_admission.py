"""An account's own limits, taken in the transaction of the intent: in flight, gate, rate, budget, trouble."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from jobs.admission import AccountLimits, Bound, NotAdmitted, SubmitTerms
from jobs.attempts import Intent
from jobs.failures import Failure, FailureKind
from jobs.outcomes import Accepted, LeftUnconfirmed, NotAccepted, Refused, RemoteDone
from jobs.states import JobState, Move
from jobs.store.accounts.admission import MAY_ARRIVE, STILL_THERE
from tests.support.tables import ESTIMATE, ORIGIN, SHEET, Table, claimed, rows, select, tamper

NAME = "https://api.example 0123456789abcdef"
WHY = Failure(FailureKind.UNCONFIRMED, "Nobody answered.")
FREE = Failure(FailureKind.REFUSED, "No.")


async def limited(table: Table, **limits: Any) -> SubmitTerms:
    """The terms of the batch, whose account has these limits; all its jobs are agreed to."""
    await table.store.batches.agree(table.batch.id)
    account = await table.store.accounts.enter(NAME, table.batch.id)
    await table.store.accounts.set_limits(NAME, limits)
    return SubmitTerms(account.id, table.batch.id)


async def ask(table: Table, terms: SubmitTerms, key: str, **more: Any) -> Intent | NotAdmitted | None:
    """Ask for the submit of a job."""
    sent = claimed((await table.job(key)).id, table.clock.at, more.get("estimate", ESTIMATE))
    return await table.store.jobs.claim(sent, terms)


async def refused(table: Table, terms: SubmitTerms, key: str, **more: Any) -> NotAdmitted:
    """Ask, and be refused: nothing of it is written, and the job is queued as before."""
    answer = await ask(table, terms, key, **more)
    assert isinstance(answer, NotAdmitted)
    job = await table.job(key)
    assert job.state is JobState.QUEUED
    assert table.attempts(job.id) == []
    return answer


async def taken(table: Table, terms: SubmitTerms, key: str, **more: Any) -> None:
    """Ask, and be let go."""
    assert isinstance(await ask(table, terms, key, **more), Intent)


async def apply(table: Table, outcome: Any) -> None:
    assert await table.store.jobs.apply(outcome)


async def test_an_account_without_limits_lets_everything_go(table: Table) -> None:
    """Nothing changes for whoever sets none."""
    terms = await limited(table)
    for key in ("a", "b", "c"):
        await taken(table, terms, key)
    (account,) = await table.store.accounts.all()
    assert account.limits == AccountLimits()
    assert (account.in_flight, account.committed_usd, account.unpriced) == (3, 3 * ESTIMATE, 0)


async def test_a_job_that_is_not_to_be_sent_takes_nothing(table: Table) -> None:
    """Cancelled meanwhile: the next one has the rate's turn."""
    terms = await limited(table, per_minute=1.0)
    await table.store.jobs.cancel(table.batch.id, ["a"])
    assert await ask(table, terms, "a") is None
    await taken(table, terms, "b")


async def test_in_flight(table: Table) -> None:
    """Submitting and running count, whatever batch they are of; what has ended makes room."""
    terms = await limited(table, in_flight_max=2)
    await taken(table, terms, "a")
    await apply(table, Accepted((await table.job("a")).id, "req-a", table.clock.at))
    await taken(table, terms, "b")
    answer = await refused(table, terms, "c")
    assert answer.bound is Bound.IN_FLIGHT
    assert answer.detail == "the account's limit of 2 in flight"
    done = RemoteDone((await table.job("a")).id, ("https://pictures.example/1.png",), Decimal("0.04"))
    await apply(table, done)
    await taken(table, terms, "c")


async def test_another_batch_of_the_account_counts_as_well(table: Table) -> None:
    """And one of another account does not."""
    terms = await limited(table, in_flight_max=1)
    await taken(table, terms, "a")
    other, _ = await table.store.batches.load(
        name="other", sheet=SHEET.with_name("other.csv"), origin=ORIGIN, planned=rows("x")
    )
    await table.store.batches.agree(other.id)
    sent = claimed((await table.store.jobs.queued(other.id, limit=1))[0].id, table.clock.at)
    same = await table.store.accounts.enter(NAME, other.id)
    answer = await table.store.jobs.claim(sent, SubmitTerms(same.id, other.id))
    assert isinstance(answer, NotAdmitted)
    another = await table.store.accounts.enter("https://api.example another", other.id)
    assert isinstance(await table.store.jobs.claim(sent, SubmitTerms(another.id, other.id)), Intent)


async def test_an_unconfirmed_submit_counts_for_a_while(table: Table) -> None:
    """It may be on its way; later the API has it or not, and a person decides."""
    terms = await limited(table, in_flight_max=1)
    await table.move("a", Move.CLAIM, Move.UNCONFIRMED)
    (account,) = await table.store.accounts.all()
    cleared = SubmitTerms(terms.account_id, terms.batch_id, cleared=account.doubted_since)
    table.clock.advance((MAY_ARRIVE - timedelta(seconds=1)).total_seconds())
    assert (await refused(table, cleared, "b")).bound is Bound.IN_FLIGHT
    table.clock.advance(2)
    await taken(table, cleared, "b")


async def test_a_job_that_nobody_saw_end_counts_for_an_hour(table: Table) -> None:
    """A run that was left holds up the account no longer than the API can have its jobs."""
    terms = await limited(table, in_flight_max=1)
    await taken(table, terms, "a")
    await apply(table, Accepted((await table.job("a")).id, "req-a", table.clock.at))
    table.clock.advance((STILL_THERE - timedelta(seconds=1)).total_seconds())
    await refused(table, terms, "b")
    table.clock.advance(2)
    await taken(table, terms, "b")


async def test_the_gate(table: Table) -> None:
    """So many are on their way at once, by the account's own limit or by the runner's."""
    terms = await limited(table)
    gated = SubmitTerms(terms.account_id, terms.batch_id, gate=1)
    await taken(table, gated, "a")
    assert (await refused(table, gated, "b")).bound is Bound.GATE
    await table.store.accounts.set_limits(NAME, {"gate": 2})
    await taken(table, gated, "b")
    assert (await refused(table, gated, "c")).detail == "the account's limit of 2 submits on their way"
    await apply(table, Accepted((await table.job("a")).id, "req-a", table.clock.at))
    await taken(table, gated, "c")


async def test_a_submit_that_a_killed_run_left_shuts_the_gate_for_minutes(table: Table) -> None:
    """Nothing is on its way that long; the API may have it for an hour all the same."""
    terms = await limited(table, gate=1)
    await taken(table, terms, "a")
    table.clock.advance((MAY_ARRIVE - timedelta(seconds=1)).total_seconds())
    assert (await refused(table, terms, "b")).bound is Bound.GATE
    table.clock.advance(2)
    await taken(table, terms, "b")
    await table.store.accounts.set_limits(NAME, {"gate": None, "in_flight_max": 2})
    assert (await refused(table, terms, "c")).bound is Bound.IN_FLIGHT


async def test_the_rate(table: Table) -> None:
    """The next one waits by the database's clock; a limit that is set anew begins anew."""
    terms = await limited(table, per_minute=0.1)
    await taken(table, terms, "a")
    answer = await refused(table, terms, "b")
    assert answer.bound is Bound.RATE
    assert 500 < answer.wait_seconds <= 600
    await table.store.accounts.set_limits(NAME, {"per_minute": 0.2})
    await taken(table, terms, "b")
    assert 200 < (await refused(table, terms, "c")).wait_seconds <= 300
    await table.store.accounts.set_limits(NAME, {"per_minute": None})
    await taken(table, terms, "c")


async def test_the_account_s_budget(table: Table) -> None:
    """To the cent; what a submit may cost counts until it is told what it did, and once."""
    terms = await limited(table, budget=Decimal("0.24"))
    await taken(table, terms, "a")
    await taken(table, terms, "b")
    answer = await refused(table, terms, "c")
    assert answer.bound is Bound.BUDGET
    assert not answer.is_final, "what is under way may cost less"
    assert answer.detail == "the account's budget of 0.24 USD, of which 0.24 are spent or unconfirmed"
    a, b = (await table.job("a")).id, (await table.job("b")).id
    await apply(table, Accepted(a, "req-a", table.clock.at))
    await apply(table, RemoteDone(a, ("https://pictures.example/1.png",), Decimal("0.04")))
    (account,) = await table.store.accounts.all()
    assert account.committed_usd == Decimal("0.16")
    await refused(table, terms, "c")
    await taken(table, terms, "c", estimate=Decimal("0.08"))
    await apply(table, Refused(b, FREE, table.clock.at))
    (account,) = await table.store.accounts.all()
    assert account.committed_usd == Decimal("0.12"), "a refused submit is not paid, and given back once"


async def test_money_comes_back_once(table: Table) -> None:
    """A submit that did not leave, one that was turned away: each gives back what it took, and no more."""
    terms = await limited(table, budget=Decimal("0.12"))
    for told in (None, "busy"):
        await taken(table, terms, "a")
        await refused(table, terms, "b")
        a = (await table.job("a")).id
        await apply(table, NotAccepted(a, table.clock.at, table.clock.at, told))
        assert not await table.store.jobs.apply(NotAccepted(a, table.clock.at, table.clock.at, told))
        (account,) = await table.store.accounts.all()
        assert account.committed_usd == 0
    assert await table.store.counts.wrong(table.batch.id) == 0
    await taken(table, terms, "b")
    await refused(table, terms, "c")


async def test_nothing_under_way_makes_room(table: Table) -> None:
    """Then the batch is to pause: waiting brings nothing."""
    terms = await limited(table, budget=Decimal("0.12"))
    await table.move("a", Move.CLAIM, Move.ACCEPTED, Move.REMOTE_FAILED)
    assert (await refused(table, terms, "b")).is_final


async def test_the_batch_s_budget(table: Table) -> None:
    """The table decides for all who work on the batch, with the limit that they have."""
    terms = await limited(table)
    priced = SubmitTerms(terms.account_id, terms.batch_id, budget=Decimal("0.12"))
    await taken(table, priced, "a")
    assert (await refused(table, priced, "b")).detail.startswith("the batch's budget of 0.12 USD")
    await taken(table, terms, "b")


async def test_an_unknown_price_fits_no_budget(table: Table) -> None:
    """Neither its own, nor another one's before it."""
    terms = await limited(table, budget=Decimal(100))
    await refused(table, terms, "a", estimate=None)
    await table.store.accounts.set_limits(NAME, {"budget": None})
    await taken(table, terms, "a", estimate=None)
    await table.store.accounts.set_limits(NAME, {"budget": Decimal(100)})
    told = (await refused(table, terms, "b")).detail
    assert told.endswith("spent or unconfirmed, and 1 submits have no known price")
    told = (await refused(table, terms, "b", estimate=None)).detail
    assert told.endswith("and 1 submits have no known price, and this one has no known price")


async def test_a_cool_down_is_the_account_s(table: Table) -> None:
    """Whoever was turned away speaks for all; a shorter wait ends no longer one."""
    terms = await limited(table)
    await table.store.accounts.cool_down(terms.account_id, 500)
    await table.store.accounts.cool_down(terms.account_id, 5)
    answer = await refused(table, terms, "a")
    assert answer.bound is Bound.BUSY
    assert 400 < answer.wait_seconds <= 500


async def test_a_doubt_holds_up_the_account(table: Table) -> None:
    """One asks the free question, and the others wait; who has its answer clears the doubt for all."""
    terms = await limited(table)
    await taken(table, terms, "a")
    since = table.clock.advance(1)
    await apply(table, LeftUnconfirmed((await table.job("a")).id, WHY, since))
    first, second = await refused(table, terms, "b"), await refused(table, terms, "b")
    assert (first.bound, first.doubt, first.wait_seconds) == (Bound.DOUBT, since, 0.0)
    assert (second.bound, second.doubt) == (Bound.DOUBT, None)
    earlier = SubmitTerms(terms.account_id, terms.batch_id, cleared=since - timedelta(seconds=1))
    await refused(table, earlier, "b")
    await taken(table, SubmitTerms(terms.account_id, terms.batch_id, cleared=since), "b")
    await taken(table, terms, "c")


async def test_who_asks_and_dies_is_followed(table: Table) -> None:
    """The question has a lease: after it another one asks."""
    terms = await limited(table)
    await table.move("a", Move.CLAIM, Move.UNCONFIRMED)
    assert (await refused(table, terms, "b")).doubt is not None
    assert (await refused(table, terms, "b")).doubt is None
    past = "2020-01-01T00:00:00.000000+00:00"
    tamper(table.path, f"UPDATE apiaccount SET asked_until = '{past}'")
    assert (await refused(table, terms, "b")).doubt is not None


@pytest.mark.parametrize("column", ["next_at", "cool_until", "asked_until"])
async def test_a_clock_that_was_set_back_holds_up_nothing(table: Table, column: str) -> None:
    """What lies further ahead than anybody ever waits was written by another clock."""
    terms = await limited(table, per_minute=60.0)
    tamper(table.path, f"UPDATE apiaccount SET {column} = '2199-01-01T00:00:00.000000+00:00'")
    if column == "asked_until":
        doubted = "2026-11-20T22:00:00.000000+00:00"
        tamper(table.path, f"UPDATE apiaccount SET doubted_since = '{doubted}'")
        assert (await refused(table, terms, "a")).doubt is not None
    else:
        await taken(table, terms, "a")


@pytest.mark.parametrize("move", [Move.ACCEPTED, Move.UNCONFIRMED, None])
async def test_what_was_sent_by_a_clock_that_was_set_back_holds_up_nothing(
    table: Table, move: Move | None
) -> None:
    """It would count for as long as that clock was ahead."""
    terms = await limited(table, in_flight_max=1, gate=1)
    await table.move("a", Move.CLAIM, *filter(None, [move]))
    tamper(table.path, "UPDATE apiaccount SET doubted_since = NULL")
    await refused(table, terms, "b")
    tamper(
        table.path,
        "UPDATE job SET submitted_at = '2199-01-01T00:00:00.000000+00:00' WHERE submitted_at IS NOT NULL",
    )
    await taken(table, terms, "b")


async def test_a_cool_down_of_a_clock_that_was_set_back_is_replaced(table: Table) -> None:
    """Else nobody would ever wait for the API again, until that time has come."""
    terms = await limited(table)
    tamper(table.path, "UPDATE apiaccount SET cool_until = '2199-01-01T00:00:00.000000+00:00'")
    await table.store.accounts.cool_down(terms.account_id, 500)
    answer = await refused(table, terms, "a")
    assert answer.bound is Bound.BUSY
    assert 400 < answer.wait_seconds <= 500


async def test_an_audit_finds_money_that_was_written_by_another_program(table: Table) -> None:
    """What is committed is what the kept counts say, and an audit holds these against the attempts."""
    terms = await limited(table, budget=Decimal("0.12"))
    await taken(table, terms, "a")
    tamper(table.path, "UPDATE attempttally SET estimate_usd = 0")
    assert await table.store.counts.wrong(table.batch.id) > 0
    await table.store.counts.recount(table.batch.id)
    (account,) = await table.store.accounts.all()
    assert account.committed_usd == ESTIMATE
    await refused(table, terms, "b")


async def test_a_batch_goes_over_to_the_account_of_its_token(table: Table) -> None:
    """And is written once: a run that goes on with the same token writes nothing."""
    first = await table.store.accounts.enter(NAME, table.batch.id)
    assert await table.store.accounts.enter(NAME, table.batch.id) == first
    other = await table.store.accounts.enter("https://api.example another", table.batch.id)
    assert other.id != first.id
    assert await table.store.accounts.of_batch(table.batch.id) == other
    assert select(table.path, "SELECT account_id FROM batch") == [{"account_id": other.id}]
