"""Priorities of a sheet's jobs: a number in a column, higher first; an empty cell is 0."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.problems import Problem, at, excerpt
from jobs.sheets.opened import OpenedSheet
from jobs.sheets.row import Cell
from jobs.suggestions import closest, did_you_mean

PRIORITY = "priority"
"""The default column. It may be a column of the user's own, so its cells need not be numbers."""


@dataclass(frozen=True, slots=True)
class Priorities:
    """`column` None: all jobs have the same. `named` by the user: then an invalid cell is a problem."""

    column: str | None
    named: bool

    def problems(self, opened: OpenedSheet) -> Sequence[Problem]:
        """The problems of the column itself."""
        if not self.named or self.column in opened.columns:
            return ()
        meant = excerpt(closest(self.column or "", opened.columns))
        hint = did_you_mean(meant, "--priority-by names a column of the sheet.")
        place = at(opened.file, opened.header_line, column=self.column)
        return (place.problem("There is no such column.", hint),)

    def of(self, cell: Cell | None) -> tuple[float, str | None]:
        """The priority in a cell, and what is wrong with the cell."""
        if cell is None:
            return 0.0, None
        try:
            value = float(cell) if isinstance(cell, str) else math.nan
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value, None
        return 0.0, f"The priority {excerpt(cell)} is no number: it counts as 0."


def priorities_of(opened: OpenedSheet, named: str | None) -> Priorities:
    """By the named column, else by the default one where the sheet has it."""
    usual = PRIORITY if PRIORITY in opened.columns else None
    return Priorities(named or usual, named is not None)
