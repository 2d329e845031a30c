"""`nightsheet status`."""

import io
import os
import re
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jobs.outcomes import Fetched
from jobs.pauses import PauseReason
from jobs.store.store import Store
from runner.recovery.lock import try_holding
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
        "kinds": {"refused": 1},
        "pictures": 0,
        "missing_images": 0,
        "folder": str(world.folder / "outputs" / "night"),
        "waiting": None,
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
        "cost": {"spent_usd": 0.16, "estimate_usd": 0.24, "in_doubt_usd": 0.08},
        "turned_away": 0,
        "held": 0,
        "paused": None,
    }


def test_a_pause_is_told(world: World) -> None:
    """With its reason and since when."""
    night(world)

    async def pause(store: Store) -> None:
        await store.batches.pause((await store.batches.named(None)).id, PauseReason.BALANCE, "Top\x1b up.")

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
    assert (
        "Spent $0.16 in 3 submits; with what is queued at most $0.24; and up to $0.08 in doubt\n" in ran.out
    )
    assert "nightsheet review night" in ran.out
    assert ansi(ran.out) == []


def test_without_a_price_the_estimate_says_so(world: World) -> None:
    """What is not known is not made up."""
    world.load(job(0, "a"))
    assert world.run("status", "--json").json["cost"] == {
        "spent_usd": 0.0,
        "estimate_usd": 0.0,
        "in_doubt_usd": 0.0,
    }
    assert "the price of what is queued is not known yet" in world.run("status").out
    assert "Spent $0.00 in 0 submits" in world.run("status").out


def test_what_was_sent_at_an_unknown_price_is_not_free(world: World) -> None:
    """`status` and `batches` say that it is not known."""
    world.load(job(0, "a"))
    world.move("a", accepted("r-a"))
    assert "Spent an unknown amount in 1 submit" in world.run("status").out
    assert " unknown " in world.run("batches").out


def at_work(world: World, minutes: float) -> None:
    """This process has begun to run the batch so long ago."""

    async def begin(store: Store) -> None:
        earlier = Store(store.database, lambda: datetime.now(UTC) - timedelta(minutes=minutes))
        batch = await store.batches.named(None)
        await earlier.batches.begin_run(batch.id, pid=os.getpid(), host=socket.gethostname())

    world.store(begin)


def end(world: World, key: str, minutes: float) -> None:
    """A job that succeeded so long ago."""
    world.move(key, accepted(f"r-{key}"), done())

    async def fetch(store: Store) -> None:
        view = await store.jobs.by_key((await store.batches.named(None)).id, key)
        assert view is not None
        await store.jobs.apply(Fetched(view.id, (), datetime.now(UTC) - timedelta(minutes=minutes)))

    world.store(fetch)


def pace_of(world: World) -> float | None:
    """What `status` says beside a runner."""
    with try_holding(world.database) as held:
        assert held
        told = world.run("status").out
    found = re.search(r"Pace ([\d.]+) jobs a minute, done about", told)
    assert "No runner is at work" not in told
    return None if found is None else float(found[1])


def test_the_pace_of_a_long_run(world: World) -> None:
    """Over the last ten minutes: what ended before them says nothing."""
    world.load(*(job(position, f"k{position}") for position in range(9)))
    at_work(world, 60)
    for number, minutes in enumerate((1, 2, 3, 4, 5, 11, 12)):
        end(world, f"k{number}", minutes)
    assert pace_of(world) == 0.5


def test_the_pace_of_a_young_run(world: World) -> None:
    """Since it began: ten minutes would make it look slow, and the run before it is over."""
    world.load(*(job(position, f"k{position}") for position in range(9)))
    at_work(world, 2)
    for number, minutes in enumerate((0.5, 1, 1.5, 1.6, 3, 5)):
        end(world, f"k{number}", minutes)
    assert pace_of(world) == pytest.approx(2.0, abs=0.3)  # by the real clock


