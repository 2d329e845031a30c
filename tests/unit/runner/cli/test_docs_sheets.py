"""docs/sheets.md: every sheet on it lies where it says, and every command does what stands there."""

import io
import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.unit.runner.cli.world import World

ROOT = Path(__file__).parents[4]
SAMPLES = ROOT / "sample_batches"
PAGE = (ROOT / "docs" / "sheets.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```([^\n]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SHOWN = {info.split()[1]: text for info, text in BLOCKS if " " in info}
COMMANDS = [line for info, text in BLOCKS if not info for line in text.splitlines()]


@pytest.mark.parametrize("name", SHOWN)
def test_a_sheet_is_shown_as_it_lies_there(name: str) -> None:
    """Letter for letter."""
    assert SHOWN[name] == (ROOT / name).read_text(encoding="utf-8")


def test_every_sample_in_a_folder_is_on_the_page() -> None:
    """By its name at least."""
    for folder in ("formats", "families", "steps", "pictures", "sets"):
        for path in (SAMPLES / folder).iterdir():
            assert f"sample_batches/{folder}/{path.name}" in PAGE


@pytest.mark.parametrize("line", [line for line in COMMANDS if " run " not in line])
def test_a_command_does_what_it_says(world: World, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """65 for the broken sheet, and a plan without problem or warning for the others.

    Of a file of styles it says what is not sent, of a workbook which worksheet is not read, and of a name in
    braces that no column has it.
    """
    before, _, command = line.rpartition("| ")
    if before:
        piped = ROOT / before.split()[1]
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(piped.read_bytes())))
    program, *arguments = shlex.split(command)
    assert program == "nightsheet"
    here = [word.replace("sample_batches/", f"{SAMPLES}/") for word in arguments]
    ran = world.run(*here)
    assert ran.code == (65 if "broken" in line else 0), ran.err
    told = ("styles.csv", "workbook.xlsx", "columns.csv")
    if "broken" not in line and "--json" not in line:
        expected = any(name in line for name in told) and "--worksheet" not in line
        assert ("warning" in ran.out) is expected, ran.out
    assert (world.folder / "problems.csv").exists() is ("--output" in line)
