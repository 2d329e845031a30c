"""A sheet held against its batch: what is told is what loading then does."""

from jobs.fates import NEW, Fate
from jobs.states import JobState
from tests.support.tables import Table, planned, rows


async def test_every_fate(table: Table) -> None:
    """New, changed, and unchanged wherever it stands."""
    await table.bring("a", JobState.SUCCEEDED)
    await table.bring("b", JobState.FAILED)
    sheet = [*rows("a", "b", "c"), planned("d", 3)]
    sheet[2] = planned("c", 2, prompt="another")
    fates = await table.store.compare(table.batch.id, sheet)
    assert fates == [
        Fate("unchanged", JobState.SUCCEEDED, known=True),
        Fate("unchanged", JobState.FAILED, known=True),
        Fate("changed", JobState.QUEUED, known=True),
        NEW,
    ]
    report = await table.load(sheet)
    assert (report.new, report.changed, report.unchanged) == (1, 1, 2)


async def test_a_row_that_comes_back_is_sent_only_if_it_never_was(table: Table) -> None:
    """Cancelled with its row, it is queued again; and the batch's sheet does not have it now."""
    await table.bring("a", JobState.SUCCEEDED)
    await table.load(rows("c"))
    fates = await table.store.compare(table.batch.id, rows("a", "b"))
    assert fates == [
        Fate("unchanged", JobState.SUCCEEDED, known=False),
        Fate("unchanged", JobState.QUEUED, known=False),
    ]
