"""From the cells of a row to the values that a model's check takes, by the API's own field names."""

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from jobs.catalog.spec import InputField, InputKind, ModelSpec
from jobs.problems import Location, at, excerpt
from jobs.sheets.images.album import NOWHERE, Album, LocalImage
from jobs.sheets.row import Cell, Row, is_blank
from jobs.sheets.rows.image_cells import ImageSets, read_image_cell
from jobs.sheets.rows.odd_texts import is_nothing, odd_in_a_prompt, why_not_a_prompt, why_not_a_value
from jobs.sheets.rows.template import fill, partly_filled, unfilled
from jobs.suggestions import match_choice

# Spreadsheets and data frames write a column of whole numbers with gaps as 3.0.
_WHOLE = re.compile(r"([+-]?[0-9]{1,20})(?:\.0*)?")
_A_STYLE = (
    "Name another column. In a file of styles, which has the columns name, prompt and negative_prompt alone, "
    "it is where the subject goes, and --subject TEXT gives one."
)


class GivenCell(NamedTuple):
    """A cell that a field takes its value from: its column, its content and its place.

    `file` is None for the sheet itself.
    """

    column: str
    cell: Cell
    line: int
    file: str | None = None

    def at(self, sheet: str, value: object) -> Location:
        """Where this cell stands; `value` is the part of it, or what was made of it, that is meant."""
        return at(self.file or sheet, self.line, column=self.column, value=value)


@dataclass(frozen=True, slots=True)
class CellProblem:
    """A problem of one given cell, found before the model's own check.

    `value` is the part of the cell that it is about; None for all of it.
    """

    given: GivenCell
    message: str
    hint: str = ""
    value: str | None = None


