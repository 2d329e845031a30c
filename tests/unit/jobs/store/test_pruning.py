"""What the sheet has no more: told, and asked to be cancelled where the API has it."""

from jobs.states import JobState
from jobs.views import LoadReport
from tests.support.tables import Table, rows


async def test_only_what_the_api_has_and_the_sheet_has_not_is_asked_for(table: Table) -> None:
    """What was never sent is cancelled by the load itself."""
    job_id = await table.bring("a", JobState.RUNNING)
    kept = await table.bring("b", JobState.RUNNING)
    assert await table.load(rows("b")) == LoadReport(1, 0, 0, 1, gone=2, unsent=1)
    assert await table.store.jobs.cancel_wanted(table.batch.id) == []
    assert await table.store.jobs.prune(table.batch.id) == 1
    assert await table.store.jobs.cancel_wanted(table.batch.id) == [job_id]
    assert table.row(kept)["cancel_requested"] == 0
