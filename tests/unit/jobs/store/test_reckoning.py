"""Submits that were sent without a known price: they are found, and estimated as soon as it is known."""

from decimal import Decimal

from jobs.ledger import ModelCost
from jobs.outcomes import RemoteFailed
from jobs.states import JobState, Move
from jobs.workload import Amount
from tests.support.tables import MODEL, ORIGIN, Table, claimed, failure, picture, planned, rows

PRICE = Decimal("0.04")


async def sent(table: Table, key: str, *moves: Move, estimate: Decimal | None = None) -> int:
    """Submit a job, at a price that nobody knows unless `estimate` says it."""
    job = await table.job(key)
    await table.store.batches.agree(table.batch.id)
    assert await table.store.jobs.claim(claimed(job.id, table.clock.at, estimate))
    await table.move(key, *moves)
    return job.id


async def test_what_may_be_paid_for_at_an_unknown_price(table: Table) -> None:
    """What was refused is not, nor what has an estimate, nor what the API told the cost of."""
    await table.load(planned(key, n, pictures=n + 1, prompt=f"fox {n}") for n, key in enumerate("abcdef"))
    await sent(table, "a", Move.ACCEPTED)
    await sent(table, "b", Move.UNCONFIRMED)
    await sent(table, "c", Move.REFUSED)
    await sent(table, "d", Move.ACCEPTED, estimate=PRICE)
    failed = await sent(table, "e", Move.ACCEPTED)
    assert await table.store.jobs.apply(RemoteFailed(failed, failure(), Decimal("0.20"), table.clock.at))
    assert await table.store.ledger.unpriced(table.batch.id) == {MODEL: Amount(2, 3)}
    assert (await table.store.ledger.account(table.batch.id)).unpriced == 1  # "b" is in doubt, and not spent


async def test_they_are_reckoned_by_their_pictures(table: Table) -> None:
    """Spent and in doubt then say what may have been paid; once, and nothing else is touched."""
    await table.load(planned(key, n, pictures=n + 1, prompt=f"fox {n}") for n, key in enumerate("abcd"))
    await sent(table, "a", Move.ACCEPTED)
    await sent(table, "b", Move.UNCONFIRMED)
    await sent(table, "c", Move.ACCEPTED, estimate=Decimal("1.00"))
    other, _ = await table.store.batches.load(
        name="other", sheet=table.path, origin=ORIGIN, planned=rows("z")
    )
    ledger = table.store.ledger
    await ledger.reckon(table.batch.id, {"another/model": Decimal(9)})
    await ledger.reckon(other.id, {MODEL: Decimal(9)})
    assert (await ledger.unpriced(table.batch.id)).jobs == 2
    for price in (PRICE, Decimal(5)):
        await ledger.reckon(table.batch.id, {MODEL: price})
        assert await ledger.unpriced(table.batch.id) == {}
        account = await ledger.account(table.batch.id)
        assert (account.spent_usd, account.unpriced) == (Decimal("1.04"), 0)
        assert await ledger.unconfirmed_usd(table.batch.id) == Decimal("0.08")
    assert (await table.job("a")).estimate_usd == PRICE
    assert (await table.job("d")).state is JobState.QUEUED


async def test_the_other_batches_of_an_account_are_found(table: Table) -> None:
    """Those with submits without a price, and no other account's."""
    first = table.batch.id
    await sent(table, "a", Move.ACCEPTED)
    made = []
    for name, account in (("same", "one"), ("else", "two"), ("nothing", "one")):
        batch, _ = await table.store.batches.load(
            name=name, sheet=table.path.with_name(f"{name}.csv"), origin=ORIGIN, planned=rows(name)
        )
        made.append(batch.id)
        await table.store.accounts.enter(account, batch.id)
    await table.store.accounts.enter("one", first)
    beside = table.store.ledger.unpriced_beside
    assert [await beside(one) for one in (first, *made)] == [[], [first], [], [first]]
    await table.store.ledger.reckon(first, {MODEL: PRICE})
    assert await beside(made[0]) == []


async def test_each_model_has_its_cost(table: Table) -> None:
    """Told, estimated and in doubt apart, as the sums of the batch; what was refused costs nothing."""
    other = "bytedance/seedream-4-5/sequential"
    await table.load(planned(key, n, model=other if key == "d" else MODEL) for n, key in enumerate("abcdef"))
    await table.bring("a", JobState.SUCCEEDED)
    await sent(table, "b", Move.ACCEPTED, estimate=PRICE)
    await sent(table, "c", Move.UNCONFIRMED, estimate=PRICE)
    await sent(table, "d", Move.ACCEPTED, estimate=Decimal(3))
    await sent(table, "e", Move.REFUSED, estimate=PRICE)
    job = await table.job("a")
    await table.store.ledger.record_image(job.id, table.attempts(job.id)[0]["id"], picture())
    ledger, nothing = table.store.ledger, Decimal(0)
    found = await ledger.by_model(table.batch.id)
    assert found == [
        ModelCost(other, 1, 0, nothing, Decimal(3), nothing),
        ModelCost(MODEL, 3, 1, Decimal("0.04"), PRICE, PRICE),
    ]
    account = await ledger.account(table.batch.id)
    assert sum(one.reported_usd for one in found) == account.reported_usd
    assert sum(one.estimated_usd for one in found) == account.estimated_usd
    assert sum(one.in_doubt_usd for one in found) == await ledger.unconfirmed_usd(table.batch.id)
    assert sum(one.submits for one in found) == account.submits
