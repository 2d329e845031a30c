"""What belongs to a batch as a whole: its name, pause, prices, limits, runs."""

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete

from jobs.errors import UsageProblem
from jobs.pauses import UNTIL_RESUMED, PauseReason
from jobs.store.schema import BATCH
from jobs.store.store import Store
from jobs.views import BatchView, Pause, RunView
from tests.support.tables import NIGHT, ORIGIN, SHEET, Table, opened_table, rows, select


async def other_batch(table: Table, name: str) -> BatchView:
    """A second batch, of a sheet of its own."""
    batch, _ = await table.store.batches.load(
        name=name, sheet=Path(f"/sheets/{name}.csv"), origin=ORIGIN, planned=rows("a")
    )
    return batch


async def test_a_new_batch_remembers_where_it_came_from(table: Table) -> None:
    """And has neither a pause nor limits."""
    assert table.batch == BatchView(
        id=1, name="night", sheet=str(SHEET), origin=ORIGIN, created_at=NIGHT, paused=None
    )
    assert await table.store.batches.find("night") == table.batch
    assert await table.store.batches.get(1) == table.batch
    assert await table.store.batches.find("day") is None


async def test_a_batch_belongs_to_one_origin(table: Table) -> None:
    """Its own passes; another is told both names."""
    table.batch.check_origin(ORIGIN)
    with pytest.raises(UsageProblem, match=r"belongs to https://api\.example, not to https://b\.example"):
        table.batch.check_origin("https://b.example")


async def test_no_name_means_the_batch_last_run(table: Table) -> None:
    """Or the one last loaded, where none was run since."""
    table.clock.advance(1)
    day = await other_batch(table, "day")
    assert (await table.store.batches.named(None)).name == "day"
    table.clock.advance(1)
    await table.store.batches.begin_run(table.batch.id, pid=1, host="here")
    assert (await table.store.batches.named(None)).name == "night"
    table.clock.advance(1)
    await table.store.batches.begin_run(day.id, pid=1, host="here")
    assert (await table.store.batches.named(None)).name == "day"
    assert (await table.store.batches.named("night")).id == table.batch.id


async def test_loading_again_is_not_running(table: Table) -> None:
    """It is `run` that makes a batch the last one: a load alone leaves the choice as it was."""
    table.clock.advance(1)
    await other_batch(table, "day")
    table.clock.advance(1)
    await table.load(rows("a"))
    assert (await table.store.batches.named(None)).name == "day"


async def test_an_unknown_name_is_told_the_known_ones(table: Table) -> None:
    """In order."""
    await other_batch(table, "day")
    with pytest.raises(UsageProblem, match="no batch 'noon'") as caught:
        await table.store.batches.named("noon")
    assert caught.value.hint == "This database has: day, night."


async def test_an_empty_database_has_no_last_batch(tmp_path: Path) -> None:
    """It says how to make one."""
    async with opened_table(tmp_path / "other.db") as table:
        store = Store(table.store.database, table.clock.now)
        await table.store.database.write(drop_batches)
        with pytest.raises(UsageProblem, match="no batch in this database yet") as caught:
            await store.batches.named(None)
        assert "nightsheet run" in caught.value.hint
        with pytest.raises(UsageProblem) as named:
            await store.batches.named("night")
        assert named.value.hint == "This database has: none."


def drop_batches(connection: Connection) -> None:
    """Back to a database without a batch."""
    connection.execute(delete(BATCH))


@pytest.mark.parametrize("reason", PauseReason)
async def test_what_only_resume_clears_is_kept_and_any_other_pause_replaced(
    table: Table, reason: PauseReason
) -> None:
    """Else a run would clear the later one, and send what a guard or a person had stopped."""
    first = table.clock.advance(1)
    await table.store.batches.pause(1, reason, "why")
    second = table.clock.advance(1)
    await table.store.batches.pause(1, PauseReason.OUTAGE, "no answer")
    kept, replaced = Pause(reason, "why", first), Pause(PauseReason.OUTAGE, "no answer", second)
    assert (await table.store.batches.get(1)).paused == (kept if reason in UNTIL_RESUMED else replaced)


