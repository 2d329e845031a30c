"""What a person sees: at 80x24 and 120x40, with colours and without, and in a pipe."""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.terminal import OnTerminal, on_terminal

TEXT = "bytedance/seedream-4-5/text-to-image"
SIZES = [(80, 24), (120, 40)]
HASTE = ("--emulator", "--speed", "60", "--poll-min", "0.05")
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\S* night: \d+/\d+ jobs? done \(\d+ %\), ")


@pytest.fixture(params=[False, True], ids=["colours", "no colours"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> Mapping[str, str]:
    """The variables of a command, with NO_COLOR or without."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NIGHT", "RUNCOMFY")) and name not in {"NO_COLOR", "FORCE_COLOR", "COLORTERM"}
    }
    root = Path(__file__).parents[2]
    ours = {"HOME": str(tmp_path), "PYTHONPATH": str(root)} | ({"NO_COLOR": "1"} if request.param else {})
    return kept | ours


def sheet(folder: Path, rows: int, *, bad: int = 0) -> str:
    """A sheet whose first `bad` rows have one of three problems."""
    with (folder / "night.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "prompt", "model", "size", "width"])
        for row in range(rows):
            prompt = f"A paper boat on a long canal in the rain, number {row}"
            size = ""
            if row < bad:
                prompt, size = [(prompt, "1024x768"), ("#REF!", ""), ("", "9K")][row % 3]
            writer.writerow([f"row-{row}", prompt, TEXT, size, "800" if row == 0 else ""])
    return "night.csv"


def piped(folder: Path, env: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in env.items() if name != "COLUMNS"}
    command = [sys.executable, "-m", "runner.cli", *arguments]
    return subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)


def assert_fits(ended: OnTerminal, columns: int, *whole: str) -> None:
    """No line is folded by the terminal, but those that hold one of `whole`, which is there to be copied."""
    for line in ended.screen.lines:
        assert len(line) <= columns
        if len(line) == columns and f"{line}\r\n" not in ended.written:  # it was folded at the edge
            assert set(line) <= set("━─") or any(part in ended.screen.text for part in whole), line
    assert not ended.screen.hidden, "the cursor comes back"


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_thirty_problems(tmp_path: Path, env: Mapping[str, str], columns: int, rows: int) -> None:
    """A cause a block, on less than a screen, and what to do at its end."""
    name = sheet(tmp_path, 40, bad=30)
    ended = on_terminal(tmp_path, "check", name, columns=columns, rows=rows, env=env)
    assert ended.code == 65
    assert_fits(ended, columns)
    lines = ended.screen.text.splitlines()
    assert len(lines) <= 24, ended.screen.text
    assert lines[0].startswith("10 rows (2, 5, 8, 11, 14, 17, 20, 23, ...), size: 1024x768")
    assert "night.csv has 40 problems." in lines
    assert lines[-1] == "Nothing is loaded or paid until that is fixed."
    assert ended.screen.coloured is ("NO_COLOR" not in env)
    alone = piped(tmp_path, env, "check", name)
    assert (alone.returncode, alone.stderr) == (65, "")
    assert "\x1b" not in alone.stdout
    assert " ".join(ended.screen.text.split()) == " ".join(alone.stdout.split())


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_a_run_with_trouble(tmp_path: Path, env: Mapping[str, str], columns: int, rows: int) -> None:
    """A bar of the whole width while it works, failures above it as they come, the summary at its end."""
    name = sheet(tmp_path, 12)
    ended = on_terminal(
        tmp_path, "run", name, *HASTE, "--faults", "hostile", columns=columns, rows=rows, env=env
    )
    assert ended.code == 1, ended.screen.text
    assert_fits(ended, columns, str(tmp_path), "nightsheet ")
    drawn = [text for text in ended.shown if re.search(r"jobs done", text)]
    assert drawn, "a bar was shown"
    assert any(re.search(rf"^[━─]{{{columns}}}$", text, re.MULTILINE) for text in drawn)
    assert any(re.search(r"night  \d+/12 jobs done \(\d+ %\)", text) for text in drawn)
    text = ended.screen.text
    assert "jobs done" not in text, "the bar leaves nothing behind"
    assert re.search(r"^Job 'row-\d+'", text, re.MULTILINE), "trouble is told as it comes"
    assert re.search(r"^Batch night: \d+ of 12 jobs succeeded, in \d+ s\.$", text, re.MULTILINE)
    assert "outputs-emulator/night/summary.md" in text.replace("\n", "")
    assert "Next:" in text
    assert ended.screen.coloured is ("NO_COLOR" not in env)
    summary = (tmp_path / "outputs-emulator" / "night" / "summary.md").read_text()
    status = piped(tmp_path, env, "status", "--emulator")
    for line in status.stdout.splitlines()[1:]:
        command = line.partition(": nightsheet ")[2]
        if command:
            assert f"    nightsheet {command}\n" in summary
    assert "\x1b" not in summary + status.stdout


def test_a_log_of_a_run_with_trouble(tmp_path: Path, env: Mapping[str, str]) -> None:
    """In a pipe: each line dated, none drawn; results alone on standard output."""
    ended = piped(tmp_path, env, "run", sheet(tmp_path, 12), *HASTE, "--faults", "hostile")
    assert ended.returncode == 1
    assert "\x1b" not in ended.stdout + ended.stderr
    lines = ended.stderr.splitlines()
    assert [line for line in lines if LOG_LINE.match(line)], ended.stderr
    assert any(re.match(r"\d{4}-\d\d-\d\d \S+ UTC\S* Job 'row-\d+'", line) for line in lines)
    assert ended.stdout.startswith("Batch night: ")


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_status_watch(tmp_path: Path, env: Mapping[str, str], columns: int, rows: int) -> None:
    """It keeps its height, fits the screen, and ends by Ctrl-C without a word."""
    name = sheet(tmp_path, 6)
    ran = piped(tmp_path, env, "run", name, *HASTE, "--limit", "2", "--quiet")
    assert ran.returncode == 0, ran.stderr

    pressed: list[str] = []

    def leave(text: str) -> str | None:
        if pressed or "Go on with:" not in text:
            return None
        pressed.append("once")
        return "\x03"

    ended = on_terminal(
        tmp_path,
        *("status", "--watch", "--emulator"),
        columns=columns,
        rows=rows,
        env=env,
        type_at=leave,
    )
    assert ended.code == 0, ended.screen.text
    lines = ended.screen.text.rstrip().splitlines()
    assert len(lines) <= rows
    for state in ("queued", "submitting", "running", "fetching", "succeeded", "failed", "cancelled"):
        assert re.search(rf"^  {state} +\d+$", ended.screen.text, re.MULTILINE)
    assert re.search(r"^Pictures: 2 in\s", ended.screen.text, re.MULTILINE)
    assert "Traceback" not in ended.screen.text


def test_ctrl_c_twice(tmp_path: Path, env: Mapping[str, str]) -> None:
    """The bar goes, and what is left behind is said with what to type."""
    pressed: list[str] = []

    def press(text: str) -> str | None:
        if not pressed and "in flight" in text and "0 in flight" not in text:
            pressed.append("once")
            return "\x03"
        if len(pressed) == 1 and "Stopping" in text:
            pressed.append("twice")
            return "\x03"
        return None

    slow = ("--emulator", "--speed", "0.5")
    ended = on_terminal(
        tmp_path, "run", sheet(tmp_path, 6), *slow, columns=80, rows=24, env=env, type_at=press
    )
    assert ended.code == 130, ended.screen.text
    assert pressed == ["once", "twice"]
    assert "jobs done" not in ended.screen.text, "the bar leaves nothing behind"
    assert "nightsheet resume night --emulator" in ended.screen.text