@dataclass(slots=True)
class InputValues:
    """Values by API field, and the problems of the cells that have none.

    `refused` are the fields with a problem: their absence is not a second one. `files` are the images of this
    computer that the values name, `named` the columns that a `{name}` put into one.
    """

    values: dict[str, object] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    cell_problems: list[CellProblem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    files: list[LocalImage] = field(default_factory=list)
    named: set[str] = field(default_factory=set)


def cells_by_field(
    row: Row, columns: Iterable[tuple[str, str]]
) -> tuple[dict[str, GivenCell], list[CellProblem]]:
    """The cell of a row for each field, from pairs of column and field. Two cells for one are a problem."""
    given: dict[str, GivenCell] = {}
    cell_problems: list[CellProblem] = []
    cells, line = row.cells, row.line
    has_places = bool(row.lines or row.files)  # not in a table, whose rows stand on one line of one file
    for column, name in columns:
        cell = (
            GivenCell(column, cells[column], row.line_of(column), row.files.get(column))
            if has_places
            else GivenCell(column, cells[column], line)
        )
        earlier = given.setdefault(name, cell)
        if earlier is not cell:
            message = f"{excerpt(earlier.column)} and {excerpt(column)} are two names for the same input."
            cell_problems.append(CellProblem(cell, message, "Give one of them."))
    return given, cell_problems


def read_values(
    spec: ModelSpec,
    given: Mapping[str, GivenCell],
    columns: Set[str],
    cells: Mapping[str, Cell],
    image_sets: ImageSets,
    album: Album = NOWHERE,
) -> InputValues:
    """The value of each given field; and the page's count, where a model makes a series and none is given.

    `columns` are the names that `{name}` may refer to, `cells` their content in this job.
    """
    made = InputValues()
    prompt = spec.vocabulary["prompt"]
    for name, source in given.items():
        cell = source.cell
        value: object = None
        if type(cell) is not str or "{" in cell:
            cell, value = _filled_in(made, source, columns, cells)
        if not cell or (type(cell) is str and cell.isspace()):
            continue
        if value is None and spec.fields[name].kind is InputKind.LIST:
            _read_pictures(made, name, source, cell, image_sets, album)
            continue
        value = value or _value(cell, spec.fields[name])
        if name == prompt and type(value) is str:
            made.warnings += unfilled(value, columns)
            value = _prompt(made, value)
        if isinstance(value, _Refusal):
            made.cell_problems.append(CellProblem(source, value.message, value.hint))
            made.refused.add(name)
        else:
            made.values[name] = value
    count = spec.vocabulary.get("count")
    if count is not None and count not in made.values and count not in made.refused:
        made.values[count] = spec.fields[count].default
    return made


def _read_pictures(
    made: InputValues, name: str, source: GivenCell, cell: Cell, image_sets: ImageSets, album: Album
) -> None:
    read = read_image_cell(cell, image_sets, album)
    made.cell_problems += [CellProblem(source, message, hint, value) for value, message, hint in read.wrong]
    made.warnings += read.warnings
    made.files += read.files
    if read.wrong or not read.values:  # no value: an empty image set, reported where it is written
        made.refused.add(name)
    else:
        made.values[name] = read.values


@dataclass(frozen=True, slots=True)
class _Refusal:
    message: str
    hint: str = ""


def _self_reference(source: GivenCell) -> _Refusal | None:
    texts = (source.cell,) if isinstance(source.cell, str) else source.cell
    if any(f"{{{source.column}}}" in text for text in texts):
        hint = _A_STYLE if source.column.strip().lower() == "prompt" else "Name another column."
        return _Refusal(f"{{{excerpt(source.column)}}} stands for this cell itself.", hint)
    return None


def _filled_in(
    made: InputValues, source: GivenCell, columns: Set[str], cells: Mapping[str, Cell]
) -> tuple[Cell, _Refusal | None]:
    """The cell with its names replaced, or why it is refused. Warns of names that stand for nothing."""
    named: set[str] = set()
    for text in (source.cell,) if isinstance(source.cell, str) else source.cell:
        made.warnings += partly_filled(text, columns)
    cell, empty = _filled(source.cell, columns, cells, named)
    column = excerpt(source.column)
    made.warnings.extend(
        f"{{{excerpt(gap)}}} in {column} is an empty cell: nothing is put in its place." for gap in empty
    )
    refusal = _self_reference(source)
    for name in sorted(named):
        part = cells.get(name, "")
        if refusal is None and (odd := why_not_a_value(part)):
            refusal = _Refusal(f"{{{excerpt(name)}}}: {odd[0]}", odd[1])
        if isinstance(part, str) and is_nothing(part):
            word = f"{part.strip()}, a program's word for an empty cell, and is sent as it stands."
            made.warnings.append(f"{{{excerpt(name)}}} in {column} is {word}")
    made.named |= named
    return cell, refusal


def _prompt(made: InputValues, text: str) -> str | _Refusal:
    """The prompt, or why nobody means it; adds what is odd about it to the warnings."""
    if odd := why_not_a_prompt(text):
        return _Refusal(*odd)
    made.warnings += odd_in_a_prompt(text)
    return text


def _filled(
    cell: Cell, columns: Set[str], cells: Mapping[str, Cell], named: set[str]
) -> tuple[Cell, tuple[str, ...]]:
    if isinstance(cell, str):
        text, empty = fill(cell, columns, cells, named)
        return ("" if is_blank(text) else text), empty
    filled = [fill(text, columns, cells, named) for text in cell]
    return tuple(text for text, _ in filled), tuple(name for _, gaps in filled for name in gaps)


def read_value(cell: Cell, field: InputField) -> str | int | None:
    """The value of a cell without names in braces, of an input that is no list; None where it is refused."""
    value = _value(cell, field)
    return None if isinstance(value, _Refusal) else value


def _value(cell: Cell, field: InputField) -> str | int | _Refusal:
    """The value, or a refusal. The model's own check rejects texts that are no number and no choice."""
    if not isinstance(cell, str):
        return _Refusal("One value is needed here, not a list.")
    if field.kind is InputKind.WHOLE_NUMBER:
        whole = _WHOLE.fullmatch(cell.strip())
        return int(whole.group(1)) if whole else cell
    if field.choices:
        return match_choice(cell, field.words) or cell
    return cell
