"""What every format hands over: rows of text cells, each with the line its writer finds it on."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from jobs.problems import Location, at

Cell = str | tuple[str, ...]
"""Text as written, or a list of such. What it means (a number, a size, an address) its column decides."""


@dataclass(frozen=True, slots=True)
class Row:
    """One job as it was written. Empty cells are left out.

    `line` is where the row begins, as an editor counts; `lines` where a cell stands on a line of its own.
    `files` has the file of a cell that stands in another one. `refused` are columns whose value could not be
    read, which has been told. `expanded`: one of the many that were written as one on this line.
    """

    line: int
    cells: Mapping[str, Cell]
    lines: Mapping[str, int] = field(default_factory=dict)
    refused: Set[str] = frozenset()
    files: Mapping[str, str] = field(default_factory=dict)
    expanded: bool = False

    def line_of(self, column: str) -> int:
        """The line of a cell."""
        return self.lines.get(column, self.line)

    def at(self, sheet: str, column: str) -> Location:
        """The place of a cell, in the sheet called `sheet` or in the file that the cell comes from."""
        file = self.files.get(column, sheet)
        return at(file, self.line_of(column), column=column, value=self.cells.get(column))


def is_blank(text: str) -> bool:
    """Whether a cell says nothing."""
    return not text or text.isspace()
