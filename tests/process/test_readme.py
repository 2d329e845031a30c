"""README as a newcomer reads it: its two commands, and its walk-through command by command."""

import csv
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import desk

pytestmark = pytest.mark.process

README = Path(__file__).parents[2] / "README.md"


def _blocks(language: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    return [text for name, text in fenced if name == language]


def test_two_commands_come_first() -> None:
    first, second = _blocks("bash")[:2]
    assert (first.strip(), second.strip()) == ("make demo", "make test")


async def test_walk_through(tmp_path: Path) -> None:
    (sheet,) = _blocks("csv")
    (walk,) = [
        block for block in _blocks("") if block.startswith("nightsheet check") and "--emulator" in block
    ]
    (tmp_path / "my.csv").write_text(sheet)
    async with desk(tmp_path) as here:
        for line in walk.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "nightsheet"
            ended = await here.call(*arguments)
            assert ended.code == 0, f"{line}: {ended.err}"
        assert not here.service.calls, "--emulator must not call any other API"
    assert len((tmp_path / "my-manifest.csv").read_text().splitlines()) == 3
    assert len(list((tmp_path / "outputs-emulator" / "my").glob("*/*.jpg"))) == 5


OWN_ROWS = 20
NEXT = re.compile(r"^Next: (nightsheet .+)$", re.MULTILINE)
FIVE_MINUTES = 300.0


def _fresh_clone(folder: Path) -> dict[str, str]:
    """A clone of this repository, and the environment of a shell in which its `nightsheet` is installed."""
    clone, programs = folder / "nightsheet", folder / "bin"
    subprocess.run(["git", "clone", "-q", str(README.parent), str(clone)], check=True)
    shutil.rmtree(clone / "tests")  # the tokens of tests stand in them, and are searched for
    programs.mkdir()
    program = programs / "nightsheet"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={clone} exec {sys.executable} -m runner.cli "$@"\n')
    program.chmod(0o755)
    return {"HOME": str(folder), "PATH": f"{programs}:/usr/bin:/bin", "LANG": "C.UTF-8"}


@pytest.mark.timeout(FIVE_MINUTES)
def test_a_newcomer_s_own_rows_come_to_pictures(tmp_path: Path) -> None:
    """Twenty rows of one's own, and README's commands as they are printed there."""
    env = _fresh_clone(tmp_path)
    here = tmp_path / "nightsheet"

    def type_in(line: str) -> str:
        ended = subprocess.run(
            ["/bin/sh", "-c", line], cwd=here, env=env, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"{line}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    (example,) = _blocks("csv")
    header = example.splitlines()[0]
    rows = [
        f'shop-{n:02},bytedance/seedream-4-5/text-to-image,"A jar of jam number {n}, on linen",2048x2048,'
        for n in range(OWN_ROWS)
    ]
    (here / "my.csv").write_text("\n".join([header, *rows]) + "\n")
    (rehearsal,) = [
        block for block in _blocks("") if block.startswith("nightsheet check") and "--emulator" in block
    ]
    check, run, *others = rehearsal.splitlines()
    assert NEXT.findall(type_in(check)) == [run], "check names the command that README has next"
    told = type_in(run)
    assert f"{OWN_ROWS} of {OWN_ROWS} jobs succeeded" in told
    for line in others:
        type_in(line)
    pictures = here / "outputs-emulator" / "my"
    assert len(list(pictures.glob("*/*.jpg"))) == OWN_ROWS
    assert (pictures / "summary.md").exists()
    with (here / "my-manifest.csv").open(newline="") as file:
        records = list(csv.DictReader(file))
    assert [record["key"] for record in records] == [f"shop-{n:02}" for n in range(OWN_ROWS)]
    assert {record["state"] for record in records} == {"succeeded"}
