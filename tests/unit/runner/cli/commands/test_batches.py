"""`nightsheet batches`."""

import re
from datetime import timedelta

from jobs.pauses import PauseReason
from jobs.store.store import Store
from tests.unit.runner.cli.world import API, NOW, World, accepted, done, fetched, job, refused


def nights(world: World) -> None:
    """One batch that is done, one that is paused, and one that never ran."""
    world.load(job(0, "a"), job(1, "b"), name="monday")
    world.price(name="monday")
    world.move("a", accepted("r-a"), done("0.08"), fetched(), estimate="0.08")
    world.move("b", refused(), estimate="0.08")
    world.load(job(0, "c"), name="tuesday")

    async def go_on(store: Store) -> None:
        monday, tuesday = await store.batches.named("monday"), await store.batches.named("tuesday")
        earlier = Store(store.database, lambda: NOW - timedelta(hours=1))
        await earlier.batches.end_run(await earlier.batches.begin_run(monday.id, pid=1, host="h"), 1)
        await store.batches.begin_run(tuesday.id, pid=1, host="h")  # killed
        await store.batches.pause(tuesday.id, PauseReason.BALANCE, "Top up.")

    world.store(go_on)


def test_the_json_is_the_contract(world: World) -> None:
    """Exactly these keys, the batch that ran last at the end."""
    nights(world)
    monday, tuesday = world.run("batches", "--json").json
    assert monday == {
        "batch": "monday",
        "origin": API,
        "sheet": str(world.folder / "night.csv"),
        "total": 2,
        "counts": {
            **dict.fromkeys(("queued", "submitting", "running", "fetching", "cancelled", "unconfirmed"), 0),
            "succeeded": 1,
            "failed": 1,
        },
        "cost": {"spent_usd": 0.08, "estimate_usd": 0.08, "in_doubt_usd": 0.0},
        "paused": None,
        "last_run": {
            "started_at": "2026-03-04T00:02:03Z",
            "ended_at": "2026-03-04T00:02:03Z",
            "exit_code": 1,
        },
    }
    assert tuesday["batch"] == "tuesday"
    assert tuesday["paused"] == {"reason": "balance", "since": "2026-03-04T01:02:03Z"}
    assert tuesday["last_run"]["ended_at"] is tuesday["last_run"]["exit_code"] is None


def test_for_a_person(world: World) -> None:
    """A line a batch: its state, what it cost, and how its last run ended."""
    nights(world)
    told = world.run("batches").out.splitlines()
    assert re.search(r"monday +2 +1 succeeded, 1 failed +\$0\.08 +- +.*, exit 1", told[1])
    assert re.search(
        r"tuesday +1 +paused \(balance\), 1 job to go +\$0\.00 +unknown +.*, ended at once", told[2]
    )
    assert told[3] == "One of them: nightsheet status tuesday"


def test_without_a_batch(world: World) -> None:
    """A database may be empty; one that is not there is told as everywhere."""
    assert world.run("batches").code == 2
    world.store(_nothing)
    assert "There is no batch in this database yet." in world.run("batches").out
    assert world.run("batches", "--json").json == []


def test_a_batch_that_never_ran(world: World) -> None:
    """It is loaded, and nothing more."""
    world.load(job(0, "a"))
    assert world.run("batches", "--json").json[0]["last_run"] is None
    assert re.search(r"night +1 +1 job to go +\$0\.00 +unknown +never", world.run("batches").out)


async def _nothing(_store: Store) -> None:
    pass
