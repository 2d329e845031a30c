"""What a pass over a sheet learns beside its jobs: the user's own columns, and what came of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jobs.catalog.foreign_inputs import instead_of
from jobs.problems import Problem, at
from jobs.sheets.row import is_blank
from jobs.sheets.rows.column_names import plain
from jobs.sheets.sheet import Sheet

LEFT_OUT_SHOWN = 8
"""Rows that are left out, of which the lines are named."""
_LOOKED_AT = 20
"""Jobs at the beginning whose own cells are looked at."""
_SIZE = re.compile(
    r"\s*(?:[0-9]{3,5}\s*(?:px)?\s*[x\u00d7*:]\s*[0-9]{3,5}\s*(?:px)?|[1248]k"
    r"|(?:1:1|16:9|9:16|4:3|3:4|3:2|2:3|4:5|5:4|21:9))\s*",
    re.IGNORECASE,
)


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
    _looks: dict[str, bool] = field(default_factory=dict)
    _looked_at: int = 0

    def look(self, cells: Mapping[str, str]) -> None:
        """See what the user's own cells of a job look like. Only the first jobs are looked at."""
        if self._looked_at < _LOOKED_AT:
            self._looked_at += 1
            for name, text in cells.items():
                if not is_blank(text):
                    is_size = _SIZE.fullmatch(text) is not None
                    self._looks[name] = is_size and self._looks.get(name, True)

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
            place = at(sheet.opened.file, sheet.opened.header_line, column=name)
            models = sorted(self.models)
            if instead := instead_of(plain(name), models):
                yield place.problem("The column is not sent.", instead)
            elif self._looks.get(name):
                hint = instead_of("dimensions", models) or ""
                yield place.problem("Its cells look like sizes, and the column is not sent.", hint)
