"""What is queued, looked at before it is paid."""

from datetime import timedelta

import pytest

from jobs.states import JobState
from tests.support.tables import MODEL, NIGHT, Table, planned, rows


async def test_rows_that_send_the_same_are_counted_but_for_the_first(table: Table) -> None:
    """Unless the first one is dealt with: then every queued one is one too many."""
    await table.load(
        [planned(key, place, prompt="b" if key == "d" else "a") for place, key in enumerate("abcd")]
    )
    assert await table.store.preview.repeats(table.batch.id) == {MODEL: (2, 2)}
    await table.bring("a", JobState.SUCCEEDED)
    assert await table.store.preview.repeats(table.batch.id) == {MODEL: (2, 2)}
    for key in "bc":
        await table.bring(key, JobState.SUCCEEDED)
    assert await table.store.preview.repeats(table.batch.id) == {}


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
async def test_what_brings_nothing_is_repeated_by_nothing(table: Table, state: JobState) -> None:
    """The next one that says the same is the first of its kind."""
    await table.load(rows("a", "b"))
    await table.bring("a", state)
    assert await table.store.preview.repeats(table.batch.id) == {}


async def test_warnings_of_what_nobody_agreed_to(table: Table) -> None:
    """How many, and the first; each job once."""
    many = [planned(str(place), place, warnings=("odd", "very")) for place in range(4)]
    await table.load([*many, planned("calm", 4)])
    warned = await table.store.preview.warnings(table.batch.id, 2)
    assert (warned.jobs, warned.first) == (4, ((2, "0", "odd"), (3, "1", "odd")))
    await table.store.batches.agree(table.batch.id)
    assert (await table.store.preview.warnings(table.batch.id, 2)).jobs == 0


async def test_the_pace_is_that_of_the_last_run_that_ended_enough(table: Table) -> None:
    """Of this API's; a run that was killed, or had next to nothing to do, says nothing."""
    keys = [str(number) for number in range(6)]
    await table.load(rows(*keys))
    assert await table.store.preview.throughput(table.batch.origin) is None
    run = await table.store.batches.begin_run(table.batch.id, pid=1, host="h")
    table.clock.advance(180)
    for key in keys:
        await table.bring(key, JobState.SUCCEEDED)
    await table.store.batches.end_run(run, 0)
    table.clock.advance(10)
    empty = await table.store.batches.begin_run(table.batch.id, pid=1, host="h")
    await table.store.batches.end_run(empty, 0)
    await table.store.batches.begin_run(table.batch.id, pid=1, host="h")
    assert await table.store.preview.throughput(table.batch.origin) == 2.0
    assert await table.store.preview.throughput("another") is None
    assert table.clock.at == NIGHT + timedelta(seconds=190)
