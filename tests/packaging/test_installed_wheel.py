"""The built wheel as a tool: beside the locked run set and nothing else, far from the clone."""

import json
import os
import re
import shlex
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.packaging.commands import ROOT, run

pytestmark = pytest.mark.process

PACKAGES = {"jobs", "migrations", "runner"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by the README's own command, but for the folder it is put into."""
    (line,) = re.findall(
        r"^\.venv/bin/(python -m pip wheel .*?) -w dist \.$", (ROOT / "README.md").read_text(), re.M
    )
    folder = tmp_path_factory.mktemp("dist")
    built = run(sys.executable, *shlex.split(line)[1:], "-w", folder, ROOT, cwd=folder)
    assert built.returncode == 0, built.stderr
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """A bare environment with the wheel. What the lock has for a run is linked in, not downloaded."""
    folder = tmp_path_factory.mktemp("tool") / "venv"
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in _locked():
        for path in _entries(name):
            (packages / path.name).symlink_to(path)
    python = folder / "bin" / "python"
    for step in (["install", "--no-deps", "--quiet", wheel], ["check"]):
        ended = run(sys.executable, "-m", "pip", "--python", python, *step, cwd=folder)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


def test_the_wheel_holds_the_packages_whole(wheel: Path) -> None:
    """The history of the database and the marks for type checkers too, and nothing that is not theirs."""
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    source = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    assert inside == {*source, "nightsheet.py"}
    assert {f"{package}/py.typed" for package in PACKAGES} <= inside


def test_the_demo_runs_from_the_wheel(tool: Path, tmp_path: Path) -> None:
    """A sheet, the command, and no clone."""
    sheet = tmp_path / "first-night.csv"
    sheet.write_bytes((ROOT / "sample_batches" / sheet.name).read_bytes())
    where = (
        "import jobs, migrations, runner; print(*(m.__file__ for m in (jobs, migrations, runner)), sep='\\n')"
    )
    imported = run(tool / "bin" / "python", "-c", where, cwd=tmp_path)
    assert all(Path(line).is_relative_to(tool) for line in imported.stdout.splitlines()), imported.stdout
    assert imported.stdout.count("\n") == len(PACKAGES)

    ended = run(tool / "bin" / "nightsheet", "run", sheet.name, "--emulator", cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    manifest = tmp_path / "outputs-emulator" / "first-night" / "manifest.jsonl"
    records = [json.loads(line) for line in manifest.read_text().splitlines()]
    assert len(records) == len(sheet.read_text().splitlines()) - 1
    assert {record["state"] for record in records} == {"succeeded"}


def test_modules_of_the_same_names_are_in_nobody_s_way(tool: Path, tmp_path: Path) -> None:
    """A studio's PYTHONPATH, or a folder with scripts, may have a `runner.py`."""
    for name in ("jobs", "runner", "migrations"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')\n")
    for folder in ("", str(tmp_path), "."):
        ended = run(tool / "bin" / "nightsheet", "models", "--json", cwd=tmp_path, PYTHONPATH=folder)
        assert ended.returncode == 0, ended.stdout + ended.stderr


def _locked() -> list[str]:
    """The run set's packages, as far as they are for this machine."""
    text = (ROOT / "requirements.txt").read_text()
    pins = [Requirement(found) for found in re.findall(r"^(\w\S*==[^\\\n]*)", text, re.M)]
    return [pin.name for pin in pins if pin.marker is None or pin.marker.evaluate()]


def _entries(name: str) -> set[Path]:
    """What a package has put into site-packages: its folders and modules there."""
    found = distribution(name)
    tops = {file.parts[0] for file in found.files or ()} - {os.pardir, "__pycache__"}
    assert tops, name
    return {Path(str(found.locate_file(top))) for top in tops}
