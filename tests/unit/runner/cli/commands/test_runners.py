"""`nightsheet runners`: who works on a server's job table. Over a file it says where that is told."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.runners import RunnerIdentity, RunnerView
from runner.cli.reports.studio import runners as report
from runner.humanize import clock_time
from tests.unit.runner.cli.test_docs_scripts import EXAMPLES, differences
from tests.unit.runner.cli.world import World

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ADA = RunnerView(
    id=17,
    identity=RunnerIdentity("ada", 4711, "boot", "1234", "2.0.0"),
    note="{}",
    batch="my",
    since=NOON,
    silent_seconds=2.14,
    idle_seconds=3.0,
    left_seconds=27.86,
    submitting=1,
    running=22,
    fetching=1,
)
CUT_OFF = RunnerView(
    id=18,
    identity=RunnerIdentity("bob", 12, None, None, "2.0.0"),
    note="{}",
    batch=None,
    since=NOON,
    silent_seconds=600.0,
    idle_seconds=600.0,
    left_seconds=-570.0,
    submitting=0,
    running=0,
    fetching=0,
)


def test_a_file_has_one_runner(world: World) -> None:
    """`status` tells of it."""
    world.load()
    assert "is a file: one runner works on it" in world.run("runners").out
    assert world.run("runners", "--json").json == []


def test_a_line_a_runner(capsys: pytest.CaptureFixture[str]) -> None:
    """Where it is, what it has in hand, and whether it may be taken for dead."""
    report.show([ADA, CUT_OFF], NOON)
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert first.split()[:5] == ["17", "ada", "4711", "2.0.0", "my"]
    assert first.split()[-4:] == ["24", "2", "s", "ago"]
    assert f"silent since {clock_time(NOON - timedelta(minutes=10), NOON)}; its lease is over" in second
    report.show([], NOON)
    assert capsys.readouterr().out == "No runner is at work on this database.\n"


def test_the_json_is_that_of_the_page() -> None:
    """Scripts rely on its fields."""
    written = report.as_json(ADA)
    assert differences(EXAMPLES["runners"][0][0], written) == []
    assert written["in_hand"] == {"submitting": 1, "running": 22, "fetching": 1}
    assert (written["last_beat_seconds"], written["lease_left_seconds"]) == (2.1, 27.9)
