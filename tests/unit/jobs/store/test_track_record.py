"""What the guards are told of earlier runs: what ended, what has no answer, and which models work."""

from datetime import timedelta

import pytest

from jobs.failures import Failure, FailureKind
from jobs.outcomes import (
    Accepted,
    Discarded,
    Linked,
    Refused,
    RemoteDone,
    RemoteFailed,
    Requeued,
    Resubmitted,
    Unsendable,
)
from jobs.pauses import PauseReason
from jobs.states import JobState, Move
from jobs.track_record import EndedJob, TrackRecord
from tests.support.tables import MODEL, ORIGIN, Table, claimed, planned, rows

S, F = JobState, FailureKind
SENT = (Move.CLAIM, Move.ACCEPTED)
OTHER = "bytedance/seedream-4-5/sequential"


async def record(table: Table, ended: int = 30) -> TrackRecord:
    return await table.store.track_records.of(table.batch.id, ended=ended)


async def resume(table: Table) -> None:
    """A person resumes what a guard has paused."""
    await table.store.batches.pause(table.batch.id, PauseReason.GUARD, "why")
    table.clock.advance(1)
    await table.store.batches.resume(table.batch.id)
    table.clock.advance(1)


async def test_nothing_has_happened(table: Table) -> None:
    """Three jobs, queued."""
    assert await record(table) == TrackRecord(total=3)


async def test_what_ended_last_in_its_order(table: Table) -> None:
    """By the time when it ended, not by the time when it was sent; no more than are asked for."""
    for key, move in (("c", Move.REMOTE_FAILED), ("a", Move.REMOTE_DONE)):
        await table.move(key, *SENT, move)
        table.clock.advance(1)
    await table.move("b", *SENT, Move.REMOTE_DONE, Move.FETCH_FAILED)
    table.clock.advance(1)
    await table.move("a", Move.FETCHED)
    failed, bad, succeeded = EndedJob(F.REMOTE_FAILED), EndedJob(F.BAD_PICTURE), EndedJob()
    assert (await record(table)).ended == (failed, bad, succeeded)
    assert (await record(table, ended=2)).ended == (bad, succeeded)
    assert (await record(table, ended=0)).ended == ()


async def test_a_run_that_failed_counts_although_its_job_is_sent_again(table: Table) -> None:
    """In its turn, and beside what becomes of the job later; a person's `retry` is another thing."""
    failure = Failure(F.REMOTE_FAILED, "no")
    for key in "ab":
        job_id = await table.move(key, *SENT)
        at = table.clock.at
        automatic = key == "a"
        assert await table.store.jobs.apply(
            RemoteFailed(job_id, failure, None, at), Requeued(job_id, at, automatic=automatic)
        )
        table.clock.advance(1)
    await table.move("c", *SENT, Move.REMOTE_DONE, Move.FETCH_FAILED)
    table.clock.advance(1)
    failed = EndedJob(F.REMOTE_FAILED)
    found = await record(table)
    assert (found.ended, found.fruitless) == ((failed, EndedJob(F.BAD_PICTURE)), {MODEL: 2})
    job_id = await table.move("a", Move.CLAIM)
    assert await table.store.jobs.apply(Accepted(job_id, "req-a-2", table.clock.at))
    await table.move("a", Move.REMOTE_FAILED)
    found = await record(table)
    assert (found.ended, found.fruitless) == ((failed, EndedJob(F.BAD_PICTURE), failed), {MODEL: 3})
    assert (await record(table, ended=1)).ended == (failed,)
    await resume(table)
    assert await record(table) == TrackRecord(total=3)


async def test_what_a_person_caused_is_left_out(table: Table) -> None:
    """A cancel, and a submit that was let go."""
    await table.move("a", Move.CANCEL)
    await table.move("b", Move.CLAIM, Move.UNCONFIRMED, Move.DISCARD)
    assert await record(table) == TrackRecord(total=3)


async def test_a_job_that_shares_another_s_result_was_never_sent(table: Table) -> None:
    """It counts once, with the one that was."""
    await table.bring("a", S.SUCCEEDED)
    twin, linked = (await table.job("a")).id, (await table.job("b")).id
    await table.store.links.link([(linked, twin)])
    assert await table.store.jobs.apply(Linked(linked, (), table.clock.at))
    assert (await record(table)).ended == (EndedJob(),)


@pytest.mark.parametrize("kind", [F.REFUSED, F.MODERATED])
async def test_what_was_refused_was_never_accepted(table: Table, kind: FailureKind) -> None:
    """At its submit; a run that was moderated later is another thing."""
    job_id = await table.move("a", Move.CLAIM)
    assert await table.store.jobs.apply(Refused(job_id, Failure(kind, "no"), table.clock.at))
    assert (await record(table)).ended == (EndedJob(kind, at_submit=True),)
    job_id = await table.move("b", *SENT)
    table.clock.advance(1)
    assert await table.store.jobs.apply(
        RemoteFailed(job_id, Failure(F.MODERATED, "no"), None, table.clock.at)
    )
    assert (await record(table)).ended[-1] == EndedJob(F.MODERATED)


async def test_what_could_not_be_sent_counts_as_refused(table: Table) -> None:
    """A picture that is gone: there is no submit."""
    job_id = (await table.job("a")).id
    assert await table.store.jobs.apply(Unsendable(job_id, Failure(F.REFUSED, "gone"), table.clock.at))
    assert (await record(table)).ended == (EndedJob(F.REFUSED, at_submit=True),)


