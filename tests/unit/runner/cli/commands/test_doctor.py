"""`nightsheet doctor`."""

import pytest

from runner.checkup.advice import Advice, ok, problem, warning
from tests.unit.runner.cli.world import World


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Advice]:
    """What the checkup says of the API and of this machine."""
    told: list[Advice] = []

    async def check_api(*_: object) -> object:
        for advice in told:
            yield advice

    monkeypatch.setattr("runner.checkup.api.check_api", check_api)
    monkeypatch.setattr("runner.checkup.machine.check_machine", lambda *_: ())
    return told


def test_a_problem_ends_with_1(world: World, found: list[Advice]) -> None:
    """Each in a line, with what to do below it."""
    found += [ok("token", "The API takes it."), problem("disk", "It is full.", "Make room.")]
    ran = world.run("doctor", "--db", "x.db")
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "ok       token  The API takes it.",
        "problem  disk   It is full.",
        "                Make room.",
        "One problem. Next: nightsheet doctor --db x.db",
    ]


def test_a_warning_ends_with_0(world: World, found: list[Advice]) -> None:
    """A run can begin."""
    found += [warning("clock", "Not compared.")]
    ran = world.run("doctor")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Ready. Next: nightsheet check SHEET")


def test_for_scripts(world: World, found: list[Advice]) -> None:
    """A list, with the same exit code."""
    found += [ok("token", "Good."), problem("disk", "Full.", "Make room.")]
    ran = world.run("doctor", "--json")
    assert ran.code == 1
    assert ran.json == [
        {"check": "token", "ok": True, "level": "ok", "message": "Good.", "hint": None},
        {"check": "disk", "ok": False, "level": "problem", "message": "Full.", "hint": "Make room."},
    ]


def test_lines_end_at_a_word(world: World, found: list[Advice], monkeypatch: pytest.MonkeyPatch) -> None:
    """And go on below the text."""
    monkeypatch.setenv("COLUMNS", "60")
    found += [ok("token", "one two three four five six seven eight nine ten eleven twelve")]
    first, second, _next = world.run("doctor").out.splitlines()
    assert (first.split()[2], first.split()[-1]) == ("one", "nine")
    assert second == "                ten eleven twelve"


def test_a_rehearsal_is_ready(world: World) -> None:
    """The whole of it, on this machine; nothing is written."""
    ran = world.run("doctor", "--emulator", "--json")
    assert {one["check"] for one in ran.json} == {"token", "disk", "database", "upload"}
    assert list(world.folder.iterdir()) == []
