"""The application as a whole: help, version, usage errors, what it imports and how it fails."""

import errno
import os
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from jobs.errors import CannotWrite, LockHeld, NightsheetError, SheetProblems, TokenProblem
from jobs.problems import Problem
from runner.cli import app, commands
from runner.cli.console.errors import guarded
from tests.unit.runner.cli.world import World, ansi

COMMANDS = tuple(entry.name for entry in app.COMMANDS)
HEAVY = (
    "sqlalchemy",
    "sqlmodel",
    "alembic",
    "httpx",
    "aiohttp",
    "PIL",
    "uvicorn",
    "starlette",
    "pydantic",
    "yaml",
)


def test_help_lists_every_command(world: World) -> None:
    """With a line on each."""
    ran = world.run("--help")
    assert ran.code == 0
    assert [name for name in COMMANDS if f"│ {name} " not in ran.out] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(world: World, name: str) -> None:
    """And without a terminal no ANSI in it."""
    ran = world.run(name, "--help")
    assert ran.code == 0
    assert f"Example: nightsheet {name}" in ran.out
    assert ansi(ran.out) == []


@pytest.mark.parametrize("name", ["run", "resume"])
def test_every_option_of_the_contract_is_there(world: World, name: str) -> None:
    """The list of the design, on the commands that do the work."""
    told = world.run(name, "--help").out
    options = (
        "db output-dir concurrency submit-gate rate poll-min poll-max deadline outage-limit max-attempts "
        "budget emulator yes json quiet verbose"
    )
    assert [option for option in options.split() if f"--{option} " not in told] == []


def test_what_a_newcomer_needs_stands_on_the_first_screen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 80 columns and 24 lines; the other options are in groups below it, mostly a line each."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = world.run("run", "--help").out.splitlines()
    first = " ".join(lines[:24])
    needed = ("emulator", "model", "sample", "budget", "yes", "output-dir")
    assert [option for option in needed if f"--{option} " not in first] == []
    assert len(lines) <= 82
    assert max(map(len, lines)) <= 80


def test_an_option_is_shown_once(world: World) -> None:
    """Whichever group it is in; other commands have it in its own."""
    told = world.run("run", "--help").out
    assert [
        option for option in ("emulator", "yes", "budget", "sample") if told.count(f"│ --{option} ") != 1
    ] == []
    assert "Needed first" not in world.run("resume", "--help").out


def test_a_flag_can_still_be_taken_back(world: World) -> None:
    """Though help has no column for it."""
    assert world.run("run", "none.csv", "--no-emulator", "--no-dedupe").code == 66


def test_the_version(world: World) -> None:
    """One line."""
    ran = world.run("--version")
    assert (ran.code, ran.out) == (0, "nightsheet 0.1.0\n")


def imported(code: str, *arguments: str, env: dict[str, str] | None = None) -> set[str]:
    """The modules that a fresh interpreter has after this code, which may end itself."""
    root = Path(__file__).parents[4]
    code = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=root,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_no_help_shows_a_type_of_python(world: World, name: str) -> None:
    """`<bool>` says nothing to a person."""
    told = world.run(*[name] * bool(name), "--help").out
    assert re.search(r"<(?:bool|str|int|path|float)", told) is None


@pytest.mark.parametrize("argument", ["", "--help", "--version"])
def test_the_root_imports_nothing_heavy(argument: str) -> None:
    """Nor any command, so that it answers at once."""
    found = imported("from runner.cli.app import main; sys.argv[1] and main()", argument)
    assert "runner.cli.app" in found
    assert found & set(HEAVY) == set()
    assert {name for name in found if name.startswith("runner.cli.commands")} == set()


def test_commands_import_neither_the_database_nor_a_client() -> None:
    """They are imported for `--help` and completion as well; the database is imported when it is opened."""
    lines = "; ".join(f"import runner.cli.commands.{name}" for name in COMMANDS if name != "emulator")
    found = imported(lines)
    assert "runner.cli.commands.run" in found
    assert found & {"sqlalchemy", "sqlmodel", "alembic", "httpx", "aiohttp", "PIL", "openpyxl"} == set()


