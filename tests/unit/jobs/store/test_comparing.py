"""A sheet held against its batch: what is told is what loading then does."""

import pytest

from jobs.row_change import NEW, RowChange
from jobs.states import AT_THE_API, JobState
from tests.support.tables import Table, planned, rows


async def test_every_fate(table: Table) -> None:
    """New, changed, and unchanged wherever it stands."""
    await table.bring("a", JobState.SUCCEEDED)
    await table.bring("b", JobState.FAILED)
    sheet = [*rows("a", "b", "c"), planned("d", 3)]
    sheet[2] = planned("c", 2, prompt="another")
    fates = await table.store.preview.compare(table.batch.id, sheet)
    assert fates == [
        RowChange("unchanged", JobState.SUCCEEDED, known=True),
        RowChange("unchanged", JobState.FAILED, known=True),
        RowChange("changed", JobState.QUEUED, known=True),
        NEW,
    ]
    report = await table.load(sheet)
    assert (report.new, report.changed, report.unchanged) == (1, 1, 2)


async def test_a_row_that_comes_back_is_sent_only_if_it_never_was(table: Table) -> None:
    """Cancelled with its row, it is queued again; and the batch's sheet does not have it now."""
    await table.bring("a", JobState.SUCCEEDED)
    await table.load(rows("c"))
    fates = await table.store.preview.compare(table.batch.id, rows("a", "b"))
    assert fates == [
        RowChange("unchanged", JobState.SUCCEEDED, known=False),
        RowChange("unchanged", JobState.QUEUED, known=False),
    ]


@pytest.mark.parametrize(
    ("twin", "state", "waits"),
    [
        *((state, JobState.QUEUED, False) for state in (JobState.QUEUED, JobState.CANCELLED)),
        *(
            (state, JobState.QUEUED, True)
            for state in (JobState.SUBMITTING, *sorted(AT_THE_API), JobState.UNCONFIRMED)
        ),
        *((state, state, False) for state in (JobState.SUCCEEDED, JobState.FAILED)),
    ],
)
async def test_what_is_linked_goes_by_the_other(
    table: Table, twin: JobState, state: JobState, *, waits: bool
) -> None:
    """It waits for what was sent, and ends with what has ended; otherwise it is as any that is queued."""
    a, b = [(await table.job(key)).id for key in "ab"]
    await table.store.links.link([(b, a)])
    await table.bring("a", twin)
    (fate,) = await table.store.preview.compare(table.batch.id, rows("b"))
    assert fate == RowChange("unchanged", state, known=True, waits=waits)
