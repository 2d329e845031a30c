"""Forms of rows: what to do with each column is decided once for all rows that have cells in the same ones.

A form reads what is sound, and nothing else. Where anything of a row may be a problem it says nothing at all,
and the row is put to its model as if there were no forms: every problem has one maker, `validate_row`. What
it does say is what that would have said, and each row still passes the model's own check.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import JsonValue

from jobs.catalog.spec import InputKind
from jobs.sheets.images.album import LocalImage
from jobs.sheets.opened import OpenedSheet, image_sets_of
from jobs.sheets.row import Cell, Row, is_blank
from jobs.sheets.rows.column_names import AGAIN, ID, MODEL
from jobs.sheets.rows.columns import Columns
from jobs.sheets.rows.image_cells import read_image_cell
from jobs.sheets.rows.inputs import read_value
from jobs.sheets.rows.keys import LONGEST_ID, beginning, digest, quoted, said
from jobs.sheets.rows.odd_texts import is_ordinary, may_be_no_value, odd_in_a_prompt, why_not_a_prompt
from jobs.sheets.rows.validate import BoundModel

_MOST_KEPT = 4096
"""Values of a column that are remembered, as long as they are short: columns of sizes and counts have few."""
_LONGEST_KEPT = 400
_MOST_FORMS = 200
"""Every row of a file of JSON lines may have columns of its own."""


class _Value(NamedTuple):
    """What a cell of an input says: the value, what is hashed of it, and its images of this computer."""

    value: JsonValue
    hashed: str
    files: tuple[LocalImage, ...]


class _Input(NamedTuple):
    """An input that has a column, with the place of what is hashed of it, and the values that were read."""

    column: str
    name: str
    place: int
    known: dict[Cell, _Value]


class FormInputs(NamedTuple):
    """The inputs of a row, which may be sent; its fingerprint; its warnings; its images of this computer."""

    inputs: dict[str, JsonValue]
    fingerprint: str
    warnings: tuple[str, ...]
    files: tuple[LocalImage, ...]


@dataclass(frozen=True, slots=True)
class RowForm:
    """A model, and the columns in which a row has cells. `id` and `own` are among these."""

    bound: BoundModel
    opened: OpenedSheet
    id: str | None
    own: tuple[str, ...]
    prompt: _Input
    inputs: tuple[_Input, ...]
    """All but the prompt."""
    values: Mapping[str, JsonValue]
    """All inputs in their order; those without a column have their values."""
    hashed: tuple[str, ...]
    """Of each input, sorted by names."""
    files: tuple[LocalImage, ...]
    """Of those without a column."""
    begins: str
    is_odd: Callable[[JsonValue], bool]

    def key(self, cells: Mapping[str, Cell]) -> str | None:
        """The text in the column of ids; None where it may be none."""
        cell = cells[self.id or ""]
        if type(cell) is not str:
            return None
        name = cell.strip()
        if not name or len(name) > LONGEST_ID or not name.isprintable():
            return None
        return None if may_be_no_value(name) else name

    def read(self, cells: Mapping[str, Cell], again: str) -> FormInputs | None:
        """What a row says, where all of it is sound; None where something may not be."""
        values, hashed, files = {**self.values}, [*self.hashed], self.files
        for column, name, place, known in self.inputs:
            cell = cells[column]
            found = known.get(cell) or self._value(name, cell, known)
            if found is None:
                return None
            values[name], hashed[place], more = found
            if more:
                files += more
        column, name, place, _ = self.prompt
        text = cells[column]
        if type(text) is not str:
            return None
        warnings: tuple[str, ...] = ()
        if not is_ordinary(text):
            if "{" in text or is_blank(text) or why_not_a_prompt(text):
                return None
            warnings = tuple(odd_in_a_prompt(text))
        values[name] = text
        spec = self.bound.spec
        if not spec.takes(values):
            return None
        hashed[place] += quoted(text)
        if found_by_rules := spec.warnings(values):
            warnings += tuple(f"{one.message} {one.hint}".rstrip() for one in found_by_rules)
        return FormInputs(values, digest(self.begins, ",".join(hashed), again), warnings, files)

    def _value(self, name: str, cell: Cell, known: dict[Cell, _Value]) -> _Value | None:
        found = _read(self.bound, self.opened, name, cell, self.is_odd)
        texts = (cell,) if isinstance(cell, str) else cell
        if found is not None and len(known) < _MOST_KEPT and sum(map(len, texts)) <= _LONGEST_KEPT:
            known[cell] = found
        return found


class RowForms:
    """The forms of one sheet's rows, made as they are met."""

    def __init__(self, opened: OpenedSheet, columns: Columns, is_odd: Callable[[JsonValue], bool]) -> None:
        self._opened, self._columns, self._is_odd = opened, columns, is_odd
        models = [column for column, name in columns.known.items() if name == MODEL]
        self._model = models[0] if models else MODEL
        self._closed = len(models) > 1 or bool(columns.misspelt)
        self._forms: dict[tuple[Cell | None, ...], RowForm | None] = {}

    def of(self, row: Row) -> RowForm | None:
        """The row's form; None where it has none, or none yet."""
        if row.refused:
            return None
        cells = row.cells
        return self._forms.get((cells.get(self._model), *cells))

    def learn(self, row: Row, bound_by_name: Callable[[Cell | None], BoundModel | None]) -> None:
        """Make the form of a row that had none; `bound_by_name` gives the model by the cell that names it."""
        if self._closed or row.refused or len(self._forms) >= _MOST_FORMS:
            return
        model = row.cells.get(self._model)
        place = (model, *row.cells)
        if place not in self._forms and (bound := bound_by_name(model)) is not None:
            self._forms[place] = self._form(row, bound)

    def _form(self, row: Row, bound: BoundModel) -> RowForm | None:
        columns, fields, spec = self._columns, bound.fields, bound.spec
        pairs = {column: fields.get(name, name) for column, name in columns.read_from(row)}
        names = [name for name in pairs.values() if name in spec.fields]
        others = set(pairs.values()) - set(spec.fields) - {ID, MODEL, AGAIN}
        if bound.cell_problems or bound.refused or others or len(set(names)) < len(names):
            return None
        values: dict[str, JsonValue] = {}
        files: tuple[LocalImage, ...] = ()
        for name, default in bound.defaults.items():
            found = None if name in names else _read(bound, self._opened, name, default.cell, self._is_odd)
            if found is None and name not in names:
                return None
            values[name] = None if found is None else found.value
            files += () if found is None else found.files
        values |= dict.fromkeys(names)
        count = spec.vocabulary.get("count")
        if count is not None:
            values.setdefault(count, spec.fields[count].default)
        order = sorted(values)
        hashed = [quoted(name) + ":" if name in names else said(name, values[name]) for name in order]
        inputs = [
            _Input(column, name, order.index(name), {})
            for column, name in pairs.items()
            if name in spec.fields
        ]
        prompts = [one for one in inputs if one.name == spec.vocabulary["prompt"]]
        if len(prompts) != 1 or columns.named(row, MODEL)[1] != row.cells.get(self._model):
            return None
        return RowForm(
            bound,
            self._opened,
            None if columns.named(row, ID)[1] is None else columns.named(row, ID)[0],
            tuple(column for column in row.cells if column not in columns.known),
            prompts[0],
            tuple(one for one in inputs if one is not prompts[0]),
            values,
            tuple(hashed),
            files,
            beginning(spec.model_id),
            self._is_odd,
        )


def _read(
    bound: BoundModel, opened: OpenedSheet, name: str, cell: Cell, is_odd: Callable[[JsonValue], bool]
) -> _Value | None:
    """The value of an input's cell; None where anything of it is odd, or where names in braces may be."""
    texts: Sequence[str] = (cell,) if isinstance(cell, str) else cell
    if not texts or any("{" in text for text in texts) or (isinstance(cell, str) and is_blank(cell)):
        return None
    field = bound.spec.fields[name]
    if field.kind is not InputKind.LIST:
        value = read_value(cell, field)
        return None if value is None else _Value(value, said(name, value), ())
    read = read_image_cell(cell, image_sets_of(opened), opened.album)
    if read.wrong or read.warnings or not read.values or is_odd([*read.values]):
        return None
    values: list[JsonValue] = [*read.values]
    return _Value(values, said(name, values), tuple(read.files))