def test_completing_a_batch_imports_no_database(world: World) -> None:
    """A shell asks for it while somebody types."""
    world.load(name="monday")
    words = f"nightsheet review --db {world.database} mo"
    env = {"_NIGHTSHEET_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "4"}
    found = imported("from runner.cli.app import main; main()", env=env)
    assert "runner.cli.commands.review" in found
    assert found & {"sqlalchemy", "sqlmodel", "httpx", "aiohttp", "PIL"} == set()


def test_the_root_lists_every_command_in_its_own_words() -> None:
    """Each module of `commands/` once, by the first line of its help."""
    assert sorted(COMMANDS) == sorted(module.name for module in pkgutil.iter_modules(commands.__path__))
    for entry in app.COMMANDS:
        module = import_module(f"runner.cli.commands.{entry.name}")
        assert entry.help == module.command.__doc__.partition("\n")[0]


@pytest.mark.parametrize(
    "arguments",
    [("frob",), ("run",), ("jobs", "--state", "asleep"), ("retry", "--kind", "x"), ("status", "--frob")],
)
def test_a_wrong_command_line_exits_2(world: World, arguments: tuple[str, ...]) -> None:
    """Told on standard error, without ANSI."""
    ran = world.run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Error" in ran.err
    assert ansi(ran.err) == []


def test_a_setting_that_does_not_do_exits_2(world: World) -> None:
    """With the flag it came from."""
    ran = world.run("status", "--db", "x.db", "--verbose")
    assert ran.code == 2
    ran = world.run("run", "a.csv", "--concurrency", "0")
    assert ran.code == 2
    assert "--concurrency" in ran.err


@pytest.mark.parametrize("name", ["status", "jobs", "export", "retry", "review", "cancel", "resume"])
def test_a_missing_database_is_told(world: World, name: str) -> None:
    """There is nothing to read, and nothing is made."""
    ran = world.run(name)
    assert ran.code == 2
    assert f"There is no database {world.database} yet." in ran.err
    assert list(world.folder.iterdir()) == []


def test_a_forgotten_emulator_flag_is_guessed(world: World) -> None:
    """The rehearsal's database is there, the real one is not."""
    (world.folder / "nightsheet-emulator.db").write_bytes(b"")
    assert "--emulator" in world.run("status").err
    assert "--emulator" not in world.run("status", "--db", "x.db").err


def test_an_unknown_batch_names_the_known(world: World) -> None:
    """And exits 2."""
    world.load()
    ran = world.run("status", "knight")
    assert ran.code == 2
    assert "'knight'" in ran.err
    assert "night" in ran.err.splitlines()[1]


# -- guarded ---------------------------------------------------------------------------------------------


def failing(error: BaseException) -> int:
    def body() -> int:
        raise error

    return guarded(body, verbose=False)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NightsheetError("no", "do that"), 1),
        (SheetProblems("no", [], "do that"), 65),
        (CannotWrite("no", "do that"), 73),
        (LockHeld("no", "do that"), 73),
        (TokenProblem("no", "do that"), 77),
        (ExceptionGroup("g", [ExceptionGroup("h", [TokenProblem("no", "do that")])]), 77),
    ],
)
def test_an_error_for_a_person(capsys: pytest.CaptureFixture[str], error: Exception, code: int) -> None:
    """What happened and what to do next, in two lines; its own exit code."""
    assert failing(error) == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", "no\ndo that\n")


def test_a_defect_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The traceback comes with --verbose only."""
    assert failing(ZeroDivisionError("by zero")) == 70
    err = capsys.readouterr().err
    assert err.startswith("This is a defect in Nightsheet: ZeroDivisionError: by zero\n")
    assert "Traceback" not in err


def test_a_defect_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """For a report."""

    def body() -> int:
        raise ZeroDivisionError("by zero")

    assert guarded(body, verbose=True) == 70
    assert "Traceback" in capsys.readouterr().err


def test_a_mixed_group_is_a_defect(capsys: pytest.CaptureFixture[str]) -> None:
    """A user's error does not hide ours."""
    assert failing(ExceptionGroup("g", [TokenProblem("no"), ValueError("odd")])) == 70
    assert "defect" in capsys.readouterr().err


def test_ctrl_c_exits_130(capsys: pytest.CaptureFixture[str]) -> None:
    """As shells do."""
    assert failing(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


@pytest.mark.process
def test_a_closed_pipe_is_quiet() -> None:
    """`nightsheet models | head -0` says nothing about it."""
    code = (
        "import sys; from runner.cli.app import main; sys.argv = ['nightsheet', 'models', '--json']; main()"
    )
    root = Path(__file__).parents[4]
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), err) == (0, b"")


def test_an_output_on_a_full_disk_is_no_defect(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 73, in words; a full disk behind a name is told by whoever wrote there."""
    monkeypatch.setattr("runner.cli.console.console.forget_output", lambda: None)
    assert failing(OSError(errno.ENOSPC, "No space left on device")) == 73
    assert capsys.readouterr().err == "The output cannot be written: No space left on device.\n"
    assert failing(OSError(errno.ENOSPC, "No space left on device", "a.csv")) == 70


def test_on_event_says_that_there_is_no_shell(world: World) -> None:
    """Pipes and variables in it would be words of the program."""
    assert "No shell is involved." in " ".join(world.run("run", "--help").out.replace("│", " ").split())


def test_problems_are_told_where_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Many rows with one cause are one block."""
    many = [Problem("a.csv", row, "size", "big", "No such size.", "Try 2K.") for row in range(2, 252)]
    assert failing(SheetProblems("250 problems.", many)) == 65
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["250 rows (2-251), size: big", "  No such size. Try 2K.", "250 problems."]
