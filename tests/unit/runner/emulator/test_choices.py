"""`--set NAME=VALUE`: every choice that the API leaves open, as docs/rehearsals.md lists them."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from jobs.errors import UsageProblem
from runner.emulator.choices import CHOICES, chosen, shown
from runner.emulator.settings import EmulatorSettings

PAGE = (Path(__file__).parents[4] / "docs" / "rehearsals.md").read_text(encoding="utf-8")
TABLE = dict(
    re.findall(r"^\| `([a-z_0-9]+)` \| `?([^|]*?)`? \| ", PAGE.partition("| choice |")[2], re.MULTILINE)
)
COMMANDS = [line for line in PAGE.splitlines() if line.startswith("nightsheet emulator --set")]


def default(name: str) -> str:
    return shown(EmulatorSettings.model_fields[name].get_default(call_default_factory=True))


def test_every_choice_is_on_the_page_with_its_default() -> None:
    """And nothing else."""
    assert {name: default(name) for name in CHOICES} == TABLE


@pytest.mark.parametrize("name", CHOICES)
def test_every_default_may_be_given(name: str) -> None:
    """As the page writes it."""
    assert chosen([f"{name}={TABLE[name]}"], 20.0, ()) == EmulatorSettings()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("success_word=completed", "completed"),
        ("token_status=401", 401),
        ("errors_on_200=true", True),
        ("balance_usd=0", Decimal(0)),
        ("price_unit=second", "second"),
        ("queue_limit=3", 3),
        ("lost_answer_share=0.5", 0.5),
        ('tokens=["a","b"]', frozenset({"a", "b"})),
        ('price_usd={"":0.1}', {"": Decimal("0.1")}),
        ("retry_after=none", "none"),
    ],
)
def test_what_a_choice_takes(text: str, value: object) -> None:
    """A word, a number, true or false, a list, a table."""
    assert getattr(chosen([text], 20.0, ()), text.partition("=")[0]) == value


def test_the_commands_of_the_page_are_taken() -> None:
    """As they stand there."""
    assert COMMANDS
    for command in COMMANDS:
        chosen(re.findall(r"--set (\S+)", command), 1.0, ())


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("success_word", "NAME=VALUE is needed", ""),
        ("succes_word=completed", "there is no choice 'succes_word'", "Did you mean success_word?"),
        ("zzz=1", "there is no choice 'zzz'", f"One of: {CHOICES[0]}, "),
        ("speed=3", "there is no choice 'speed'", ""),
        ("faults=[]", "there is no choice 'faults'", ""),
        ("slots=0", "--set slots: ", "Without --set it is 16."),
        ("price_usd=1", "--set price_usd: ", "Without --set it is {"),
    ],
)
def test_what_no_choice_takes(text: str, said: str, hint: str) -> None:
    """Named, with what it could have been."""
    with pytest.raises(UsageProblem) as found:
        chosen([text], 20.0, ())
    assert said in found.value.message
    assert found.value.hint.startswith(hint)
