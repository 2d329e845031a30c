"""docs/moving.md, command by command, on a project that has paid for a night."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from tests.support.command import QUICK, Desk, desk

PAGE = Path(__file__).parents[2] / "docs" / "moving.md"
ROWS = 6


def blocks() -> dict[str, str]:
    """The commands of the page, by their heading."""
    found: dict[str, str] = {}
    for section in PAGE.read_text().split("\n## ")[1:]:
        commands = re.findall(r"```bash\n(.*?)```", section, re.DOTALL)
        if commands:
            (found[section.partition("\n")[0]],) = commands
    return found


@pytest.fixture
async def project(tmp_path: Path) -> AsyncIterator[Desk]:
    """A folder with a sheet, a database and pictures, where `nightsheet` is in the PATH."""
    async with desk(tmp_path) as here:
        sheet = tmp_path / here.sheet(ROWS)
        sheet.rename(tmp_path / "night.csv")
        shim = tmp_path / "bin" / "nightsheet"
        shim.parent.mkdir()
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m runner.cli "$@"\n')
        shim.chmod(0o755)
        ended = await here.call("run", "night.csv", *QUICK)
        assert ended.code == 0, ended.err
        yield here


async def told(here: Desk, heading: str) -> str:
    """Run a section's commands as they stand there; what they say."""
    env = here.env | {"PATH": f"{here.folder / 'bin'}:{os.environ['PATH']}", "NIGHTSHEET_POLL_MIN": "0.02"}
    script = ["sh", "-euc", blocks()[heading]]
    with anyio.fail_after(120):
        ended = await to_thread.run_sync(
            lambda: subprocess.run(
                script, cwd=here.folder, env=env, capture_output=True, text=True, check=False
            )
        )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


def paid(here: Desk) -> set[int]:
    """How often rows were paid for."""
    return set(Counter(here.submits()).values())


def test_every_section_is_tried() -> None:
    """A command that is added here needs a test there."""
    assert set(blocks()) == {
        "Move",
        "Move the pictures",
        "Sort, rename or delete pictures",
        "Back up",
        "Restore",
        "Copy",
        "Starting over",
    }


async def test_move(project: Desk) -> None:
    """The batch is there, with all of its rows."""
    assert f"{ROWS}" in await told(project, "Move")
    assert paid(project) == {1}


async def test_move_the_pictures(project: Desk) -> None:
    """Nothing is missing, neither before the run that keeps the new place nor after it."""
    said = await told(project, "Move the pictures")
    assert "no longer" not in said
    assert str(project.folder / "pictures" / "night") in said
    assert not (project.folder / "outputs").exists()
    assert paid(project) == {1}
    text = (project.folder / "pictures" / "night" / "manifest.jsonl").read_text()
    images = [image for line in text.splitlines() for image in json.loads(line)["images"]]
    assert images
    assert all((project.folder / "pictures" / "night" / image["path"]).is_file() for image in images)
    (project.folder / "pictures").rename(project.folder / "gone")
    status = await project.status()
    assert status["missing_images"] == status["pictures"] == len(images)
    plain = await project.call("status")
    assert "that folder is gone" in plain.out
    assert "nightsheet resume night --output-dir DIR" in plain.out
    exported = await project.call("export")
    assert exported.code == 0
    assert exported.out.count('"missing":true') == len(images)
    assert f"{len(images)} pictures that it names could not be found." in exported.err
    found = await project.call("export", "--output-dir", "gone")
    assert "missing" not in found.out
    assert found.err == ""
    assert (await project.call("audit", "--output-dir", "gone")).code == 0
    assert (await project.call("audit")).code == 1


async def test_sort_the_pictures(project: Desk) -> None:
    """The manifest names the new place; what is deleted is told everywhere."""
    assert "no longer" not in await told(project, "Sort, rename or delete pictures")
    manifest = project.manifest("night")
    assert manifest[0]["images"][0]["path"] == "../picks/hero.jpg"
    (project.folder / "outputs" / "picks" / "hero.jpg").unlink()
    ended = await project.call("run", "night.csv", *QUICK)
    assert ended.code == 0, ended.err
    assert "1 picture is no longer in the output folder" in ended.out
    assert "Next: nightsheet retry night --free" in ended.out
    assert (await project.call("retry", "--free")).code == 0
    assert (await project.call("resume", *QUICK)).code == 0
    assert (await project.status())["missing_images"] == 0
    assert paid(project) == {1}


async def test_back_up_and_restore(project: Desk) -> None:
    """What was sent since the backup is put back."""
    await told(project, "Back up")
    project.sheet(ROWS + 1, "night.csv")
    assert (await project.call("run", "night.csv", *QUICK)).code == 0
    assert "did not know 1 submit" in await told(project, "Restore")
    assert paid(project) == {1}
    assert len(project.service.ledger) == ROWS + 1


async def test_copy(project: Desk) -> None:
    """The copy pays for nothing that the first one has."""
    assert "there is one there still" in await told(project, "Copy")
    assert paid(project) == {1}


async def test_start_over(project: Desk) -> None:
    """On purpose: each row once more."""
    shutil.rmtree(project.folder / "outputs")
    await told(project, "Starting over")
    assert paid(project) == {2}