def test_cancelling_is_no_pace(world: World) -> None:
    """A hundred cancelled jobs promise nothing of the others."""
    world.load(*(job(position, f"k{position}") for position in range(3)))
    at_work(world, 5)

    async def cancel(store: Store) -> None:
        now = Store(store.database, lambda: datetime.now(UTC))
        await now.jobs.cancel((await store.batches.named(None)).id, ["k0", "k1"])

    world.store(cancel)
    assert pace_of(world) is None


def test_a_paused_batch_has_no_pace(world: World) -> None:
    """It stands still; a runner that brings home what is paid for is at work all the same."""
    world.load(*(job(position, f"k{position}") for position in range(3)))
    at_work(world, 5)
    end(world, "k0", 1)
    assert pace_of(world) == 0.2

    async def pause(store: Store) -> None:
        await store.batches.pause(
            (await store.batches.named(None)).id, PauseReason.PERSON, "Paused by `nightsheet pause`."
        )

    world.store(pause)
    assert pace_of(world) is None


def test_without_a_runner_nothing_is_promised(world: World) -> None:
    """However much ended lately; and how to go on."""
    world.load(*(job(position, f"k{position}") for position in range(3)))
    at_work(world, 5)
    end(world, "k0", 1)
    told = world.run("status", "--db", "nightsheet.db").out
    assert "Pace" not in told
    assert "No runner is at work on it.\nGo on with: nightsheet resume night --db nightsheet.db\n" in told


def test_where_nothing_is_left_nobody_needs_to_work(world: World) -> None:
    """All is done."""
    world.load(job(0, "a"))
    world.move("a", refused())
    assert "runner" not in world.run("status").out


def test_the_budget_of_the_batch_and_how_to_raise_it(world: World) -> None:
    """As it is kept in the table; the command once."""
    night(world)

    async def pause(store: Store) -> None:
        batch = await store.batches.named(None)
        await store.batches.tune(batch.id, {"budget": Decimal("0.2")})
        await store.batches.pause(batch.id, PauseReason.BUDGET, "Used up.")

    world.store(pause)
    told = world.run("status").out
    assert "in doubt; budget $0.20\n" in told
    assert told.count("nightsheet resume night --budget USD\n") == 1
    assert told.count("Go on with") == 1


def test_the_place_of_the_times_is_told(world: World) -> None:
    """Once, in the heading."""
    night(world)
    heading = world.run("status").out.splitlines()[0]
    assert re.fullmatch(r"Batch night: 5 jobs of .*night\.csv, at \d\d:\d\d UTC([+-]\d\d:\d\d)?", heading)


MORE = {"check": ["night.csv"], "retry": ["--free"]}


@pytest.mark.parametrize(
    "verb", ["status", "jobs", "audit", "export", "retry", "review", "pause", "tune", "check"]
)
def test_looking_imports_no_client_of_the_api(world: World, verb: str) -> None:
    """They are half of what the command took, and it asks the API nothing."""
    night(world)
    (world.folder / "night.csv").write_text(
        "id,prompt,model\na,A pier,bytedance/seedream-4-5/text-to-image\n"
    )
    code = (
        "import sys\nfrom runner.cli.app import main\nsys.argv = ['nightsheet', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert ended.code in (0, 1), ended.code\n"
        "print(sorted(set(sys.modules) & {'aiohttp', 'httpx', 'PIL', 'starlette'}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, verb, *MORE.get(verb, [])],
        cwd=world.folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[5])},
        capture_output=True,
        text=True,
    )
    assert done.stderr.splitlines()[-1] == "[]"


def test_a_command_is_whole_on_a_narrow_terminal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """To be copied: the terminal folds it, not we."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    world.load(job(0, "a"), name="n" * 70)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    world.run("status")
    assert f"Go on with: nightsheet resume {'n' * 70}\n" in terminal.getvalue()


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

    monkeypatch.setattr("runner.cli.steps.open.SystemClock", Clock)


def test_watch_looks_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the last job has ended."""
    world.load(job(0, "a"))

    async def cancel() -> None:
        from jobs.store.sqlite.database import open_database

        async with open_database(world.database) as database:
            store = Store(database, lambda: datetime.now(UTC))
            await store.jobs.cancel(1)

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
