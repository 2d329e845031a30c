"""plan(): one pass over a sheet. Each row becomes a job, or the problems that prevent one."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import JsonValue

from jobs.catalog.address_dates import holds_until, is_page
from jobs.catalog.registry import MODELS, find
from jobs.problems import Problem, at, excerpt
from jobs.sheets.opened import DocumentSheet, OpenedSheet
from jobs.sheets.planned import PlannedJob
from jobs.sheets.row import Cell, Row
from jobs.sheets.rows.column_names import AGAIN, ID, IMAGES, MODEL, unknown_model
from jobs.sheets.rows.columns import sort_columns
from jobs.sheets.rows.forms import FormInputs, RowForms
from jobs.sheets.rows.keys import Keys, fingerprint, why_not_an_id
from jobs.sheets.rows.odd_texts import why_not_a_value
from jobs.sheets.rows.priorities import priorities_of
from jobs.sheets.rows.template import fill
from jobs.sheets.rows.validate import BoundModel, bind_model, validate_row
from jobs.sheets.sheet import Sheet, no_job
from jobs.sheets.survey import LEFT_OUT_SHOWN, Survey

SEEDS = 2**31
"""Seeds are drawn from 0 to 2147483647: the pages name no range, and services keep this one intact."""


def plan(
    sheet: Sheet,
    rng: random.Random,
    priority_by: str | None = None,
    *,
    survey: Survey | None = None,
    now: datetime | None = None,
) -> Iterator[PlannedJob | Problem]:
    """Every job of the sheet in order, and every problem where it occurs. Raises nothing.

    Memory grows by one key a row. `rng` draws the seed where a model has one and the row gives none;
    `priority_by` names the column of priorities. A sheet with any problem must not be loaded, even where
    jobs came before it. `survey` takes what is learnt of the sheet as a whole; addresses that have run out by
    `now` are told.
    """
    yield from sheet.problems
    planner = _Planner(sheet, rng, priority_by, survey or Survey(), now)
    yield from planner.header_problems()
    nothing = not sheet.problems
    for row in sheet.opened.rows():
        if isinstance(row, Row) and row.left_out:
            planner.leave_out(row)
            continue
        nothing = False
        if isinstance(row, Problem):
            yield row
        elif (job := planner.quick(row)) is not None:
            yield job
        elif isinstance(result := planner.result(row), PlannedJob):
            yield result
        else:
            yield from result
    if nothing:
        yield no_job(sheet.name)


def open_images(sheet: Sheet) -> None:
    """Open every image of this computer that the sheet names, so that planning it is quick afterwards.

    For a sheet that is about to be loaded: no transaction should wait for images. Blocks, for a thread.
    Returns at once for a sheet without a column of images.
    """
    if IMAGES in sort_columns(sheet.opened).known.values():
        for _item in plan(sheet, random.Random(0)):  # noqa: S311 - these seeds are thrown away
            pass


def _defaults(opened: OpenedSheet) -> Sequence[Row]:
    if not isinstance(opened, DocumentSheet):
        return ()
    return (opened.defaults, *opened.model_defaults.values())


class _Planner:
    """State from row to row: the keys given out, and the problems already reported for all rows."""

    def __init__(
        self,
        sheet: Sheet,
        rng: random.Random,
        priority_by: str | None,
        survey: Survey,
        now: datetime | None,
    ) -> None:
        self._sheet = sheet
        self._opened = sheet.opened
        self._file = sheet.opened.file
        self._rng = rng
        self._columns = sort_columns(sheet.opened)
        self._priorities = priorities_of(sheet.opened, priority_by)
        self._names = frozenset(sheet.opened.columns)
        self._defaults = _defaults(sheet.opened)
        self._default_lines = {row.line_of(name) for row in self._defaults for name in row.cells}
        self._models: dict[str, BoundModel] = {}
        self._keys = Keys()
        self._reported: set[Problem] = set()
        self._reported_of_family: set[Problem] = set()
        self._family_line = 0
        self._no_model_reported = False
        self._jobs = 0
        self._has_again = AGAIN in self._columns.known.values()
        self._survey, self._now = survey, now
        self._forms = RowForms(
            sheet.opened, self._columns, lambda images: any(self._of_addresses({IMAGES: images}))
        )
        known, priority = self._columns.known, self._priorities.column
        survey.own = tuple(name for name in sheet.opened.columns if name not in known and name != priority)
        survey.otherwise = dict(self._columns.otherwise)

    def header_problems(self) -> Iterator[Problem]:
        """Misspelt columns, where the sheet names its columns once for all rows."""
        yield from self._priorities.problems(self._opened)
        for row in self._defaults:
            yield from self._columns.misspellings(self._file, row)
        if self._opened.header_line is not None:
            header = Row(self._opened.header_line, dict.fromkeys(self._opened.columns, ""))
            yield from self._columns.misspellings(self._file, header)

    def leave_out(self, row: Row) -> None:
        """Count a row that is no job."""
        self._survey.left_out += 1
        if len(self._survey.left_out_rows) < LEFT_OUT_SHOWN:
            self._survey.left_out_rows.append(row.line)

    def quick(self, row: Row) -> PlannedJob | None:
        """The row's job, where its form is known and all it says is sound. Nothing has happened otherwise."""
        form = self._forms.of(row)
        if form is None:
            return None
        cells, name = row.cells, None
        if form.id is not None and (name := form.key(cells)) is None:
            return None
        problems: list[Problem] = []
        again = self._again(row, form.bound, problems) if self._has_again else ""
        priority, odd = self._priority(row, form.bound) if self._priorities.column else (0.0, None)
        if problems or (odd and self._priorities.named):
            return None
        read = form.read(cells, again)
        if read is None or (name is not None and self._keys.take(name, row.line) is not None):
            return None
        own = {column: cell if type(cell := cells[column]) is str else "|".join(cell) for column in form.own}
        warnings = row.warnings + read.warnings + ((odd,) if odd else ())
        return self._job(row, form.bound, read, name, own, again, warnings, priority)

    def result(self, row: Row) -> PlannedJob | list[Problem]:
        """The row's job, or all its problems."""
        result = self._validated(row)
        self._forms.learn(row, self._bound)
        if isinstance(result, PlannedJob) or not row.expanded:
            return result
        if row.line != self._family_line:
            self._family_line = row.line
            self._reported_of_family.clear()
        news = [problem for problem in result if problem not in self._reported_of_family]
        self._reported_of_family.update(news)
        return news

    def _validated(self, row: Row) -> PlannedJob | list[Problem]:
        problems: list[Problem] = []
        if self._opened.header_line is None:
            problems += self._columns.misspellings(self._file, row)
        name = self._id(row, problems)
        bound = self._model(row, problems)
        if bound is None:
            return problems
        validated = validate_row(row, bound, self._columns, self._names, self._opened)
        problems += filter(self._is_news, validated.problems)
        priority, odd = self._priority(row, bound)
        if odd and self._priorities.named:
            place = row.at(self._file, self._priorities.column or "")
            problems.append(place.problem(odd, "Write a number, or leave it empty."))
        again = self._again(row, bound, problems)
        if problems or validated.inputs is None:
            return problems
        if validated.named:
            self._survey.named |= validated.named
        inputs = validated.inputs
        said = FormInputs(
            inputs, fingerprint(bound.spec.model_id, inputs, again), validated.warnings, validated.files
        )
        warnings: tuple[str, ...] = ()
        if not row.refused:  # such a row has a problem: what is odd about the rest of its cell says it again
            told = (*self._of_addresses(inputs), *((odd,) if odd else ()))
            warnings = (*row.warnings, *validated.warnings, *told)
        own = self._columns.own(row)
        return self._job(row, bound, said, name, own, again, warnings, priority)

    def _job(
        self,
        row: Row,
        bound: BoundModel,
        said: FormInputs,
        name: str | None,
        own: dict[str, str],
        again: str,
        warnings: tuple[str, ...],
        priority: float,
    ) -> PlannedJob:
        spec, inputs = bound.spec, said.inputs
        key = name if name is not None else self._keys.derive(said.fingerprint, row.line)
        if spec.has_seed and (seed := spec.vocabulary["seed"]) not in inputs:
            inputs[seed] = self._rng.randrange(SEEDS)
        position = self._jobs
        self._jobs += 1
        self._survey.look(own)
        columns = {**bound.own, **own, **({AGAIN: again} if again else {})} if bound.own or again else own
        return PlannedJob(
            position,
            row.line,
            key,
            said.fingerprint,
            spec.model_id,
            inputs,
            columns,
            warnings,
            spec.expected_images(inputs),
            priority,
            said.files,
        )

    def _of_addresses(self, inputs: Mapping[str, JsonValue]) -> Iterator[str]:
        """Warnings of addresses that lead to no picture, by what they say themselves."""
        for value in inputs.values():
            for address in value if isinstance(value, list) else ():
                if not isinstance(address, str):
                    continue
                until = None if self._now is None else holds_until(address)
                if until is not None and self._now is not None and until < self._now:
                    yield f"{excerpt(address)}: it expired on {until:%Y-%m-%d}, as the address itself says."
                if is_page(address):
                    yield f"{excerpt(address)}: a page, where the API needs the picture's own address."

    def _again(self, row: Row, bound: BoundModel, problems: list[Problem]) -> str:
        """The text in the column `again`, empty where there is none. Adds a problem where it is a list."""
        if not self._has_again:
            return ""
        column, cell = self._columns.named(row, AGAIN)
        cell = bound.cells.get(AGAIN) if cell is None else cell
        if isinstance(cell, tuple):
            problems.append(row.at(self._file, column).problem("Again is one text, not a list."))
            return ""
        text, _empty = fill(cell or "", self._names, {**bound.cells, **row.cells})
        return text.strip()

    def _priority(self, row: Row, bound: BoundModel) -> tuple[float, str | None]:
        column = self._priorities.column
        if column is None:
            return 0.0, None
        return self._priorities.of(row.cells.get(column) or bound.own.get(column))

    def _is_news(self, problem: Problem) -> bool:
        """Whether a problem was not reported yet: one in a default is reported once, not for every row that
        uses it, and a missing column once for all models that need it."""
        if problem.row == self._opened.header_line and problem.row is not None:
            problem = replace(problem, message="")
        elif problem.row not in self._default_lines:
            return True
        news = problem not in self._reported
        self._reported.add(problem)
        return news

    def _id(self, row: Row, problems: list[Problem]) -> str | None:
        """The row's id, which it then holds; None where it has none, or one with a problem."""
        column, cell = self._columns.named(row, ID)
        if cell is None:
            return None
        name = cell.strip() if isinstance(cell, str) else ""
        message = why_not_an_id(name) if name else "An id is one text, not a list."
        hint = ""
        if message is None and (odd := why_not_a_value(name)):
            message, hint = odd
        if message is None and (earlier := self._keys.take(name, row.line)) is not None:
            message = f"This id is already the key of line {earlier}."
            hint = "Give each job its own id, or none."
        if message is None:
            return name
        problems.append(row.at(self._file, column).problem(message, hint))
        return None

    def _bound(self, cell: Cell | None) -> BoundModel | None:
        """The model that a cell names, where a row before had it."""
        return (
            None if isinstance(cell, tuple) else self._models.get((cell or self._sheet.model or "").strip())
        )

    def _model(self, row: Row, problems: list[Problem]) -> BoundModel | None:
        """The row's model, else the sheet's. Adds a problem where there is none."""
        column, cell = self._columns.named(row, MODEL)
        text = "|".join(cell) if isinstance(cell, tuple) else cell
        name = (text or self._sheet.model or "").strip()
        if name in self._models:
            return self._models[name]
        spec = find(name)
        if spec is None:
            if text is not None:
                place = at(self._file, row.line_of(column), column=column, value=name)
                problems.append(place.problem(*unknown_model(name)))
            elif not name and MODEL not in row.refused:
                problems += self._no_model(row)
            return None
        self._models[name] = bind_model(spec, self._columns, self._opened)
        self._survey.models.add(name)
        return self._models[name]

    def _no_model(self, row: Row) -> Iterator[Problem]:
        """A problem for each row with an empty cell, or one for a sheet without a column of models."""
        hint = f"Name one of {', '.join(MODELS)}."
        if MODEL in self._columns.known.values():
            yield at(self._file, row.line, column=MODEL).problem("No model is named.", hint)
        elif not self._no_model_reported:
            self._no_model_reported = True
            line = row.line if self._opened.header_line is None else self._opened.header_line
            yield at(self._file, line, column=MODEL).problem("The sheet names no model.", hint)
