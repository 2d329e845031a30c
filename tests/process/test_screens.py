"""What a person's screen shows, kept as text: look at it after each change of what is printed.

`python -m tests.process.test_screens` writes the files of `tests/process/screens/` again, to be read over.
"""

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.process.test_terminal import TEXT, piped
from tests.support.terminal import on_terminal

SCREENS = Path(__file__).parent / "screens"
SIZES = ((80, 24), (120, 40), None)
"""Columns and rows; None is a pipe."""
SHEET = "\n".join(
    [
        "id,prompt,model,size,width",
        *(f"wide-{n},A paper boat on canal {n},{TEXT},1024x768,800" for n in range(12)),
        *(f"error-{n},#REF!,{TEXT},," for n in range(10)),
        *(f"empty-{n},,{TEXT},2K," for n in range(8)),
        f"good,A paper boat at dawn,{TEXT},2K,",
    ]
)
"""Thirty rows with one of three problems, and a column that is not sent."""
NIGHT = "\n".join(
    ["id,prompt,model", *(f"boat-{n},A paper boat on canal number {n},{TEXT}" for n in range(8))]
)
FAULTS = [
    {"endpoint": "submit", "kind": "moderated", "prompt": "canal number 2"},
    {"endpoint": "submit", "kind": "drop", "accepted": True, "prompt": "canal number 4"},
    {"endpoint": "media", "kind": "wrong_bytes", "prompt": "canal number 6", "times": "for ever"},
]
RUN = ("run", "night.csv", "--emulator", "--faults", "faults.json", "--concurrency", "1", "--yes")
HASTE = ("--speed", "100", "--poll-min", "0.05")
SHOWN = {"check": ("check", "sheet.csv"), "run": (*RUN, *HASTE), "status": ("status", "--emulator")}
"""In this order: `status` looks at the night that `run` had."""
_WHERE = re.compile(r"/tmp/n-[a-z0-9_]{8}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\S*|\b\d\d:\d\d(?= UTC)")
_PROGRESS = re.compile(r"^.* night: \d+/\d+ jobs? done .*\n", re.MULTILINE)


@contextmanager
def night() -> Iterator[Path]:
    """A folder whose name has always the same length, so that lines fold alike."""
    folder = Path(tempfile.mkdtemp(prefix="n-", dir="/tmp"))
    try:
        (folder / "sheet.csv").write_text(SHEET + "\n")
        (folder / "night.csv").write_text(NIGHT + "\n")
        (folder / "faults.json").write_text(json.dumps({"faults": FAULTS}))
        yield folder
    finally:
        shutil.rmtree(folder)


def screens(size: tuple[int, int] | None) -> dict[str, str]:
    """The screen of each command at its end, without what no two nights have alike."""
    shown = {}
    with night() as folder:
        env = {"HOME": str(folder), "PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
        env["TZ"] = "UTC"
        for name, command in SHOWN.items():
            if size is None:
                ended = piped(folder, env, *command)
                text = ended.stderr + ended.stdout
            else:
                text = on_terminal(folder, *command, columns=size[0], rows=size[1], env=env).screen.text
            shown[name] = _alike(text)
    return shown


def _alike(text: str) -> str:
    text = _PROGRESS.sub("", text)
    text = _MOMENT.sub("TIME", _WHERE.sub("/tmp/n-XXXXXXXX", text))
    return re.sub(r", in (?:\d+ s|\d+ min|\d+ h \d+ min)\.", ", in N s.", text).rstrip() + "\n"


def _file(name: str, size: tuple[int, int] | None) -> Path:
    return SCREENS / f"{name}-{'pipe' if size is None else f'{size[0]}x{size[1]}'}.txt"


@pytest.mark.process
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_screens_are_as_they_were_read(size: tuple[int, int] | None) -> None:
    """Letter for letter."""
    for name, text in screens(size).items():
        assert text == _file(name, size).read_text(encoding="utf-8"), name


@pytest.mark.process
def test_nothing_else_lies_there() -> None:
    """A screen that no test shows any more is deleted."""
    assert {_file(name, size) for name in SHOWN for size in SIZES} == set(SCREENS.iterdir())


if __name__ == "__main__":
    for size in SIZES:
        for name, text in screens(size).items():
            _file(name, size).write_text(text, encoding="utf-8")
    sys.stdout.write(f"Written: {SCREENS}\n")
