"""Values that do not do, in plain words: nobody needs to know who checks them."""

from collections.abc import Mapping

import pytest

from runner.cli.console.pydantic_messages import in_plain_words, reworded
from tests.unit.runner.cli.world import World

PHRASES = ("Value error", "nput should", "Extra inputs", "ield required", "unable to")


def assert_plain(text: str) -> None:
    assert [phrase for phrase in PHRASES if phrase in text] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("jobs", "--state", "foo"), "'--state': 'foo' is not one of 'queued'"),
        (("retry", "--kind", "x"), "'--kind': 'x' is not one of 'refused'"),
        (("export", "--format", "x"), "'--format': 'x' is not one of 'jsonl', 'csv', 'parquet'"),
        (("emulator", "--port", "99999"), "'--port': at most 65535 is possible."),
        (("run", "a.csv", "--concurrency", "x"), "--concurrency: a whole number is needed."),
        (("run", "a.csv", "--rate", "x"), "'--rate': a number is needed."),
        (("run", "a.csv", "--budget", "$5"), "--budget: a number is needed."),
        (("run", "a.csv", "--budget", "-1"), "--budget: at least 0 is needed."),
        (("run", "a.csv", "--concurrency", "0"), "--concurrency: at least 1 is needed."),
        (("run", "a.csv", "--concurrency", "1001"), "--concurrency: at most 1000 is possible."),
        (("run", "a.csv", "--poll-min", "0"), "--poll-min: more than 0 is needed."),
        (("run", "a.csv", "--speed", "nan"), "--speed: a number is needed."),
    ],
)
def test_on_the_command_line(world: World, arguments: tuple[str, ...], said: str) -> None:
    """Exit 2, with the flag and what it takes."""
    ran = world.run(*arguments)
    assert ran.code == 2
    told = " ".join(ran.err.replace("│", " ").split())
    assert said in told
    assert_plain(told)


def test_in_the_environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once."""
    monkeypatch.setenv("NIGHTSHEET_CONCURRENCY", "many")
    monkeypatch.setenv("NIGHTSHEET_EMULATOR", "perhaps")
    ran = world.run("status")
    assert ran.code == 2
    assert "NIGHTSHEET_CONCURRENCY: a whole number is needed" in ran.err
    assert "NIGHTSHEET_EMULATOR: true or false is needed" in ran.err
    assert_plain(ran.err)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ('{"endpoint": "submit", "kind": "drop", "x": 1}', "fault 0.x: there is no such field."),
        ('{"kind": "drop"}', "fault 0.endpoint: it is missing."),
        ('{"endpoint": "media", "kind": "moderated"}', "fault 0: moderated happens only at"),
        ('{"endpoint": "moon", "kind": "drop"}', "fault 0.endpoint: it is not one of 'submit'"),
        ("3", "fault 0: a table of fields is needed."),
    ],
)
def test_in_a_file_of_faults(world: World, fault: str, said: str) -> None:
    """With the place in it."""
    (world.folder / "faults.json").write_text(f"[{fault}]")
    ran = world.run("emulator", "--faults", "faults.json")
    assert ran.code == 2
    assert said in ran.err
    assert_plain(ran.err)


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ({"type": "new_in_pydantic", "msg": "Odd."}, "Odd"),
        ({"type": "value_error", "msg": "Value error, no such place"}, "no such place"),
        ({"type": "less_than_equal", "msg": "", "ctx": {"le": 604800.0}}, "at most 604800 is possible"),
    ],
)
def test_one_finding(problem: Mapping[str, object], said: str) -> None:
    """What is not known is told as it stands."""
    assert in_plain_words(problem) == said


def test_other_causes_are_left_alone() -> None:
    """Only a finding has phrases."""
    assert reworded("As it was.", OSError("x")) == reworded("As it was.", None) == "As it was."
