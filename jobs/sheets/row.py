"""Rows: text cells by the names of their columns, each with its line in the file."""

from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import Any, NamedTuple

from jobs.problems import Location, at

Cell = str | tuple[str, ...]
"""Text as written, or a list of texts. Its column decides what it means: a number, a size, an address."""


_NONE: Mapping[str, Any] = MappingProxyType({})


class Row(NamedTuple):
    """One job as it was written. Empty cells are left out.

    `line` is where the row begins, as an editor counts. `lines` has the line of each cell that has its own,
    `files` the file of each cell that stands in another one. `refused` are columns whose value could not be
    read, for which a problem is reported already. `expanded`: one of many rows written as one on this line.
    `warnings` are what its reader found odd. `left_out`: it says nothing to be sent, and was never meant to.
    """

    line: int
    cells: Mapping[str, Cell]
    lines: Mapping[str, int] = _NONE
    refused: Set[str] = frozenset()
    files: Mapping[str, str] = _NONE
    expanded: bool = False
    warnings: tuple[str, ...] = ()
    left_out: bool = False

    def line_of(self, column: str) -> int:
        """The line of a cell."""
        return self.lines.get(column, self.line)

    def at(self, sheet: str, column: str) -> Location:
        """The place of a cell, in the sheet called `sheet` or in the file that the cell comes from."""
        file = self.files.get(column, sheet)
        return at(file, self.line_of(column), column=column, value=self.cells.get(column))


def is_blank(text: str) -> bool:
    """Whether a cell is empty."""
    return not text or text.isspace()
