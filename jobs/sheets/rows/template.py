"""Templates: `{name}` in an input stands for the row's cell of that name. Other braces stay as written."""

import re
from collections.abc import Iterator, Mapping, Set

from jobs.problems import excerpt
from jobs.sheets.row import Cell
from jobs.suggestions import closest, did_you_mean

_NAME = re.compile(r"\{([^{}]+)\}")
_ALONE = re.compile(r"(?<![{$])\{([^{}]+)\}")
_OTHERWISE = re.compile(r"((?:\{|\$)\{([^{}]+)\}\}?)")
_LIKE_A_NAME = re.compile(r"\s*[^\W\d][\w-]*(?: [\w-]+){0,2}\s*")
_MOST_COMPARED = 200
"""Columns that a name is compared with: every row may have one."""


def fill(
    text: str, columns: Set[str], cells: Mapping[str, Cell], named: set[str] | None = None
) -> tuple[str, tuple[str, ...]]:
    """The text with its names replaced, and the named columns that are empty in this row.

    Replaced text is not expanded again: a cell with braces in it stays as it is. The columns that are named
    are added to `named`.
    """
    if "{" not in text:
        return text, ()
    empty: list[str] = []
    seen = set() if named is None else named

    def put(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in columns:
            return match.group()
        seen.add(name)
        cell = cells.get(name)
        if cell is None:
            empty.append(name)
            return ""
        return cell if isinstance(cell, str) else "|".join(cell)

    return _NAME.sub(put, text), tuple(empty)


def unfilled(text: str, columns: Set[str]) -> Iterator[str]:
    """What a warning says of each `{name}` that no column has: it is sent with its braces."""
    for name in dict.fromkeys(_ALONE.findall(text)) if "{" in text else ():
        if name not in columns and len(name) <= 40 and _LIKE_A_NAME.fullmatch(name):
            meant = closest(name, sorted(columns)[:_MOST_COMPARED])
            hint = did_you_mean(None if meant is None else f"{{{excerpt(meant)}}}")
            told = f"No column is called {excerpt(name)}, so {{{excerpt(name)}}} is sent as it stands."
            yield f"{told} {hint}".rstrip()


def partly_filled(text: str, columns: Set[str]) -> Iterator[str]:
    """What a warning says of `{{name}}` and `${name}`, as other programs write it: a part of it is sent."""
    for written, name in _OTHERWISE.findall(text) if "{{" in text or "${" in text else ():
        if name in columns:
            named = f"{{{excerpt(name)}}}"
            yield f"{excerpt(written)}: only {named} is replaced, and the rest is sent. Write {named}."
