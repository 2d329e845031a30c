"""What is said where a person does not wait for a run's end."""

import random
from pathlib import Path

import pytest

from jobs.exit_codes import ExitCode
from runner.cli.console.progress import Display
from runner.cli.steps.run_end import interrupted
from runner.clock import SystemClock
from runner.environment import Environment
from runner.settings import Settings
from tests.unit.runner.cli.console.test_progress import progress
from tests.unit.runner.cli.world import NOW, World, job


def here(folder: Path) -> Environment:
    return Environment({}, folder, SystemClock(), random.Random(1))


def test_how_the_batch_stands_is_said(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """It is known which batch ran: what it left, and how to go on."""
    world.load(job(0, "a"))
    world.price()
    world.move("a", estimate="0.08")
    display = Display(lambda: NOW)
    display.progress(progress())
    assert interrupted(Settings(), here(world.folder), display) == ExitCode.INTERRUPTED
    told = capsys.readouterr().err
    assert "on their way when the run was ended: perhaps paid" in told
    assert "and up to $0.08 in doubt" in told
    assert "Go on with: nightsheet resume night\n" in told


@pytest.mark.parametrize("began", [False, True])
def test_where_nothing_is_known_it_is_only_an_interruption(world: World, *, began: bool) -> None:
    """Before the first progress no batch has begun, and a database may be gone."""
    display = Display(lambda: NOW)
    if began:
        display.progress(progress())
    with pytest.raises(KeyboardInterrupt):
        interrupted(Settings(), here(world.folder), display)
