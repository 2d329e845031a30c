"""What a pass over a sheet learns beside its jobs: the user's own columns, and what came of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from jobs.catalog.foreign_inputs import instead_of
from jobs.problems import Problem, at
from jobs.sheets.rows.column_names import plain
from jobs.sheets.sheet import Sheet


@dataclass(slots=True)
class Survey:
    """Filled while a sheet is planned.

    `own` are the columns that mean nothing to a model, `named` the columns that a `{name}` put into an input,
    `models` the models of the jobs. `otherwise` are the columns that are read under another name, with that.
    """

    own: tuple[str, ...] = ()
    named: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    otherwise: dict[str, str] = field(default_factory=dict)

    @property
    def unsent(self) -> list[str]:
        """The columns of which nothing is sent."""
        return [name for name in self.own if name not in self.named]

    def warnings(self, sheet: Sheet) -> Iterator[Problem]:
        """What is odd about the sheet as a whole, once it was planned."""
        yield from sheet.opened.warnings
        for name in self.unsent:
            if name in sheet.opened.own:
                continue
            if instead := instead_of(plain(name), sorted(self.models)):
                place = at(sheet.opened.file, sheet.opened.header_line, column=name)
                yield place.problem("The column is not sent.", instead)
