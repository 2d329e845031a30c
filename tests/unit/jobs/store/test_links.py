"""Jobs that say the same: who waits for whom, and what becomes of the one becomes of the others."""

from datetime import timedelta
from decimal import Decimal

import pytest

from jobs.failures import FailureKind
from jobs.outcomes import Requeued
from jobs.states import JobState, Move
from jobs.store.store import Store
from jobs.views import ArtifactView, LinkCounts
from tests.support.tables import NIGHT, Table, claimed, outcome_of, picture, planned, rows, tamper

S = JobState
TWINS = [planned("a", 0), planned("b", 1), planned("c", 2), planned("d", 3, prompt="another")]


async def linked(table: Table) -> None:
    """b and c wait for a."""
    a, b, c = [(await table.job(key)).id for key in "abc"]
    await table.store.links.link([(b, a), (c, a)])


async def settle(table: Table) -> int:
    return await table.store.links.settle(table.batch.id)


async def states(table: Table) -> str:
    return " ".join([(await table.job(key)).state.value for key in "abc"])


async def images(store: Store, job_id: int, *found: ArtifactView) -> None:
    """Pictures that the job's newest submit has brought home."""
    open_job = await store.jobs.open_job(job_id)
    assert open_job is not None
    for one in found:
        await store.ledger.record_image(job_id, open_job.attempt_id, one)


async def test_what_says_the_same_is_found(table: Table) -> None:
    """To the byte; what cannot bring a picture any more is not among them, nor what is alone."""
    await table.load([planned("a", 0), planned("b", 1), planned("c", 2, prompt="another")])
    (kind,) = await table.store.links.alike(table.batch.id)
    assert [(job.key, job.state, job.unsent) for job in kind] == [
        ("a", S.QUEUED, True),
        ("b", S.QUEUED, True),
    ]
    await table.bring("a", S.FAILED)
    assert await table.store.links.alike(table.batch.id) == []


@pytest.mark.parametrize("state", [S.SUBMITTING, S.RUNNING, S.FETCHING, S.SUCCEEDED, S.UNCONFIRMED])
async def test_what_was_sent_counts_even_where_its_row_is_gone(table: Table, state: JobState) -> None:
    """It is, or may be, paid for."""
    await table.bring("a", state)
    await table.load(rows("z"))
    (kind,) = await table.store.links.alike(table.batch.id)
    assert [(job.key, job.state) for job in kind] == [("a", state), ("z", S.QUEUED)]


async def test_a_linked_job_is_neither_asked_for_nor_sent(table: Table) -> None:
    """Not by a claim either, which the table itself would refuse."""
    await linked(table)
    store, batch = table.store, table.batch.id
    assert await store.preview.unagreed(batch) == {planned("a").model: (1, 1)}
    assert await store.preview.to_send(batch) == {planned("a").model: (1, 1)}
    assert await store.preview.repeats(batch) == {}
    assert await store.batches.agree(batch) == 1
    assert [job.key for job in await store.jobs.queued(batch, limit=9)] == ["a"]
    assert await store.jobs.claim(claimed((await table.job("b")).id)) is None
    with pytest.raises(Exception, match="job_same_as"):
        tamper(table.path, "UPDATE job SET agreed = true WHERE key = 'b'")


async def test_success_is_shared(table: Table) -> None:
    """With its pictures and warnings; nothing is sent for it, and it cost nothing."""
    await linked(table)
    a = await table.move("a", Move.CLAIM, Move.ACCEPTED, Move.REMOTE_DONE)
    await images(table.store, a, picture(1), picture(2))
    assert await settle(table) == 0
    assert await states(table) == "fetching queued queued"
    assert (await table.job("b")).images == ()
    await table.move("a", Move.FETCHED)
    at = table.clock.advance(60)
    assert await settle(table) == 0
    for key in "bc":
        job = await table.job(key)
        assert (job.state, job.finished_at, job.attempts) == (S.SUCCEEDED, at, 0)
        assert (job.cost_usd, job.request_id, job.submitted_at) == (Decimal(0), None, None)
        assert [image.number for image in job.images] == [1, 2]
        assert job.twin is not None
        assert (job.twin.key, job.twin.state) == ("a", S.SUCCEEDED)
    assert await table.store.links.count(table.batch.id) == LinkCounts(succeeded=2)
    assert [(job.key, job.same_as) for job in await table.store.links.listed(table.batch.id)] == [
        ("b", "a"),
        ("c", "a"),
    ]
    assert (await table.store.ledger.account(table.batch.id)).submits == 1
    assert await table.store.jobs.ended_since(table.batch.id, NIGHT) == 1