async def test_the_same_pause_keeps_its_time(table: Table) -> None:
    """A runner writes it down at its look and at its end."""
    for _ in range(2):
        await table.store.batches.pause(1, PauseReason.TOKEN, "HTTP 401")
        table.clock.advance(1)
    assert (await table.store.batches.get(1)).paused == Pause(PauseReason.TOKEN, "HTTP 401", NIGHT)


@pytest.mark.parametrize("reason", PauseReason)
async def test_a_guard_s_and_a_person_s_pause_are_cleared_by_resume_alone(
    table: Table, reason: PauseReason
) -> None:
    """And the guards count from then; the others mend themselves, and change nothing for the guards."""
    day = await other_batch(table, "day")
    await table.store.batches.pause(1, reason, "why")
    await table.store.batches.pause(day.id, PauseReason.DISK, "full")
    stays = reason in UNTIL_RESUMED
    await table.store.batches.unpause(1)
    batch = await table.store.batches.get(1)
    assert (batch.paused, batch.guards_since) == (Pause(reason, "why", NIGHT) if stays else None, None)
    at = table.clock.advance(1)
    await table.store.batches.pause(1, reason, "why")
    await table.store.batches.resume(1)
    batch = await table.store.batches.get(1)
    assert (batch.paused, batch.guards_since) == (None, at if stays else None)
    assert (await table.store.batches.get(day.id)).paused == Pause(PauseReason.DISK, "full", NIGHT)


async def test_resuming_what_is_not_paused_leaves_the_guards_alone(table: Table) -> None:
    """`resume` after Ctrl-C, or from a timer, must not begin their count again."""
    await table.store.batches.pause(1, PauseReason.GUARD, "why")
    await table.store.batches.resume(1)
    table.clock.advance(1)
    await table.store.batches.resume(1)
    assert (await table.store.batches.get(1)).guards_since == NIGHT


async def test_limits_outlive_a_run_and_are_set_one_by_one(table: Table) -> None:
    """`tune` from a second terminal; what is not named stays."""
    await table.store.batches.tune(1, {"concurrency": 3, "rate": 7.5})
    await table.store.batches.tune(1, {"budget": Decimal("12.345678")})
    batch = await table.store.batches.get(1)
    assert (batch.concurrency, batch.rate, batch.budget) == (3, 7.5, Decimal("12.345678"))
    await table.store.batches.tune(1, {"rate": None})
    batch = await table.store.batches.get(1)
    assert (batch.concurrency, batch.rate, batch.budget) == (3, None, Decimal("12.345678"))


async def test_prices_come_back_exactly(table: Table) -> None:
    """As decimals, and the last word counts."""
    await table.store.batches.note_prices(1, {"m": Decimal("0.04"), "n": Decimal("1E-7")})
    assert (await table.store.batches.get(1)).prices == {"m": Decimal("0.04"), "n": Decimal("0.0000001")}
    await table.store.batches.note_prices(1, {"m": Decimal("0.05")})
    assert (await table.store.batches.get(1)).prices == {"m": Decimal("0.05")}


async def test_a_run_is_noted_from_its_begin_to_its_end(table: Table) -> None:
    """A second runner is told who holds the database; a killed run stays open."""
    assert await table.store.batches.latest_run() is None
    killed = await table.store.batches.begin_run(1, pid=11, host="here")
    begun = table.clock.advance(60)
    run = await table.store.batches.begin_run(1, pid=12, host="there")
    assert await table.store.batches.latest_run() == RunView(
        batch="night", pid=12, host="there", started_at=begun
    )
    ended = table.clock.advance(60)
    await table.store.batches.end_run(run, 75)
    found = {
        row["id"]: (row["ended_at"], row["exit_code"]) for row in select(table.path, "SELECT * FROM run")
    }
    assert found == {killed: (None, None), run: (ended.isoformat(timespec="microseconds"), 75)}
