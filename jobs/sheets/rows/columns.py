"""The columns of a sheet: what each stands for, and which are the user's own."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jobs.problems import Problem, at
from jobs.sheets.opened import OpenedSheet, TableSheet
from jobs.sheets.row import Cell, Row
from jobs.sheets.rows.column_names import (
    ALSO_PROMPTS,
    PROMPT,
    known_inputs,
    known_names,
    plain,
    probable_name,
)
from jobs.suggestions import did_you_mean


@dataclass(frozen=True, slots=True)
class Columns:
    """Sorted once for the whole sheet. `known` has the canonical name of each column with a meaning.

    A misspelt column is a problem, and is still read under its probable name: its cells are validated too,
    and no row reports the column as missing. `otherwise` are those of another name that nobody misspelt.
    """

    known: Mapping[str, str]
    misspelt: Mapping[str, str]
    otherwise: Mapping[str, str] = field(default_factory=dict)

    def read_from(self, row: Row) -> Iterator[tuple[str, str]]:
        """The columns of a row that have a meaning, each with its canonical name."""
        known = self.known
        for column in row.cells:
            if column in known and self.misspelt.get(column) not in row.cells:
                yield column, known[column]

    def named(self, row: Row, name: str) -> tuple[str, Cell | None]:
        """The column that a canonical name has in a row, and its cell; None where the row has none."""
        if name in row.cells:
            return name, row.cells[name]
        for column, meant in self.known.items():
            if meant == name and column in row.cells:
                return column, row.cells[column]
        return name, None

    def own(self, row: Row) -> dict[str, str]:
        """The user's own cells."""
        return {
            column: cell if isinstance(cell, str) else "|".join(cell)
            for column, cell in row.cells.items()
            if column not in self.known
        }

    def misspellings(self, file: str, row: Row) -> Iterator[Problem]:
        """A problem for each column of a row that is misspelt."""
        for column in row.cells if self.misspelt else ():
            if meant := self.misspelt.get(column):
                hint = f"{did_you_mean(meant)} A column of your own needs a name that is less similar."
                yield at(file, row.line_of(column), column=column).problem("There is no such column.", hint)


def sort_columns(opened: OpenedSheet) -> Columns:
    """What the columns of a sheet stand for.

    In a header a known name may have capitals, and spaces or hyphens between its words, as long as only one
    column spells it. In a document, whose parts refer to names, it may not. A table without a column of
    prompts may have one under another word for them. A column that holds objects is nobody's slip.
    """
    names = frozenset(known_names())
    known = {column: column for column in opened.columns if column in names}
    if opened.header_line is not None:
        written = {column: plain(column) for column in opened.columns}
        times = Counter(written.values())
        known |= {column: name for column, name in written.items() if name in names and times[name] == 1}
    otherwise = _prompts_by_another_name(opened, known)
    known |= otherwise
    misspelt = {
        column: meant
        for column in opened.columns
        if column not in known and column not in opened.own and (meant := probable_name(column))
    }
    return Columns(known | misspelt, misspelt, otherwise)


def _prompts_by_another_name(opened: OpenedSheet, known: Mapping[str, str]) -> Mapping[str, str]:
    """The one column of a table that stands for the prompt, though it is called otherwise."""
    if not isinstance(opened, TableSheet):
        return {}
    if any(known_inputs().get(name) == PROMPT for name in known.values()):
        return {}
    also = [column for column in opened.columns if plain(column) in ALSO_PROMPTS]
    return {also[0]: PROMPT} if len(also) == 1 else {}
