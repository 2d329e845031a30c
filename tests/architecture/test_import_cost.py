"""What importing a module loads, and what a command does: no command waits for what it has no use for."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.store.open import open_store
from tests.architecture.sources import ROOT

DATABASE = {"sqlalchemy", "sqlmodel", "aiosqlite"}
SERVERS = {"starlette", "uvicorn"}
NETWORK = {"httpx", "aiohttp"}
FORMATS = {"PIL", "openpyxl", "yaml"}
HEAVY = DATABASE | NETWORK | FORMATS | {"pydantic", "pydantic_settings", "starlette"}
HELP_ELSEWHERE = {"rich.markdown", "rich.traceback", "markdown_it", "pygments"}
"""What typer's help imports for programs that use it."""
ELSEWHERE = {
    *("jobs.sheets.planning", "jobs.sheets.images.album", "jobs.catalog.registry", "jobs.manifests.export"),
    *("jobs.store.intake.loading", "jobs.store.intake.adoption", "jobs.store.witness", "jobs.tiles"),
    *("jobs.store.page.tiles", "jobs.store.page.filtering", "jobs.store.bulk.records"),
    *("runner.providers.base", "runner.recovery.lock", "runner.workers", "runner.page", "filelock"),
    *("sqlalchemy.dialects.postgresql", "psycopg", "alembic"),
}
"""What a look at a batch has no use for while nobody is at work on it."""


def loaded_by(module: str) -> set[str]:
    """The packages that a new process has loaded once it has imported `module`."""
    code = f"import sys, {module}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def loaded_by_command(*words: str) -> set[str]:
    """The modules that a command has loaded at its end. Its output goes into a pipe."""
    code = (
        "import sys, nightsheet\n"
        f"sys.argv = {['nightsheet', *words]!r}\n"
        "try:\n"
        "    nightsheet.main()\n"
        "except SystemExit as ended:\n"
        "    assert not ended.code, ended.code\n"
        "print('\\nLOADED', *sorted(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("LOADED")[2].split())


def among(loaded: set[str], unwanted: set[str]) -> set[str]:
    """What is loaded of the unwanted packages and modules."""
    return {name for name in unwanted if name in loaded}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job table with a batch."""
    path = tmp_path_factory.mktemp("import_cost") / "nightsheet.db"

    async def make() -> None:
        async with open_store(path, lambda: datetime(2026, 1, 1, tzinfo=UTC), create=True) as store:
            await store.batches.load(name="a", sheet="/a.csv", origin="https://a.example", planned=[])

    asyncio.run(make())
    return path


@pytest.mark.parametrize(
    "module",
    [
        *("runner.limits.brake", "runner.limits.budget", "runner.limits.guards", "runner.limits.health"),
        *("runner.events.observer", "runner.events.report", "runner.events.progress", "runner.events.notify"),
        *("jobs.views", "jobs.outcomes", "jobs.ledger", "jobs.workload", "runner.planning.consent"),
    ],
)
def test_values_cost_no_database(module: str) -> None:
    """An enum that stood beside the tables made the brake cost 140 times what the budget does."""
    assert loaded_by(module) & DATABASE == set()


def test_the_root_of_the_command_line_is_light() -> None:
    """`nightsheet --help` and a shell's completion wait for it."""
    assert loaded_by("runner.cli.app") & (HEAVY | {"rich"}) == set()


def test_the_list_of_commands_needs_no_parser() -> None:
    """Rich draws it; nothing of it is Markdown or Python."""
    loaded = loaded_by_command("--help")
    assert "typer.rich_utils" in loaded
    assert among(loaded, HEAVY | HELP_ELSEWHERE | {"importlib.metadata"}) == set()


def test_the_version_needs_nothing() -> None:
    """What is written into a pipe has nothing to be drawn."""
    assert among(loaded_by_command("--version"), HEAVY | {"rich"}) == set()


@pytest.mark.parametrize(
    "words",
    [("models",), ("check", "sample_batches/first-night.csv")],
)
def test_what_asks_no_table_loads_none(words: Sequence[str]) -> None:
    """There is no database in the root of the repository."""
    assert among(loaded_by_command(*words), DATABASE | NETWORK | SERVERS | FORMATS) == set()


def test_no_start_looks_for_garbage() -> None:
    """A command is imported before the first look, and each look after that comes as soon as ever."""
    code = (
        "import gc, sys, nightsheet\n"
        "sys.argv = ['nightsheet', '--version']\n"
        "looks = lambda: sum(one['collections'] for one in gc.get_stats())\n"
        "before = looks()\n"
        "try:\n"
        "    nightsheet.main()\n"
        "except SystemExit:\n"
        "    print('LOOKS', looks() - before)\n"
        "    print('FIRST', *gc.get_threshold(), len(gc.callbacks))\n"
        "    gc.collect()\n"
        "    print('THEN', *gc.get_threshold(), len(gc.callbacks))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    told = done.stdout.splitlines()[-3:]
    assert told == ["LOOKS 0", "FIRST 200000 10 10 1", "THEN 10000 10 10 0"]


def test_a_page_listens_before_it_can_answer() -> None:
    """What answers is imported while the browser begins: acts, panels, what reads sheets, the catalogue."""
    code = "import sys, runner.page.server; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    late = {"runner.page.app", "runner.page.acting", "runner.deciding", "runner.providers", "jobs.sheets"}
    late |= {"jobs.catalog.registry", "jobs.manifests", "starlette.routing", "PIL", "pydantic_settings"}
    assert among(set(done.stdout.split()), late) == set()


@pytest.mark.parametrize("command", ["status", "batches"])
def test_a_look_at_a_batch_loads_what_it_looks_at(command: str, database: Path) -> None:
    """Two or three parts of the store, and neither a sheet nor the API nor another database's dialect."""
    loaded = loaded_by_command(command, "--db", str(database))
    assert "jobs.store.batches" in loaded
    assert among(loaded, ELSEWHERE | NETWORK | SERVERS | FORMATS) == set()
    if command == "status":
        assert "rich" not in loaded
