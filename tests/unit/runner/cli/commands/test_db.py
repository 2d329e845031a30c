"""`nightsheet db`: what is refused before anything happens, and what a retired table still does."""

import json
import socket
from pathlib import Path

import pytest

from tests.unit.runner.cli.world import World, accepted, done, fetched, job, unanswered

READING = ("status", "batches", "jobs", "audit")
REFUSED = (
    ("run", "night.csv", "--yes"),
    ("resume", "--yes"),
    ("pause",),
    ("tune", "--rate", "5"),
    ("review", "--discard", "all"),
    ("cancel", "night", "--yes"),
    ("decide", "--accept", "a"),
)


def filled(world: World) -> None:
    """A job with a picture, one in doubt, one to send."""
    world.load(job(0, "a"), job(1, "b"), job(2, "c"))
    world.move("a", accepted("r-a"), done("0.04"))
    world.picture("a")
    world.move("b", unanswered())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("copy", "nightsheet.db"), "Name both"),
        (("copy", "nowhere.db", "there.db"), "There is no database"),
        (("init", "postgresql://u@127.0.0.1/a", "there.db"), "is about one database"),
        (("upgrade", "--lost", "postgresql://u@127.0.0.1/a"), "is about one database"),
        (("init", "nightsheet.db"), "is a file, which needs neither"),
    ],
)
def test_what_does_not_fit_is_refused(world: World, arguments: tuple[str, ...], says: str) -> None:
    """Nothing is made for it."""
    ran = world.run("db", *arguments)
    assert ran.code == 2
    assert says in " ".join(ran.err.split())
    assert not (world.folder / "there.db").exists()


def test_a_copy_says_what_went_and_what_to_do_next(world: World) -> None:
    """With the counts; and once more, that it is done."""
    filled(world)
    world.store(lambda store: _apply(store, "a"))
    ran = world.run("db", "copy", "nightsheet.db", "there.db")
    assert ran.code == 0, ran.err
    there, here = world.folder / "there.db", world.database
    assert ran.out.splitlines() == [
        f"{there} has 3 jobs of 1 batch now, with 2 submits and 1 picture.",
        f"{here} is retired: it can be looked at, and nothing is sent from there any more.",
        f"Next: export NIGHTSHEET_DB={there}",
    ]
    again = world.run("db", "copy", "nightsheet.db", "there.db")
    assert (again.code, again.out.splitlines()[0]) == (0, f"{there} has the jobs already.")


def test_a_copy_in_flight_names_what_to_do(world: World) -> None:
    """Its batch, and the command that brings it home."""
    filled(world)
    ran = world.run("db", "copy", "nightsheet.db", "there.db")
    assert ran.code == 2
    assert "1 job is in flight" in ran.err
    assert "(batch 'night')" in ran.err
    assert not (world.folder / "there.db").exists()


def test_a_retired_table_is_looked_at_and_not_worked_on(world: World) -> None:
    """Reading commands say what they said before; the others name the new place."""
    filled(world)
    world.store(lambda store: _apply(store, "a"))
    (world.folder / "night.csv").write_text("id,prompt\na,a fox\n", encoding="utf-8")
    assert world.run("db", "copy", "nightsheet.db", "there.db").code == 0
    there = world.folder / "there.db"
    for command in READING:
        here, elsewhere = (world.run(command, *place, "--json") for place in ((), ("--db", str(there))))
        assert (here.code, elsewhere.err) == (elsewhere.code, "")
        note = f"its jobs are in {there} on {socket.gethostname()} now. What is here is as it was then."
        assert note in here.err
        if command != "status":  # it names the paths of each
            assert here.json == elsewhere.json, command
    exports = [
        world.run("export", *place, "--output", name)
        for place, name in (((), "here.jsonl"), (("--db", str(there)), "there.jsonl"))
    ]
    assert exports[0].code == exports[1].code
    assert (world.folder / "here.jsonl").read_bytes() == (world.folder / "there.jsonl").read_bytes()
    for command, *arguments in REFUSED:
        ran = world.run(command, *arguments)
        assert ran.code == 73, (command, ran.out, ran.err)
        assert f"its jobs are in {there} on {socket.gethostname()} now" in ran.err, command
        assert f"--db {there}" in ran.err
    assert json.loads(world.run("audit", "--json").out) is not None


async def _apply(store: object, key: str) -> None:
    from jobs.store.store import Store

    assert isinstance(store, Store)
    batch = await store.batches.named(None)
    view = await store.jobs.by_key(batch.id, key)
    assert view is not None
    assert await store.jobs.apply(fetched()(view.id))


def test_help_says_how(world: World, tmp_path: Path) -> None:
    """With both places."""
    ran = world.run("db", "--help")
    assert "copy FROM TO" in " ".join(ran.out.split())
