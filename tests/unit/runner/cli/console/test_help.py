"""Help is drawn without a parser of Markdown, and looks as with one."""

import os
import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT

RUN = """
import sys, nightsheet
sys.argv = ["nightsheet", *{words!r}]
try:
    nightsheet.main()
except SystemExit:
    pass
"""
REAL = "import rich.markdown, rich.traceback\n"
WANTS_MORE = """
import sys
from types import ModuleType
class Wants(ModuleType):
    def __getattr__(self, name):
        raise AttributeError(name)
import runner.cli.console.help as help_
help_._stand_in = lambda name, kind: Wants(name)
"""
AFTERWARDS = """
from runner.cli.console.help import load_help
load_help()
from rich.markdown import Markdown
from rich.traceback import Traceback
print(Markdown("*a*").parsed, Traceback.from_exception)
"""


def output(code: str) -> str:
    """What a new process writes."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"]])
def test_help_looks_as_with_all_that_typer_imports(words: list[str]) -> None:
    """The real modules, where they are loaded already, are taken; and where typer wants more of them."""
    run = RUN.format(words=words)
    drawn = output(run)
    assert "Usage" in drawn
    assert drawn == output(REAL + run)
    assert drawn == output(WANTS_MORE + run)


def test_what_is_left_out_of_help_is_there_for_others() -> None:
    """The stand-ins are gone after the one import."""
    assert "from_exception" in output(AFTERWARDS)
