"""A disk that takes no more in the middle of a file: the real thing, in a process of its own."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.unit.runner.cli.commands.test_gallery import files_of
from tests.unit.runner.cli.commands.test_view import CODE, ROOT
from tests.unit.runner.cli.steps.exports.test_data_sets import shot
from tests.unit.runner.cli.world import World, job

pytestmark = [pytest.mark.process, pytest.mark.skipif(os.name == "nt", reason="needs POSIX limits")]
LIMIT = 1_000_000
"""Bytes of a file: more than the database has, less than the picture."""
LIMITED = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT}, {LIMIT}))\n{CODE}"
WAYS = {
    "parquet": ("export", "--format", "parquet", "--pictures", "copy"),
    "imagefolder": ("export", "--format", "imagefolder"),
    "webdataset": ("export", "--format", "webdataset"),
    "gallery": ("gallery", "--pictures", "copy"),
    "zip": ("gallery", "--pictures", "copy", "--zip"),
}


@pytest.fixture
def night(world: World) -> World:
    """A small picture, and one that is too large for the disk."""
    world.load(job(0, "small"), job(1, "large"))
    noise = Image.frombytes("RGB", (700, 700), random.Random(1).randbytes(700 * 700 * 3))
    place = world.folder / "large.png"
    noise.save(place)
    data = place.read_bytes()
    place.unlink()
    assert len(data) > LIMIT
    shot(world, "large", data)
    noise.resize((20, 20)).save(place)
    shot(world, "small", place.read_bytes())
    place.unlink()
    return world


def run(folder: Path, code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def beside(folder: Path) -> list[str]:
    """What lies there, but for the database and the pictures."""
    return sorted(
        path.name for path in folder.iterdir() if not path.name.startswith(("nightsheet.db", "outputs"))
    )


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_left_of_what_did_not_fit(night: World, way: str) -> None:
    """73, in words; what was there before is there, whole. With room it is written."""
    before = beside(night.folder)
    arguments = (*WAYS[way], "--output", "out")
    ran = run(night.folder, LIMITED, *arguments)
    assert (ran.returncode, "File too large" in ran.stderr) == (73, True), ran.stderr
    assert beside(night.folder) == before
    written = run(night.folder, CODE, *arguments)
    assert written.returncode == 0, written.stderr
    place = night.folder / ("out.zip" if way == "zip" else "out")
    held = {path: path.read_bytes() for path in [place, *place.rglob("*")] if path.is_file()}
    assert run(night.folder, LIMITED, *arguments).returncode == 73
    assert {path: path.read_bytes() for path in [place, *place.rglob("*")] if path.is_file()} == held
    assert beside(night.folder) == sorted([*before, place.name])
    if way == "zip":
        assert len(files_of(place)) == 8
