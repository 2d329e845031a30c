"""Each measurement runs, small, and what it says can be true. How fast it is belongs into no test."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import (
    account_limits,
    bulk,
    http_clients,
    in_flight,
    makespan,
    night,
    polling,
    sample_pictures,
    startup,
    store,
    threads,
    throughput,
    versions,
)
from benchmarks.child import ROOT
from benchmarks.loopback import INSTANT_POLLS, Service, ceiling, loopback
from benchmarks.rounds import Row

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]


@pytest.fixture
def told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, list[Row]]]:
    """Runs a measurement with these words; its tables, by title."""

    def run(main: Callable[[], None], *words: str) -> dict[str, list[Row]]:
        monkeypatch.setattr(sys, "argv", ["measurement", *words, "--json"])
        main()
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return {one["title"]: [Row(**row) for row in one["rows"]] for one in found["tables"]}

    return run


Told = Callable[..., dict[str, list[Row]]]


def test_the_server_answers_a_whole_job(tmp_path: Path) -> None:
    """Submit, polls, result and picture; and it counts them."""
    with loopback(sample_pictures.write(tmp_path, "small")) as server:
        seen = ceiling(server, 40, 4)
        assert (seen.jobs, seen.polls) == (40, 40 * INSTANT_POLLS)
        assert seen.requests == 40 * (INSTANT_POLLS + 3)
        assert 0 < seen.busy <= 1.1  # two clocks, read one after the other
        server.begin(Service())
        assert server.figures().jobs == 0


def test_its_draws_are_the_seed_s_alone() -> None:
    """Every runner meets the same service times."""
    assert Service(2.0).draws(50) == Service(2.0).draws(60)[:50]
    assert Service(2.0, seed=2).draws(50) != Service(2.0).draws(50)
    assert Service().draws(3) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("which", "at_least", "at_most"), [("small", 0.25, 0.35), ("jpeg", 0.7, 2.5)])
def test_pictures_have_the_size_of_real_ones(
    tmp_path: Path, which: sample_pictures.Picture, at_least: float, at_most: float
) -> None:
    """In megabytes."""
    assert at_least <= sample_pictures.write(tmp_path, which).stat().st_size / 1_000_000 <= at_most


def test_throughput(told: Told) -> None:
    """The product and the naive script do the same work; a peer is measured, or said not to be there."""
    words = ("--jobs", "6", "--concurrency", "3", "--rounds", "1")
    (rows,) = told(throughput.main, *words).values()
    naive, bare, huey, dbos, ours = rows
    assert [naive.case, bare.case, ours.case] == ["naive", "bare", "nightsheet"]
    for row in (naive, bare, ours):
        assert row.median("polls") == INSTANT_POLLS
        assert row.median("jobs_a_second") > 0
        assert 0 < row.median("cpu_ms") < 6000
    for row in (huey, dbos):
        assert row.samples or row.skipped == "not installed: skipped"


def test_http_clients(told: Told) -> None:
    """All of them do the same calls."""
    (rows,) = told(http_clients.main, "--jobs", "6", "--concurrency", "3", "--rounds", "1").values()
    assert [row.case for row in rows] == list(http_clients.CLIENTS)
    assert all(row.median("cpu_us") > 0 and row.median("calls_a_second") > 0 for row in rows)


def test_throughput_at_a_service_that_takes_its_time(told: Told) -> None:
    """No makespan is below what list scheduling of the same draws allows."""
    words = ("--jobs", "6", "--concurrency", "3", "--rounds", "1", "--median", "0.2", "--poll", "0.05")
    (rows,) = told(throughput.main, *words, "--runners", "naive", "nightsheet").values()
    assert [row.case for row in rows] == ["naive", "nightsheet"]
    for row in rows:
        assert row.median("over_bound") > 1
        assert row.median("polls") >= 1


def test_makespan(told: Told) -> None:
    """In virtual time, so the figures themselves can be held to something."""
    words = ("--jobs", "24", "--slots", "4", "--median", "2", "--ahead", "0", "2")
    (rows,) = told(makespan.main, *words).values()
    alone, ahead = rows
    assert 1 < ahead.median("over_bound") < alone.median("over_bound") < 2
    assert 0 < alone.median("delay") < 2
    assert 1 <= alone.median("polls") < 6


def test_in_flight(told: Told) -> None:
    """`auto` beats eight in flight, and uses what it is given. In virtual time, so this always holds."""
    words = ("--jobs", "120", "--slots", "16", "--limits", "4", "6", "--median", "2")
    queues, refuses = told(in_flight.main, *words).values()
    auto, eight = queues
    assert 1 < auto.median("over_bound") < eight.median("over_bound")
    assert eight.median("waiting") == 0
    auto, eight = refuses
    assert 0 < auto.median("refused") < 0.06
    assert eight.median("refused") > auto.median("refused")


def test_store(told: Told) -> None:
    """Both ways move every job to its end."""
    (rows,) = told(store.main, "--jobs", "6", "--workers", "3", "--rounds", "1").values()
    assert [row.case for row in rows] == ["a session and a commit each", "nightsheet"]
    assert all(row.median("moves_a_second") > 0 for row in rows)


def test_account_limits(told: Told) -> None:
    """Each way moves every job to its end: the limits let everything go."""
    words = ("--jobs", "6", "--workers", "3", "--rounds", "1")
    (rows,) = told(account_limits.main, *words).values()
    assert [row.case for row in rows] == [
        "no look at the account",
        "an account without limits",
        "four limits",
    ]
    assert all(row.median("moves_a_second") > 0 for row in rows)


def test_bulk(told: Told) -> None:
    """Each operation in both ways, then the real command."""
    tables = told(bulk.main, "--rows", "60", "--rounds", "1")
    *operations, (resumed,) = tables.values()
    assert [title.partition(",")[0] for title in tables] == [*bulk.STEPS, "the real command"]
    assert all(row.median("ms") > 0 for rows in operations for row in rows)
    assert 0 < resumed.median("first_ms") < resumed.median("all_ms")


def test_night(told: Told) -> None:
    """Each command of a large sheet's night; four of them send."""
    (rows,) = told(night.main, "--rows", "100").values()
    assert [row.case.split()[0] for row in rows] == [
        "check",
        "run",
        "resume,",
        "resume",
        "resume",
        "status",
        "export",
    ]
    assert all(row.median("cpu_s") > 0 for row in rows)
    sends = [row for row in rows if row.median("first_s") > 0]
    assert [row.case.split()[0] for row in sends] == ["run", "resume,", "resume", "resume"]
    assert all(row.median("first_s") <= row.median("all_s") for row in sends)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells the CPU of a thread")
