"""The exit codes: the table of docs/scripts.md, the sentence of each, and the code that an error carries."""

import ast
import inspect
import re
from pathlib import Path

from jobs import exit_codes
from jobs.exit_codes import ExitCode, exit_code_of
from jobs.pauses import PauseReason

PAGE = (Path(__file__).parents[3] / "docs" / "scripts.md").read_text(encoding="utf-8")


def test_the_page_lists_every_code() -> None:
    """Each once, in order, and no other."""
    (table,) = re.findall(r"^\| exit code \| means \|\n\|---\|---\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    cells = [line.split("|")[1] for line in table.splitlines()]
    assert [int(number) for cell in cells for number in cell.split(",")] == list(ExitCode)


def test_each_code_has_a_sentence() -> None:
    """Below the member, as the only place where it is explained to a reader of the source."""
    (body,) = (
        node.body for node in ast.parse(inspect.getsource(exit_codes)).body if isinstance(node, ast.ClassDef)
    )
    members = [place for place, node in enumerate(body) if isinstance(node, ast.Assign)]
    sentences = [body[place + 1] for place in members if place + 1 < len(body)]
    assert len(members) == len(ExitCode)
    for node in sentences:
        assert isinstance(node, ast.Expr)
        assert isinstance(node.value, ast.Constant)
        assert str(node.value.value).endswith(".")


def test_every_pause_has_a_code() -> None:
    """None of them is a success."""
    assert all(exit_code_of(reason) > ExitCode.USAGE for reason in PauseReason)
