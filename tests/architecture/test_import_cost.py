"""What importing a module loads: value types cost no SQLAlchemy, the command line's root next to nothing."""

import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT

DATABASE = {"sqlalchemy", "sqlmodel", "aiosqlite"}
HEAVY = DATABASE | {
    "pydantic",
    "pydantic_settings",
    "httpx",
    "aiohttp",
    "PIL",
    "starlette",
    "openpyxl",
    "yaml",
}


def loaded_by(module: str) -> set[str]:
    """The packages that a new process has loaded once it has imported `module`."""
    code = f"import sys, {module}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


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
    assert loaded_by("runner.cli.app") & HEAVY == set()
