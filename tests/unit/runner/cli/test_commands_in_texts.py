"""Commands that texts name are safe to paste: they go on with the same database, folder and API."""

import ast
import re
from collections.abc import Iterator

import pytest

from runner.cli.app import COMMANDS
from runner.cli.console.formatting import in_place
from runner.settings import Settings, load_settings
from tests.architecture.sources import sources
from tests.unit.runner.cli.world import World

VERBS = "|".join(entry.name for entry in COMMANDS)
NAMED = re.compile(rf"nightsheet ({VERBS})\b")
WHOLE = re.compile(rf"`nightsheet ({VERBS})\b[^`]*`")
HERE = "--emulator --db 'my n.db'"
SHOWN_BY_HELP = re.compile(r"EXAMPLE|epilog")
"""A newcomer's first commands, which go on with nothing."""


def texts(path: str, source: str) -> Iterator[tuple[int, str]]:
    """The texts of a file that may be printed: no docstrings, no examples of `--help`."""
    tree = ast.parse(source)
    left_out: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            left_out.update(one.value for one in node.body if isinstance(one, ast.Expr))
        if isinstance(node, ast.Assign | ast.keyword) and SHOWN_BY_HELP.search(ast.unparse(node)):
            left_out.update(ast.walk(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and node not in left_out:
            left_out.update(ast.walk(node))
            parts = (one.value if isinstance(one, ast.Constant) else "X" for one in node.values)
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in left_out:
            yield node.lineno, node.value


def test_every_command_in_a_text_stands_in_backticks() -> None:
    """There it gets its flags. Without them it would lead to another database, or to a payment."""
    bare = [
        f"{path}:{line}: {text}"
        for path, source in sources().items()
        for line, text in texts(path, source)
        if NAMED.search(WHOLE.sub("", text))
    ]
    assert bare == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See `nightsheet review`.", f"See `nightsheet review {HERE}`."),
        (
            "`nightsheet status` or `nightsheet audit`",
            f"`nightsheet status {HERE}` or `nightsheet audit {HERE}`",
        ),
        ("`nightsheet run SHEET`", f"`nightsheet run SHEET {HERE} --output-dir out`"),
        (f"`nightsheet status {HERE}`", f"`nightsheet status {HERE}`"),
        (
            "`nightsheet resume n --emulator`",
            "`nightsheet resume n --emulator --db 'my n.db' --output-dir out`",
        ),
        ("`retry` pays, nightsheet too", "`retry` pays, nightsheet too"),
        ("`nightsheet emulator`", "`nightsheet emulator`"),
    ],
)
def test_a_command_is_completed(text: str, shown: str) -> None:
    """Once."""
    settings = load_settings({"emulator": True, "db": "my n.db", "output_dir": "out"})
    assert in_place(text, settings) == shown
    assert in_place(shown, settings) == shown


def test_where_nothing_was_said_nothing_is_added() -> None:
    """The usual case."""
    assert in_place("See `nightsheet review`.", Settings()) == "See `nightsheet review`."


def test_an_error_names_the_rehearsal_s_command(world: World) -> None:
    """In an empty folder the next step of a rehearsal is no payment."""
    ran = world.run("jobs", "--emulator")
    assert "`nightsheet run SHEET --emulator`" in ran.err
    ran = world.run("jobs", "--db", "x.db")
    assert "`nightsheet run SHEET --db x.db`" in ran.err
    ran = world.run("jobs")
    assert "`nightsheet run SHEET`" in ran.err
