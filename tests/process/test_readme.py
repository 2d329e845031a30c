"""README as a newcomer reads it: its two commands, and its walk-through command by command."""

import re
import shlex
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
