"""Running an edited sheet: changed rows, rows that are gone, rows that come back."""

from uuid import uuid4

import pytest
from sqlalchemy import Connection, update

from jobs.failures import Failure, FailureKind
from jobs.states import JobState, Move
from jobs.store.moves.values import ROW_GONE
from jobs.store.schema import ATTEMPT
from jobs.views import LoadReport
from tests.support.tables import Table, planned, rows, select

S = JobState
SENT = sorted(set(JobState) - {S.QUEUED, S.CANCELLED})


async def load_edited(table: Table, a: str = "a wolf") -> LoadReport:
    """Load the sheet of the fixture with another prompt in row a."""
    return await table.load([planned("a", 0, prompt=a), *rows("a", "b", "c")[1:]])


def revisions(table: Table, key: str) -> list[tuple[int, str, str, int]]:
    """Revision, folder, state and whether the sheet has it, of every job under a key."""
    found = select(table.path, 'SELECT * FROM job WHERE "key" = ? ORDER BY revision', key)
    return [(row["revision"], row["folder"], row["state"], row["current"]) for row in found]


@pytest.mark.parametrize("move", [None, Move.CANCEL, Move.UNSENDABLE])
async def test_a_changed_row_replaces_a_job_that_was_never_sent(table: Table, move: Move | None) -> None:
    """Queued, cancelled or unsendable: nothing was paid, so there is nothing to keep."""
    job_id = await table.move("a", *([move] if move else []))
    await table.store.batches.agree(table.batch.id)
    assert await load_edited(table) == LoadReport(3, 0, 1, 2, 0)
    assert revisions(table, "a") == [(1, "a", "queued", 1)]
    job = await table.job("a")
    assert (job.id, job.inputs) == (job_id, '{"prompt":"a wolf","size":"2048x2048"}')
    assert (job.failure, job.finished_at) == (None, None)


async def test_agreeing_to_the_old_row_is_not_agreeing_to_the_new_one(table: Table) -> None:
    """It may cost more: more pictures, another model."""
    await table.store.batches.agree(table.batch.id)
    await load_edited(table)
    assert list(await table.store.preview.unagreed(table.batch.id)) == [(await table.job("a")).model]
    assert [job.key for job in await table.store.jobs.queued(table.batch.id, limit=9)] == ["b", "c"]


@pytest.mark.parametrize("state", SENT)
async def test_a_changed_row_leaves_a_sent_job_to_end_as_it_may(table: Table, state: JobState) -> None:
    """Outside the manifest, untouched; a new revision with a folder of its own is queued."""
    job_id = await table.bring("a", state)
    row, ledger = table.row(job_id), table.attempts(job_id)
    table.clock.advance(60)
    assert await load_edited(table) == LoadReport(3, 0, 1, 2, 0)
    assert table.row(job_id) == row | {"current": 0}
    assert table.attempts(job_id) == ledger
    assert revisions(table, "a") == [(1, "a", state, 0), (2, "a-2", "queued", 1)]
    job = await table.job("a")
    assert (job.attempts, job.created_at) == (0, table.clock.at)


async def test_a_sent_job_that_waits_for_a_second_submit_is_not_sent_again(table: Table) -> None:
    """Its row is not in the sheet any more: nobody pays for it."""
    job_id = await table.move("a", Move.CLAIM, Move.UNCONFIRMED, Move.RESUBMIT)
    await load_edited(table)
    assert revisions(table, "a") == [(1, "a", "cancelled", 0), (2, "a-2", "queued", 1)]
    assert [attempt["outcome"] for attempt in table.attempts(job_id)] == ["resubmitted"]


async def test_every_further_change_is_a_further_revision(table: Table) -> None:
    """As long as something was sent in between."""
    for number, prompt in enumerate(["a wolf", "a hare", "an owl"], start=2):
        await table.bring("a", S.SUCCEEDED)
        await load_edited(table, prompt)
        assert revisions(table, "a")[-1] == (number, f"a-{number}", "queued", 1)
        # The next revision's pictures are another submit, with another id.
        await forget_ids(table)


@pytest.mark.parametrize("state", SENT)
async def test_an_edit_that_is_undone_pays_for_nothing_again(table: Table, state: JobState) -> None:
    """What came of the row before the edit counts again, and the edition between them is not sent."""
    job_id = await table.bring("a", state)
    row, ledger = table.row(job_id), table.attempts(job_id)
    await load_edited(table)
    assert await table.load(rows("a", "b", "c")) == LoadReport(3, 0, 0, 3, 0)
    assert table.row(job_id) == row | {"generation": 3}
    assert table.attempts(job_id) == ledger
    assert revisions(table, "a") == [(1, "a", state, 1), (2, "a-2", "cancelled", 0)]
    assert (await table.job("a")).id == job_id
    assert [job.key async for job in table.store.jobs.each(table.batch.id)] == ["a", "b", "c"]


