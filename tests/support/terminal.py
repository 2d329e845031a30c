"""The real command on a terminal of some size: what a person's screen shows of it, as text.

The screen is kept as a terminal keeps it, as far as our output goes: lines that scroll, a cursor that moves
up and to the start of a line, erasing, and folding at the right edge. Anything else on it fails the test.
"""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.cells import cell_len

_STEP = re.compile(r"\x1b\[(\??)([\d;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)|(.)", re.DOTALL)
LONGEST_SECONDS = 60.0


@dataclass
class Screen:
    """What was written, as a terminal of `columns` shows it; `coloured` is whether any of it has a colour."""

    columns: int
    lines: list[str] = field(default_factory=lambda: [""])
    row: int = 0
    column: int = 0
    coloured: bool = False
    hidden: bool = False
    """Whether the cursor is hidden."""

    def write(self, text: str) -> None:
        for found in _STEP.finditer(text):
            private, numbers, verb, control, letters, other = found.groups()
            if letters:
                for letter in letters:
                    self._put(letter)
            elif control == "\r":
                self.column = 0
            elif control == "\n":
                self._down()
            else:
                assert verb, f"nobody knows {other!r}"
                self._obey(private, numbers, verb)

    def _obey(self, private: str, numbers: str, verb: str) -> None:
        many = int(numbers or 1) if numbers.isdigit() or not numbers else 1
        match verb:
            case "m":
                codes = [int(number or 0) for number in numbers.split(";")]
                self.coloured = self.coloured or any(code >= 30 for code in codes)
            case "A":
                self.row = max(0, self.row - many)
            case "K":
                line = self.lines[self.row]
                self.lines[self.row] = "" if numbers == "2" else line[: self.column]
            case "h" | "l" if private:
                self.hidden = verb == "l"
            case _:
                raise AssertionError(f"nobody knows ESC [ {private}{numbers}{verb}")

    def _put(self, letter: str) -> None:
        wide = cell_len(letter)
        if self.column + wide > self.columns:
            self._down()
            self.column = 0
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[: self.column] + letter + line[self.column + wide :]
        self.column += wide

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines)


@dataclass(frozen=True)
class OnTerminal:
    """A command that has ended on a terminal: its exit code, and its screen after each write."""

    code: int
    screen: Screen
    shown: Sequence[str]
    """The screen's text as it was after each piece of output."""
    written: str
    """All that was written, without colours."""


def on_terminal(
    folder: Path,
    *arguments: str,
    columns: int,
    rows: int,
    env: Mapping[str, str],
    type_at: Callable[[str], str | None] = lambda _text: None,
) -> OnTerminal:
    """Run the command to its end. `type_at` sees the screen, and says what a person types, if anything."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    kept = {name: value for name, value in env.items() if name not in {"COLUMNS", "LINES"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "runner.cli", *arguments],
        cwd=folder,
        env={"TERM": "xterm-256color", **kept},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_the_terminal,
    )
    os.close(theirs)
    screen, shown, written = Screen(columns), list[str](), ""
    until = time.monotonic() + LONGEST_SECONDS
    held = b""
    try:
        while select.select([ours], [], [], max(0.0, until - time.monotonic()))[0]:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says so when the last one has closed it
                piece = b""
            if not piece:
                break
            held += piece
            whole = held.decode("utf-8", "ignore")
            if whole.encode() != held or re.search(r"\x1b(\[[\d;?]*)?$", whole):
                continue  # the end of a letter, or of a sequence, is still to come
            held = b""
            screen.write(whole)
            written += re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", whole)
            shown.append(screen.text)
            if (typed := type_at(screen.text)) is not None:
                os.write(ours, typed.encode())
        code = process.wait(10)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return OnTerminal(code, screen, shown, written)


def _take_the_terminal() -> None:
    """Ctrl-C reaches the process only if the terminal is its own."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
