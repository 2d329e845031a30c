"""Validates a row against a model: the inputs to send, or every problem in its place."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from pydantic import JsonValue

from jobs.catalog.foreign_inputs import word_elsewhere
from jobs.catalog.registry import MODELS
from jobs.catalog.spec import Finding, ModelSpec
from jobs.problems import Problem, at, excerpt
from jobs.sheets.images.album import LocalImage
from jobs.sheets.opened import DocumentSheet, OpenedSheet, image_sets_of
from jobs.sheets.row import Cell, Row
from jobs.sheets.rows.column_names import AGAIN, ID, MODEL, fields_of, plain, word_for
from jobs.sheets.rows.columns import Columns
from jobs.sheets.rows.inputs import CellProblem, GivenCell, InputValues, cells_by_field, read_values


@dataclass(frozen=True, slots=True)
class BoundModel:
    """A model as one sheet uses it: the names of its fields, and their defaults.

    `cells` are the cells of the defaults, `own` those of the user's own columns, `refused` the columns that
    could not be read. `headings` has the column of each field, where the sheet names its columns once.
    """

    spec: ModelSpec
    fields: Mapping[str, str]
    defaults: Mapping[str, GivenCell]
    cell_problems: tuple[CellProblem, ...]
    cells: Mapping[str, Cell]
    own: Mapping[str, str]
    refused: Set[str]
    headings: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class ValidatedRow:
    """The inputs to send for a row, None where there are problems; the images of this computer that they
    name, and the columns that a `{name}` put into one."""

    inputs: dict[str, JsonValue] | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    files: tuple[LocalImage, ...] = ()
    named: Set[str] = frozenset()


def bind_model(spec: ModelSpec, columns: Columns, opened: OpenedSheet) -> BoundModel:
    """Prepare a model for a sheet, once.

    Defaults for all jobs that the model has no field for are skipped; among the model's own they are a
    problem. Its own take precedence, by whatever name of an input.
    """
    fields = fields_of(spec)
    given: dict[str, GivenCell] = {}
    cell_problems: list[CellProblem] = []
    rows = _defaults(opened, spec.model_id)
    for row in rows:
        named = list(columns.read_from(row))
        more, wrong = cells_by_field(
            row, [(column, fields[name]) for column, name in named if name in fields]
        )
        given |= more
        cell_problems += wrong
        for column, name in named if row is not rows[0] else ():
            if name not in fields and name not in (MODEL, AGAIN):
                cell_problems.append(
                    CellProblem(
                        GivenCell(column, row.cells[column], row.line_of(column)), *_no_input(spec, name)
                    )
                )
    cells = {name: cell for row in rows for name, cell in row.cells.items()}
    own = {name: text for row in rows for name, text in columns.own(row).items()}
    refused = {name for row in rows for name in row.refused}
    headings = None
    if opened.header_line is not None:
        headings = {
            fields[name]: columns.misspelt.get(column, column)
            for column, name in columns.known.items()
            if name in fields
        }
    return BoundModel(spec, fields, given, tuple(cell_problems), cells, own, refused, headings)


def _defaults(opened: OpenedSheet, model_id: str) -> Sequence[Row]:
    """The defaults for all jobs of a document, then those of the model."""
    if not isinstance(opened, DocumentSheet):
        return ()
    own = opened.model_defaults.get(model_id)
    return (opened.defaults,) if own is None else (opened.defaults, own)


def validate_row(
    row: Row, bound: BoundModel, columns: Columns, names: frozenset[str], opened: OpenedSheet
) -> ValidatedRow:
    """All problems of a row's inputs at once, or the inputs as they would be sent.

    `names` are the sheet's columns, which `{name}` may refer to.
    """
    file, spec, fields = opened.file, bound.spec, bound.fields
    pairs: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for column, name in columns.read_from(row):
        if name in fields:
            pairs.append((column, fields[name]))
        elif name not in (ID, MODEL, AGAIN):
            problems.append(_without_field(file, row, column, name, spec))
    given, cell_problems = cells_by_field(row, pairs)
    if bound.defaults:
        given = {**{name: _placed(default, row) for name, default in bound.defaults.items()}, **given}
    cells = {**bound.cells, **row.cells} if bound.cells else row.cells
    made = read_values(spec, given, names, cells, image_sets_of(opened), opened.album)
    if unread := row.refused | bound.refused:
        made.refused.update(
            fields[columns.known[name]] for name in unread if columns.known.get(name) in fields
        )
    checked = spec.check(made.values)
    problems += [
        _problem(file, cell_problem)
        for cell_problem in (*bound.cell_problems, *cell_problems, *made.cell_problems)
    ]
    if checked.problems:
        problems += _problems(row, checked.problems, made, given, bound, opened)
    warnings = (*made.warnings, *(f"{found.message} {found.hint}".rstrip() for found in checked.warnings))
    inputs = None if problems else checked.inputs
    return ValidatedRow(inputs, tuple(problems), warnings, tuple(made.files), made.named)


def _placed(default: GivenCell, row: Row) -> GivenCell:
    """A default with a name in braces differs from row to row, so its problems are those of the row."""
    texts = (default.cell,) if isinstance(default.cell, str) else default.cell
    return default._replace(line=row.line) if any("{" in text for text in texts) else default


def _without_field(file: str, row: Row, column: str, name: str, spec: ModelSpec) -> Problem:
    return row.at(file, column).problem(*_no_input(spec, name))


def _no_input(spec: ModelSpec, name: str) -> tuple[str, str]:
    others = [other.model_id for other in MODELS.values() if name in fields_of(other)]
    hint = f"Leave the cell empty, or take a model that has it: {', '.join(others)}."
    return f"{spec.model_id} has no input for this.", hint


def _problem(file: str, cell_problem: CellProblem) -> Problem:
    value = cell_problem.given.cell if cell_problem.value is None else cell_problem.value
    return cell_problem.given.at(file, value).problem(cell_problem.message, cell_problem.hint)


def _problems(
    row: Row,
    findings: tuple[Finding, ...],
    made: InputValues,
    given: Mapping[str, GivenCell],
    bound: BoundModel,
    opened: OpenedSheet,
) -> Iterator[Problem]:
    """The model's findings in the sheet's words, without those that are reported elsewhere."""
    file, headings = opened.file, bound.headings
    reported_in_their_set = {address for addresses in image_sets_of(opened).values() for address in addresses}
    for finding in findings:
        if finding.field in made.refused:
            continue
        if isinstance(finding.value, str) and finding.value in reported_in_their_set:
            continue
        word = word_for(bound.spec, finding.field)
        if headings is not None and finding.field not in headings and finding.field not in given:
            lacks = f"The sheet has no such column, which {bound.spec.model_id} needs."
            yield at(file, opened.header_line, column=word).problem(lacks, _by_another_name(word, opened))
            continue
        heading = word if headings is None else headings.get(finding.field, word)
        source = given.get(finding.field, GivenCell(heading, "", row.line))
        yield source.at(file, finding.value).problem(finding.message, finding.hint)


def _by_another_name(word: str, opened: OpenedSheet) -> str:
    """How to get a column that is missing: another may be called so in another language or program."""
    other = [name for name in opened.columns if word_elsewhere(plain(name)) == word]
    return f"Rename {excerpt(other[0])} to {word}." if len(other) == 1 else f"Add a column {word}."