async def test_a_failure_is_shared_and_tried_again_alone_or_together(table: Table) -> None:
    """Alone it is sent and paid; together with the other it waits once more."""
    await linked(table)
    await table.bring("a", S.FAILED)
    await settle(table)
    assert await states(table) == "failed failed failed"
    failure = (await table.job("b")).failure
    assert failure is not None
    assert (failure.kind, failure.code) == (FailureKind.BAD_PICTURE, "c1")
    assert (
        failure.message
        == "Not sent, and not paid: it waited for the identical job 'a', which failed. The reason there: why"
    )
    b, c = [(await table.job(key)).id for key in "bc"]
    assert not await table.store.jobs.apply(Requeued(c, NIGHT, waits=True)), "there is nothing to wait for"
    assert await table.store.jobs.apply(Requeued(b, NIGHT))
    assert (table.row(b)["agreed"], table.row(b)["same_as"], table.row(b)["authorised"]) == (1, None, 0)
    await table.move("a", Move.REOPEN)
    assert await table.store.jobs.apply(Requeued(c, NIGHT, waits=True))
    assert (table.row(c)["agreed"], table.row(c)["same_as"]) == (0, (await table.job("a")).id)


@pytest.mark.parametrize("state", [S.SUBMITTING, S.RUNNING, S.FETCHING, S.UNCONFIRMED])
async def test_what_is_open_or_in_doubt_is_waited_for(table: Table, state: JobState) -> None:
    """A person decides about a doubt; nothing is sent in the meantime."""
    await linked(table)
    await table.bring("a", state)
    before = table.everything()
    assert await settle(table) == 0
    assert table.everything() == before
    assert await table.store.links.count(table.batch.id) == LinkCounts(waiting=2)


async def test_a_cancelled_one_leaves_its_place(table: Table) -> None:
    """With what was agreed to, which does not count twice."""
    await linked(table)
    await table.store.batches.agree(table.batch.id)
    await table.store.jobs.cancel(table.batch.id, ["a"])
    assert await settle(table) == 1
    rows = [table.row((await table.job(key)).id) for key in "abc"]
    assert [(row["state"], row["agreed"]) for row in rows] == [("cancelled", 0), ("queued", 1), ("queued", 0)]
    assert [row["same_as"] for row in rows] == [None, None, rows[1]["id"]]


async def test_what_was_sent_before_it_was_cancelled_has_used_up_its_agreement(table: Table) -> None:
    """Its heir may be a second payment, and is asked for."""
    await linked(table)
    await table.move("a", Move.CLAIM, Move.ACCEPTED, Move.REMOTE_CANCELLED)
    assert await settle(table) == 1
    assert table.row((await table.job("b")).id)["agreed"] == 0
    assert await table.store.preview.unagreed(table.batch.id) == {planned("a").model: (1, 1)}


async def test_one_that_says_something_else_by_now_is_not_waited_for(table: Table) -> None:
    """Its row was edited before it was sent."""
    await linked(table)
    await table.load([planned("a", 0, prompt="edited"), planned("b", 1), planned("c", 2)])
    assert await settle(table) == 1
    b = await table.job("b")
    assert b.twin is None
    c = (await table.job("c")).twin
    assert c is not None
    assert c.id == b.id


