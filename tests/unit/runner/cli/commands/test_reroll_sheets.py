"""`nightsheet reroll`: ids, prices and disks of its sheets, one after the other."""

import json
from typing import Any

import pytest

from jobs.failures import FailureKind
from jobs.store.store import Store
from tests.unit.runner.cli.commands.rerolls import apart, load, made, mark, marked_night, planned, rows
from tests.unit.runner.cli.world import API, SERIES, TEXT, World, accepted, done, fetch_failed


@pytest.fixture
def night(world: World) -> World:
    """A series of two pictures, one of a model without seeds, a failure, a doubt, and a queued job."""
    return marked_night(world)


def test_an_unknown_price_is_said(night: World) -> None:
    """Nobody has told it."""
    mark(night, "series")

    async def forget(store: Store) -> None:
        def gone(connection: Any) -> None:
            connection.exec_driver_sql("UPDATE batch SET prices = '{}'")

        await store.database.write(gone)

    night.store(forget)
    assert "1 job, at most 2 pictures, at an unknown price." in night.run("reroll", "night", "--dry-run").out
    told = night.run("reroll", "night", "--json").json
    assert (told["low_usd"], told["high_usd"]) == (None, None)
    assert SERIES in rows(night.folder / told["sheet"])[0]["model"]


def test_the_longest_ids_leave_room_for_more(world: World) -> None:
    """An id has at most 200 characters; two that begin alike stay two."""
    keys = ["k" * 200, "k" * 199 + "x"]
    sheet = world.folder / "night.jsonl"
    sheet.write_text(
        "".join(json.dumps({"id": key, "model": TEXT, "prompt": "A fox"}) + "\n" for key in keys)
    )
    load(world, sheet)
    for key in keys:
        world.move(key, accepted(f"r-{key[-1]}"), done(), fetch_failed(FailureKind.EXPIRED))
    mark(world, *keys)
    ran = world.run("reroll", "night", "--variants", "2")
    assert ran.code == 0, ran.err
    first = planned(world.folder / "night-rerolls-1.csv")
    assert len({one.key for one in first}) == 4
    assert {one.columns["reroll_of"] for one in first} == set(keys)
    apart(world)
    mark(world, *keys)
    assert not {row["id"] for row in rows(made(world))} & {one.key for one in first}


@pytest.mark.parametrize("step", ["write", "sync"])
def test_a_full_disk_takes_no_mark(night: World, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Nothing is written, and what was marked comes into the next sheet."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    mark(night, "series", "text")
    with monkeypatch.context() as patched:
        patched.setattr(f"jobs.disk.atomic_file.AtomicFile.{step}", full)
        ran = night.run("reroll", "night")
    assert (ran.code, "No space left" in ran.err) == (73, True)
    assert [path.name for path in night.folder.iterdir() if "reroll" in path.name] == []
    assert len(rows(made(night))) == 2


def test_a_sheet_that_is_gone_is_said_to_be(night: World) -> None:
    """Its re-rolls come into no other by themselves: it may have been run. Marked again, they do."""
    mark(night, "text")
    sheet = made(night)
    told = night.run("reroll", "night").out
    assert "Written before:" in told
    assert "not there any more" not in told
    sheet.unlink()
    assert "It is not there any more: mark them again" in night.run("reroll", "night").out
    sheet.touch()  # as a process leaves it that dies at the last step
    assert "It is not there any more" in night.run("reroll", "night").out
    apart(night)
    mark(night, "text")
    assert [row["id"] for row in rows(made(night))] == ["text-r2"]


def test_a_re_roll_of_a_re_roll_is_another_row_again(night: World) -> None:
    """Its batch's name is its own, and so is its id; it says what it is a re-roll of."""
    mark(night, "text")
    sheet = made(night)
    found = planned(sheet)

    async def inside(store: Store) -> None:
        await store.batches.load(name="night-rerolls-1", sheet=str(sheet), origin=API, planned=found)

    night.store(inside)
    assert night.run("cancel", "night-rerolls-1", "--yes").code == 0
    assert night.run("decide", "night-rerolls-1", "--reroll", "text-r1").code == 0
    told = json.loads(night.run("reroll", "night-rerolls-1", "--json").out)
    assert told["batch"] == "night-rerolls-1-rerolls-1"
    (second,) = planned(night.folder / told["sheet"])
    assert (second.key, second.columns["reroll_of"]) == ("text-r1-r1", "text-r1")
    assert second.columns["again"] == "night-rerolls-1-rerolls-1"
    assert len({second.fingerprint, found[0].fingerprint}) == 2
