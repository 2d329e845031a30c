"""What a pass over a sheet learns beside its jobs: the user's own columns, and what came of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from jobs.catalog.foreign_inputs import instead_of
from jobs.problems import Problem, at
from jobs.sheets.rows.column_names import plain
from jobs.sheets.sheet import Sheet

LEFT_OUT_SHOWN = 8
"""Rows that are left out, of which the lines are named."""


@dataclass(slots=True)
class Survey:
    """Filled while a sheet is planned.

    `own` are the columns that mean nothing to a model, `named` the columns that a `{name}` put into an input,
    `models` the models of the jobs. `otherwise` are the columns that are read under another name, with that.
    `left_out` counts the rows that are no job, `left_out_rows` are the first of them.
    """

    own: tuple[str, ...] = ()
    named: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    otherwise: dict[str, str] = field(default_factory=dict)
    left_out: int = 0
    left_out_rows: list[int] = field(default_factory=list)

    @property
    def unsent(self) -> list[str]:
        """The columns of which nothing is sent."""
        return [name for name in self.own if name not in self.named]

    def warnings(self, sheet: Sheet) -> Iterator[Problem]:
        """What is odd about the sheet as a whole, once it was planned."""
        yield from sheet.opened.warnings
        if self.left_out:
            rows = ", ".join(map(str, self.left_out_rows))
            more = ", ..." if self.left_out > len(self.left_out_rows) else ""
            is_one = self.left_out == 1
            left = (
                "1 row is left out, because it has"
                if is_one
                else f"{self.left_out:,} rows are left out, because they have"
            )
            yield at(sheet.opened.file).problem(f"{left} no words to send: {rows}{more}")
        for name in self.unsent:
            if name in sheet.opened.own:
                continue
            if instead := instead_of(plain(name), sorted(self.models)):
                place = at(sheet.opened.file, sheet.opened.header_line, column=name)
                yield place.problem("The column is not sent.", instead)