async def test_an_edited_row_is_a_job_of_its_own(table: Table) -> None:
    """What it had stays with its older revision, and comes back when the edit is undone."""
    await linked(table)
    await table.load([planned("a"), planned("b", 1, prompt="edited"), planned("c", 2)])
    assert (await table.job("b")).twin is None
    await table.bring("a", S.SUCCEEDED)
    await settle(table)
    await table.load([planned("a"), planned("b", 1), planned("c", 2, prompt="edited")])
    edited = await table.job("c")
    assert (edited.state, edited.revision, edited.twin) == (S.QUEUED, 2, None)
    await table.load([planned("a"), planned("b", 1), planned("c", 2)])
    back = await table.job("c")
    assert (back.state, back.revision) == (S.SUCCEEDED, 1)


async def test_a_row_that_goes_and_comes_back_waits_again(table: Table) -> None:
    """Free, as any row that was not sent."""
    await linked(table)
    await table.load([planned("a"), planned("c", 2)])
    assert (await table.job("b")).state is S.CANCELLED
    await table.load([planned("a"), planned("b", 1), planned("c", 2)])
    back = await table.job("b")
    assert back.state is S.QUEUED
    assert back.twin is not None


async def test_nothing_waits_for_one_that_waits(table: Table) -> None:
    """Those that did wait for what it waits for."""
    await linked(table)
    await table.load([*rows("a", "b", "c"), planned("z", 3)])
    a, z = (await table.job("a")).id, (await table.job("z")).id
    await table.bring("z", S.SUCCEEDED)
    await table.store.links.link([(a, z)])
    for key in "abc":
        twin = (await table.job(key)).twin
        assert twin is not None
        assert twin.key == "z"
    await settle(table)
    assert await states(table) == "succeeded succeeded succeeded"


async def test_what_was_ever_sent_is_not_linked(table: Table) -> None:
    """A person agreed to send it again: that stands."""
    b = await table.move("b", Move.CLAIM, Move.ACCEPTED, Move.REMOTE_FAILED, Move.REQUEUE)
    await table.store.links.link([(b, (await table.job("a")).id)])
    assert table.row(b)["same_as"] is None
    (kind,) = await table.store.links.alike(table.batch.id)
    assert [(job.key, job.unsent) for job in kind] == [("a", True), ("b", False), ("c", True)]


async def test_links_are_ended_by_a_word(table: Table) -> None:
    """Of what waits; to be agreed to, and paid."""
    await linked(table)
    assert await table.store.links.unlink(table.batch.id) == 2
    assert await table.store.preview.unagreed(table.batch.id) == {planned("a").model: (3, 3)}


async def test_what_waits_for_a_job_outside_of_a_part_is_told_apart(table: Table) -> None:
    """It is left out with that one."""
    await linked(table)
    assert await table.store.links.count(table.batch.id) == LinkCounts(waiting=2, idle=2)
    await table.store.batches.agree(table.batch.id)
    assert await table.store.links.count(table.batch.id) == LinkCounts(waiting=2)


async def test_many_are_ended_in_pieces(table: Table) -> None:
    """Some hundred at a time, so that nobody else waits long."""
    keys = [f"k{number}" for number in range(1201)]
    await table.load(rows(*keys))
    first, *others = [(await table.job(key)).id for key in keys[:1]] + [
        job.id for kind in await table.store.links.alike(table.batch.id) for job in kind[1:]
    ]
    await table.store.links.link([(other, first) for other in others])
    await table.bring("k0", S.SUCCEEDED)
    table.clock.at += timedelta(seconds=1)
    assert await settle(table) == 0
    counts = await table.store.jobs.counts(table.batch.id)
    assert counts[S.SUCCEEDED] == 1201


async def test_a_link_without_a_success_moves_nothing(table: Table) -> None:
    """Nor one that is no link."""
    await linked(table)
    for key in "ab":
        assert not await table.store.jobs.apply(outcome_of(Move.LINK, (await table.job(key)).id))