def test_threads(told: Told) -> None:
    """The groups are the process, but for what a thread took in its last tenth of a second."""
    (rows,) = told(threads.main, "--jobs", "30", "--concurrency", "4").values()
    *groups, process = rows
    assert [row.case for row in groups] == [*threads.GROUPS.values(), threads.OTHERS]
    assert 0 < sum(row.median("cpu_ms") for row in groups) < process.median("cpu_ms") * 1.1
    assert groups[0].median("share") > 10


def test_versions(told: Told) -> None:
    """Each command in both trees; here both are this one."""
    commands = ["check", "run --limit 20"]
    tables = told(versions.main, str(ROOT), "--rows", "30", "--commands", *commands)
    assert [title.partition(",")[0] for title in tables] == commands
    for before, now in tables.values():
        assert (before.case, now.case) == ("before", "now")
        assert before.median("cpu_s") > 0
        assert now.median("cpu_s") > 0


def test_startup(told: Told) -> None:
    """Nothing is faster than bare Python."""
    (rows,) = told(startup.main, "--rows", "30", "--rounds", "1").values()
    bare, *commands = rows
    named = ["--version", "--help", "models", "check", "batches", "status, 20 rows", "status, 30 rows"]
    assert [row.case for row in commands] == named
    assert all(row.median("ms") > bare.median("ms") for row in commands)


def test_polling(told: Told) -> None:
    """What is learned is better than two seconds fixed by its price, on each kind of service, and not far
    from what can be learned at all. In pure simulation, so the figures can be held to it."""
    tables = told(polling.main, "--jobs", "1000", "--slots", "32", "--nights", "1").values()
    for rows in tables:
        by_name = {row.case: row for row in rows}
        fixed, knows = by_name["fixed 2 s"], by_name["knows the distribution"]
        for name in ("learns, first night", "learns, second night"):
            learns = by_name[name]
            assert learns.median("cost") < 0.9 * fixed.median("cost")
            assert learns.median("cost") < 1.25 * knows.median("cost")
            assert learns.median("delay") < fixed.median("delay")
    twelve, _bimodal, two = ({row.case: row for row in rows}["learns, second night"] for rows in tables)
    assert twelve.median("polls") < 7.3
    assert two.median("polls") < 4
