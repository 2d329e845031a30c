"""The only place that prints: results on standard output, progress and messages on standard error.

Whatever comes out of a sheet or the API may hold control characters, or look like Rich's markup: it goes
through `clean`, and is printed as it stands.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from runner.cli.console.folding import folded

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod

    from runner.cli.console.table_layout import Brief

_WIDE = 10_000
"""Columns where there is no terminal: nothing is cut or wrapped for a file."""


@cache
def _kind() -> "type[Console]":
    from rich.console import Console

    class _Console(Console):
        """Rich's console, which leaves a closed pipe to us."""

        def on_broken_pipe(self) -> NoReturn:
            raise BrokenPipeError

    return _Console


def console(*, errors: bool = False) -> "Console":
    """Standard output, or standard error. Colours only on a terminal, and never with NO_COLOR.

    Rich is imported here: what goes into a file or a pipe has nothing to be drawn, and does without it.
    """
    stream = sys.stderr if errors else sys.stdout
    on_terminal = stream.isatty()
    return _kind()(
        file=stream,
        force_terminal=on_terminal,
        width=None if on_terminal else _WIDE,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=True,
    )


def draws(where: "Console") -> bool:
    """Whether lines can be redrawn there: TERM=dumb has no cursor to move."""
    return where.is_terminal and not where.is_dumb_terminal


def clean(text: str) -> str:
    """`text` on one line, with nothing that a terminal would act on."""
    if text.isprintable():
        return text
    return "".join(_visible(letter) for letter in text)


def _visible(letter: str) -> str:
    if letter.isprintable():
        return letter
    return " " if letter.isspace() and letter not in "\x1c\x1d\x1e\x1f\x85" else ascii(letter)[1:-1]


def short(text: str, length: int = 60) -> str:
    """`text` on one line, cut to `length`."""
    plain = clean(" ".join(text.split()))
    return plain if len(plain) <= length else plain[: length - 1] + "…"


_in_place: ContextVar[Callable[[str], str]] = ContextVar("in_place", default=str)


def commands_are(in_place: Callable[[str], str]) -> None:
    """From here on `in_place` rewrites each text that may name a command, so that it is safe to paste."""
    _in_place.set(in_place)


def shown(text: str) -> str:
    """`text` as it is printed: on one line, harmless, its commands for the database and API in use."""
    return clean(_in_place.get()(text))


def result(text: str = "", style: str = "") -> None:
    """A sentence on standard output, folded where that is a terminal."""
    _say(shown(text), style, errors=False)


def message(text: str, style: str = "") -> None:
    """The same on standard error."""
    _say(shown(text), style, errors=True)


def _say(text: str, style: str, *, errors: bool) -> None:
    stream = sys.stderr if errors else sys.stdout
    if not stream.isatty():
        stream.write(f"{text}\n")
        stream.flush()
        return
    from rich.text import Text

    where = console(errors=errors)
    for line in folded(text, where.width):
        where.print(Text(line, style=style))


def width(*, errors: bool = False) -> int | None:
    """The columns that lines to be worked through are folded at; None where neither a terminal nor COLUMNS
    says how many there are."""
    if (sys.stderr if errors else sys.stdout).isatty():
        return console(errors=errors).width
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isascii() and given.isdigit() and int(given) > 0 else None


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Sequence[str] = (),
    flowing: Sequence[str] = (),
    spare: Sequence[str] = (),
    brief: "Brief | None" = None,
    errors: bool = False,
) -> None:
    """A table on standard output, or error; `numbers` names the columns that are set to the right.

    No cell is broken over lines, but those of the `flowing` columns. Where a terminal is too narrow, `brief`
    makes cells shorter, and then the `spare` columns are left out, the first one first.
    """
    from rich.table import Table
    from rich.text import Text

    from runner.cli.console.table_layout import fitted

    where = console(errors=errors)
    cells = [[clean(str(cell)) for cell in row] for row in rows]
    if where.is_terminal:
        columns, cells, needed = fitted(columns, cells, where.width, flowing, spare, brief or {})
        where.width = max(where.width, needed)  # an id that is longer than a line is whole when it is copied
    made = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in columns:
        side: JustifyMethod = "right" if name in numbers else "left"
        made.add_column(Text(name), justify=side, overflow="fold", no_wrap=name not in flowing)
    for row in cells:
        made.add_row(*map(Text, row))
    where.print(made)


def as_json(value: Mapping[str, Any] | Sequence[Any], *, indent: int | None = 2) -> None:
    """A JSON document on standard output. ASCII only: whole in any encoding, harmless on a terminal."""
    sys.stdout.write(json.dumps(value, indent=indent, allow_nan=False) + "\n")
    sys.stdout.flush()


@contextmanager
def json_array() -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """A JSON array on standard output, written element by element."""
    before = "["

    def write(element: Mapping[str, Any]) -> None:
        nonlocal before
        sys.stdout.write(f"{before}\n{json.dumps(element, allow_nan=False)}")
        before = ","

    yield write
    sys.stdout.write("[]\n" if before == "[" else "\n]\n")
    sys.stdout.flush()


@contextmanager
def redrawn() -> Iterator[Callable[[Sequence[tuple[str, str]]], None]]:
    """Lines with their styles on standard output, redrawn on a terminal, and appended in a file."""
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    where = console()
    with Live(console=where, auto_refresh=False) if draws(where) else nullcontext() as live:

        def draw(lines: Sequence[tuple[str, str]]) -> None:
            # Folded by us: a line that the terminal folds by itself would be counted as one.
            texts = Group(
                *(Text(shown(line), style=style, no_wrap=False, overflow="fold") for line, style in lines)
            )
            if live is None:
                where.print(texts)
            else:
                live.update(texts, refresh=True)

        yield draw


def raw(data: bytes) -> None:
    """Bytes of an export on standard output; on a terminal as text without control characters."""
    if sys.stdout.isatty():
        lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
        sys.stdout.write("\n".join(clean(line) for line in lines))
        sys.stdout.flush()
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def is_interactive() -> bool:
    """Whether there is a person to ask: both the keyboard and standard error are a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> bool:
    """Put a question to the person at the terminal; only y or yes is a yes. Blocks."""
    from rich.text import Text

    console(errors=True).print(Text(f"{clean(question)} [y/N] ", style="bold"), end="")
    sys.stderr.flush()
    return _answer().strip().lower() in {"y", "yes"}


def _answer() -> str:
    # Not sys.stdin.readline: a thread that is left behind in it makes Python's own end fail.
    return os.read(sys.stdin.fileno(), 4096).decode(errors="replace")


def forget_output() -> None:
    """The reader of our output is gone: write nothing more, so that Python exits quietly, too."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
