"""`nightsheet status`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.outcomes import Fetched
from jobs.store.door import Store
from jobs.tables import PauseReason
from tests.unit.runner.cli.world import (
    World,
    accepted,
    ansi,
    done,
    fetched,
    job,
    refused,
    unanswered,
)


def night(world: World) -> None:
    """Five jobs: one of each that matters."""
    world.load(*(job(position, f"k{position}") for position in range(5)))
    world.price()
    world.move("k0", accepted("r-0"), done("0.08"), fetched(), estimate="0.08")
    world.move("k1", accepted("r-1"), estimate="0.08")
    world.move("k2", refused(), estimate="0.08")
    world.move("k3", unanswered(), estimate="0.08")


def test_the_json_is_the_contract(world: World) -> None:
    """Exactly these keys, numbers where numbers are."""
    night(world)
    assert world.run("status", "--json").json == {
        "batch": "night",
        "total": 5,
        "counts": {
            "queued": 1,
            "submitting": 0,
            "running": 1,
            "fetching": 0,
            "succeeded": 1,
            "failed": 1,
            "cancelled": 0,
            "unconfirmed": 1,
        },
        "submits": 3,
        "unconfirmed": 1,
        "cost": {"spent_usd": 0.16, "estimate_usd": 0.24},
        "paused": None,
    }


def test_a_pause_is_told(world: World) -> None:
    """With its reason and since when."""
    night(world)

    async def pause(store: Store) -> None:
        await store.pause((await store.batch(None)).id, PauseReason.BALANCE, "Top\x1b up.")

    world.store(pause)
    told = world.run("status", "--json").json
    assert told["paused"] == {"reason": "balance", "since": "2026-03-04T01:02:03Z"}
    ran = world.run("status", "--db", "nightsheet.db")
    assert ran.code == 0
    assert "(balance): Top\\x1b up." in ran.out
    assert "nightsheet resume night --db nightsheet.db" in ran.out


def test_for_a_person(world: World) -> None:
    """Counts that are not zero, the money, and what to decide."""
    night(world)
    ran = world.run("status", "night")
    assert ran.code == 0
    assert "5 jobs" in ran.out
    assert "  cancelled" not in ran.out
    assert "Spent $0.16 in 3 submits; with what is queued at most $0.24" in ran.out
    assert "nightsheet review night" in ran.out
    assert ansi(ran.out) == []


def test_without_a_price_the_estimate_says_so(world: World) -> None:
    """What is not known is not made up."""
    world.load(job(0, "a"))
    assert world.run("status", "--json").json["cost"] == {"spent_usd": 0.0, "estimate_usd": 0.0}
    assert "the price of what is queued is not known yet" in world.run("status").out


def test_the_pace_and_the_end(world: World) -> None:
    """From the jobs that ended in the last minutes."""
    world.load(*(job(position, f"k{position}") for position in range(3)))
    world.move("k0", accepted("r-0"), done())
    lately = datetime.now(UTC) - timedelta(minutes=1)

    async def end(store: Store) -> None:
        view = await store.by_key((await store.batch(None)).id, "k0")
        assert view is not None
        await store.apply(Fetched(view.id, (), lately))

    world.store(end)
    assert "Pace 0.1 jobs a minute, done about" in world.run("status").out


def test_an_old_end_is_no_pace(world: World) -> None:
    """Nothing moved in the last minutes: nothing is promised."""
    night(world)
    assert "Pace" not in world.run("status").out


def test_watch_ends_when_nothing_is_left(world: World) -> None:
    """At once, where that is so already; one JSON document a line."""
    world.load(job(0, "a"))
    world.move("a", refused())
    ran = world.run("status", "--watch", "--json")
    assert ran.code == 0
    assert ran.out.count("\n") == 1
    assert ran.json["counts"]["failed"] == 1


def watching(monkeypatch: pytest.MonkeyPatch, then: Any) -> None:
    """Instead of waiting a second."""

    class Clock:
        def now(self) -> datetime:
            return datetime.now(UTC)

        async def sleep(self, _seconds: float) -> None:
            await then()

    monkeypatch.setattr("runner.clock.SystemClock", Clock)


def test_watch_looks_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the last job has ended."""
    world.load(job(0, "a"))

    async def cancel() -> None:
        from jobs.database import open_database

        async with open_database(world.database) as database:
            store = Store(database, lambda: datetime.now(UTC))
            await store.cancel(1)

    watching(monkeypatch, cancel)
    ran = world.run("status", "--watch")
    assert ran.code == 0
    assert ran.out.index("queued") < ran.out.index("cancelled")


def test_ctrl_c_leaves_watch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is how one leaves: no error."""
    world.load(job(0, "a"))

    async def interrupt() -> None:
        raise KeyboardInterrupt

    watching(monkeypatch, interrupt)
    assert world.run("status", "--watch").code == 0


def test_the_batch_last_run_is_meant(world: World) -> None:
    """Where none is named."""
    world.load(job(0, "a"))
    world.load(job(0, "a"), name="other")
    world.price(name="other")
    assert world.run("status", "--json").json["batch"] == "other"
    assert world.run("status", "night", "--json").json["batch"] == "night"
