"""A function becomes a command: its options, its groups of options, its exit code."""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import typer

from jobs.errors import UsageProblem
from jobs.exit_codes import ExitCode
from runner.cli.options.command import with_settings
from runner.cli.options.settings import LOOKING
from runner.settings import Settings
from tests.unit.runner.cli.world import World


@dataclass(frozen=True)
class Fruit:
    """A group of options."""

    name: Annotated[str, typer.Argument(metavar="NAME")]
    ripe: Annotated[bool, typer.Option("--ripe")] = False


def called(function: Any, *words: str) -> int:
    """The exit code of a command that is called with these words."""
    app = typer.Typer(add_completion=False)
    app.command()(function)
    with pytest.raises(SystemExit) as ended:
        app(words)
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_a_group_arrives_as_one_value(world: World) -> None:
    """Beside options of its own, and the settings."""
    got: list[Any] = []

    @with_settings(*LOOKING)
    def body(settings: Settings, fruit: Fruit, number: Annotated[int, typer.Option("--number")] = 1) -> None:
        got.extend((settings.as_json, fruit, number))

    assert called(body, "pear", "--ripe", "--number", "3", "--json") == 0
    assert got == [True, Fruit("pear", ripe=True), 3]
    got.clear()
    assert called(body, "plum") == 0
    assert got == [False, Fruit("plum"), 1]
    assert called(body) == ExitCode.USAGE


def test_an_error_becomes_its_exit_code(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Its own, in words; what the function returns else."""

    @with_settings("verbose")
    def refused(settings: Settings) -> int:
        raise UsageProblem("No fruit.", "Buy some.")

    @with_settings("verbose")
    def incomplete(settings: Settings) -> int:
        return ExitCode.INCOMPLETE

    assert called(refused) == ExitCode.USAGE
    assert capsys.readouterr().err == "No fruit.\nBuy some.\n"
    assert called(incomplete) == ExitCode.INCOMPLETE


def test_a_setting_that_a_command_does_not_take_is_unknown(world: World) -> None:
    """Only those that it names."""

    @with_settings("verbose")
    def body(settings: Settings) -> None:
        raise AssertionError

    assert called(body, "--json") == ExitCode.USAGE