async def test_refusals_since_the_last_acceptance(table: Table) -> None:
    """Those before it say less."""
    await table.move("a", Move.CLAIM, Move.REFUSED)
    assert (await record(table)).since_accepted == 1
    table.clock.advance(1)
    await table.move("b", *SENT)
    assert (await record(table)).since_accepted == 0
    table.clock.advance(1)
    await table.move("c", Move.CLAIM, Move.REFUSED)
    assert (await record(table)).since_accepted == 1


async def test_submits_that_nobody_has_decided_about(table: Table) -> None:
    """A person's decision ends the doubt for the guard; a setting's repeat does not."""
    for key in "abc":
        await table.move(key, Move.CLAIM, Move.UNCONFIRMED)
    assert (await record(table)).unanswered == 3
    ids = {key: (await table.job(key)).id for key in "abc"}
    assert await table.store.jobs.apply(Resubmitted(ids["a"], table.clock.at, automatic=True))
    assert (await record(table)).unanswered == 3
    assert await table.store.jobs.apply(Resubmitted(ids["b"], table.clock.at))
    assert await table.store.jobs.apply(Discarded(ids["c"], Failure(F.DISCARDED, "so be it"), table.clock.at))
    assert (await record(table)).unanswered == 1


async def test_what_came_to_nothing_by_model(table: Table) -> None:
    """Failures and doubts of the sheet's rows; an edited row is another try."""
    await table.load([planned("a"), planned("b", 1), planned("x", 2, model=OTHER, prompt="x")])
    await table.bring("a", S.FAILED)
    await table.bring("b", S.UNCONFIRMED)
    await table.bring("x", S.FAILED)
    assert (await record(table)).fruitless == {MODEL: 2, OTHER: 1}
    await table.load(
        [planned("a", prompt="an owl"), planned("b", 1), planned("x", 2, model=OTHER, prompt="x")]
    )
    assert (await record(table)).fruitless == {MODEL: 1, OTHER: 1}
    table.clock.at += timedelta(days=8)
    assert (await record(table)).fruitless == {}


async def test_a_resume_begins_anew(table: Table) -> None:
    """Of everything before it nothing counts, successes included."""
    await table.bring("a", S.SUCCEEDED)
    await table.bring("b", S.FAILED)
    await table.bring("c", S.UNCONFIRMED)
    before = await record(table)
    assert (before.unanswered, dict(before.fruitless), set(before.proven)) == (1, {MODEL: 2}, {MODEL})
    await resume(table)
    assert await record(table) == TrackRecord(total=3)


async def test_a_model_is_proven_for_a_week_in_all_batches_of_its_api(table: Table) -> None:
    """Not at another API, which knows other models under the same names."""
    await table.bring("a", S.SUCCEEDED)
    other, _ = await table.store.batches.load(
        name="other", sheet=table.path, origin=ORIGIN, planned=rows("z")
    )
    elsewhere, _ = await table.store.batches.load(
        name="elsewhere", sheet=table.path, origin="https://another.example", planned=rows("z")
    )

    async def proven(batch_id: int) -> frozenset[str]:
        return (await table.store.track_records.of(batch_id, ended=1)).proven

    assert await proven(other.id) == {MODEL}
    assert await proven(elsewhere.id) == frozenset()
    table.clock.at += timedelta(days=6, hours=23)
    assert await proven(other.id) == {MODEL}
    table.clock.at += timedelta(hours=2)
    assert await proven(other.id) == frozenset()


async def test_another_batch_is_not_counted(table: Table) -> None:
    """Each has its own sheet, and its own trouble."""
    other, _ = await table.store.batches.load(
        name="other", sheet=table.path, origin=ORIGIN, planned=rows("z")
    )
    await table.bring("a", S.FAILED)
    job = await table.job("b")
    await table.store.batches.agree(table.batch.id)
    assert await table.store.jobs.claim(claimed(job.id, table.clock.at))
    found = await table.store.track_records.of(other.id, ended=9)
    assert found == TrackRecord(total=1)


async def end(table: Table, key: str, seconds: float) -> None:
    """A job takes so long at the API, seen by the run that sent it."""
    job_id = await table.move(key, Move.CLAIM, Move.ACCEPTED)
    at = table.clock.now() + timedelta(seconds=seconds)
    assert await table.store.jobs.apply(RemoteDone(job_id, ("https://pictures.example/1.png",), None, at))


async def test_how_long_requests_took(table: Table) -> None:
    """By model, the newest last; what no run saw to its end, or what failed, tells nothing."""
    sheet = [planned("a"), planned("x", 1, model=OTHER), planned("c", 2), planned("d", 3), planned("e", 4)]
    await table.load(sheet)
    await end(table, "a", 12.5)
    await end(table, "x", 2.0)
    await end(table, "c", 9.0)
    await table.move("d", *SENT, Move.REMOTE_DONE)
    await table.move("e", *SENT, Move.REMOTE_FAILED)
    assert (await record(table)).service_seconds == {MODEL: (9.0, 12.5), OTHER: (2.0,)}


async def test_another_api_s_requests_tell_nothing_of_this_one(table: Table) -> None:
    """Nor does a batch of the same API need to be the same batch."""
    await end(table, "a", 12.0)
    batches = []
    for name, origin in (("same", ORIGIN), ("other", "https://other.example")):
        batch, _report = await table.store.batches.load(
            name=name, sheet=f"/sheets/{name}.csv", origin=origin, planned=rows("a")
        )
        batches.append(await table.store.track_records.of(batch.id, ended=1))
    assert [one.service_seconds for one in batches] == [{MODEL: (12.0,)}, {}]