async def test_editing_back_and_forth_leaves_one_current_revision(table: Table) -> None:
    """Also where the undone edition was never sent, and is replaced by a third."""
    await table.bring("a", S.SUCCEEDED)
    await load_edited(table)
    await table.load(rows("a", "b", "c"))
    await load_edited(table)
    assert revisions(table, "a") == [(1, "a", "succeeded", 0), (2, "a-2", "queued", 1)]
    await table.load(rows("a", "b", "c"))
    await load_edited(table, "a hare")
    assert revisions(table, "a") == [(1, "a", "succeeded", 0), (2, "a-2", "queued", 1)]
    assert (await table.job("a")).inputs == '{"prompt":"a hare","size":"2048x2048"}'


async def test_a_job_whose_row_is_gone_is_cancelled_unpaid(table: Table) -> None:
    """It says why, and leaves the manifest."""
    at = table.clock.advance(60)
    assert await table.load(rows("a", "b")) == LoadReport(2, 0, 0, 2, 1, 1)
    job = await table.job("c")
    gone = Failure(
        FailureKind.CANCELLED, "Its row left the sheet before it was sent: nothing was paid.", ROW_GONE
    )
    assert (job.state, job.current, job.failure, job.finished_at) == (S.CANCELLED, False, gone, at)
    assert [job.key async for job in table.store.jobs.each(table.batch.id)] == ["a", "b"]


async def test_a_row_is_gone_once(table: Table) -> None:
    """The next load does not count it again."""
    await table.load(rows("a", "b"))
    before = table.row((await table.job("c")).id)
    assert await table.load(rows("a", "b")) == LoadReport(2, 0, 0, 2, 0)
    assert table.row((await table.job("c")).id) == before


async def test_a_row_that_comes_back_brings_its_job_back(table: Table) -> None:
    """As it was before: queued, in the sheet, without an error."""
    job_id = (await table.job("c")).id
    before = table.row(job_id)
    await table.load(rows("a", "b"))
    assert await table.load(rows("a", "b", "c")) == LoadReport(3, 0, 0, 3, 0)
    assert table.row(job_id) == before | {"generation": 3}


@pytest.mark.parametrize("state", SENT)
async def test_a_sent_job_whose_row_is_gone_ends_as_it_may(table: Table, state: JobState) -> None:
    """It is paid for, or may be: only the manifest forgets it. With its row it comes back."""
    job_id = await table.bring("c", state)
    row, ledger = table.row(job_id), table.attempts(job_id)
    await table.load(rows("a", "b"))
    assert table.row(job_id) == row | {"current": 0}
    assert table.attempts(job_id) == ledger
    await table.load(rows("a", "b", "c"))
    assert table.row(job_id) == row | {"generation": 3}


async def test_a_running_job_whose_row_is_gone_is_still_polled(table: Table) -> None:
    """Never lose what was paid for."""
    job_id = await table.bring("c", S.RUNNING)
    await table.load(rows("a", "b"))
    assert [job.id for job in await table.store.jobs.open_jobs(table.batch.id, S.RUNNING)] == [job_id]


async def test_a_job_that_a_person_cancelled_does_not_come_back_by_itself(table: Table) -> None:
    """Running the sheet again is no `retry`."""
    await table.move("c", Move.CANCEL)
    await table.load(rows("a", "b", "c"))
    assert (await table.job("c")).state == S.CANCELLED


async def test_a_row_that_comes_back_changed_is_sent_as_it_is_now(table: Table) -> None:
    """Its job was never sent, so it is replaced."""
    await table.load(rows("b", "c"))
    assert await load_edited(table) == LoadReport(3, 0, 1, 2, 0)
    assert revisions(table, "a") == [(1, "a", "queued", 1)]
    assert (await table.job("a")).inputs == '{"prompt":"a wolf","size":"2048x2048"}'


async def test_an_empty_sheet_takes_everything_unsent_back(table: Table) -> None:
    """Whether that is meant is for the caller to ask; here it is consistent."""
    await table.bring("b", S.RUNNING)
    assert await table.load([]) == LoadReport(0, 0, 0, 0, 3, 2)
    counted = await table.store.jobs.counts(table.batch.id)
    assert sum(counted.values()) == 0
    assert [(await table.job(key)).state for key in "abc"] == [S.CANCELLED, S.RUNNING, S.CANCELLED]


async def forget_ids(table: Table) -> None:
    """Give the attempts made so far other ids than `Table.move` gives."""

    def run(connection: Connection) -> None:
        connection.execute(
            update(ATTEMPT).where(ATTEMPT.c.request_id == "req-a").values(request_id=uuid4().hex)
        )

    await table.store.database.write(run)
