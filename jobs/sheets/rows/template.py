"""Templates: `{name}` in an input stands for the row's cell of that name. Other braces stay as written."""

import re
from collections.abc import Mapping, Set

from jobs.sheets.row import Cell

_NAME = re.compile(r"\{([^{}]+)\}")


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
