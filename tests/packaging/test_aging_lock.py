"""A lock that ages does not break: newer releases than the locked ones are there, and none is looked at.

The set-up is the Makefile's own, over a project and an index of a few hand-made wheels.
"""

import ensurepip
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.commands import ROOT, run
from tests.packaging.wheels import wheel

pytestmark = pytest.mark.process

BACKEND = """
import pathlib, sys
sys.path.insert(0, {root!r})
from tests.packaging.wheels import wheel

def build_editable(folder, config_settings=None, metadata_directory=None):
    wheel(pathlib.Path(folder), "project", "1.0", requires=["plugin"])
    return "project-1.0-py3-none-any.whl"
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
SETTLED_BY = (23, 3)
"""The first pip that resolves a lock like this one."""


class Project:
    """A project with the Makefile of this one, on a machine that offers its packages at two ages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = folder / "index"
        self.index.mkdir()
        self.tool = wheel(self.index, "tool", "1.0", extras=["toml"])
        self.plugin = wheel(self.index, "plugin", "1.0", requires=["tool[toml]>=1.0"])
        wheel(self.index, "tool", "2.0", extras=["toml"])
        (folder / "pyproject.toml").write_text(PYPROJECT)
        (folder / "backend.py").write_text(BACKEND.format(root=str(ROOT)))
        shutil.copy(ROOT / "Makefile", folder)

    def make(self, target: str) -> subprocess.CompletedProcess[str]:
        """Have the Makefile make one of the files that stand for a state of the environment."""
        return run(
            "make",
            f".venv/{target}",
            f"PYTHON={sys.executable}",
            cwd=self.folder,
            PIP_FIND_LINKS=str(self.index),
        )

    def lock(self, *lines: str) -> None:
        for name in ("requirements.txt", "requirements-dev.txt"):
            (self.folder / name).write_text("".join(lines))

    def installed(self) -> set[str]:
        packages = self.folder.glob(".venv/lib/python*/site-packages/*.dist-info")
        return {path.name.removesuffix(".dist-info") for path in packages}


@pytest.fixture(scope="module")
def empty_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `python -m venv` makes takes seconds, and is the same for every test."""
    project = Project(tmp_path_factory.mktemp("empty"))
    made = project.make("bin/python")
    assert made.returncode == 0, made.stderr
    return project.folder / ".venv"


@pytest.fixture
def project(tmp_path: Path, empty_environment: Path) -> Project:
    shutil.copytree(empty_environment, tmp_path / ".venv", symlinks=True)
    return Project(tmp_path)


def test_the_locked_releases_are_installed(project: Project) -> None:
    """Though a newer one of the package with an extra is there."""
    project.lock(project.tool, project.plugin)
    ended = project.make("dev.stamp")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert {"tool-1.0", "plugin-1.0", "project-1.0"} <= project.installed()


def test_resolving_the_lock_again_fails(project: Project) -> None:
    """With an old pip: what the test above is for."""
    version = tuple(map(int, ensurepip.version().split(".")[:2]))
    if version >= SETTLED_BY:
        pytest.skip(f"pip {ensurepip.version()}, which comes with this Python, resolves such a lock")
    makefile = project.folder / "Makefile"
    text = makefile.read_text()
    assert text.count(" --no-deps") == 1
    makefile.write_text(text.replace(" --no-deps", ""))
    project.lock(project.tool, project.plugin)
    ended = project.make("dev.stamp")
    assert "must have their versions pinned with ==" in ended.stderr
    assert ended.returncode != 0


def test_a_lock_that_lacks_a_package_is_refused(project: Project) -> None:
    """`--no-deps` alone would install it without a word."""
    project.lock(project.plugin)
    ended = project.make("run.stamp")
    assert "plugin 1.0 requires tool, which is not installed" in ended.stdout
    assert ended.returncode != 0
    assert not (project.folder / ".venv" / "run.stamp").exists()


def test_the_project_asks_for_no_more_than_the_lock(project: Project) -> None:
    """A dependency that is in pyproject.toml alone is not found out by the import that fails."""
    project.lock(project.tool)
    ended = project.make("run.stamp")
    assert "project 1.0 requires plugin, which is not installed" in ended.stdout
    assert ended.returncode != 0
