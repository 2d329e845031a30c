"""An open sheet: the user's file, before a pass over its rows."""

from dataclasses import dataclass, replace
from pathlib import Path

from jobs.catalog.registry import find
from jobs.errors import NoSheet, SheetProblems, UsageProblem
from jobs.problems import Problem, at, excerpt
from jobs.sheets.batch_name import why_not_a_batch_name
from jobs.sheets.files.encodings import alternatives, canonical
from jobs.sheets.opened import DocumentSheet, OpenedSheet, TableSheet
from jobs.sheets.readers.registry import FORMATS, SUFFIXES, format_of, reader_of
from jobs.sheets.readers.sniff import json_or_lines, sniff
from jobs.sheets.rows.column_names import unknown_model
from jobs.sheets.source import SheetSource
from jobs.sheets.styles import is_styles, with_subject


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that can be planned any number of times.

    `name` is what messages call it, `place` what its batch stores of it. `model` is the model of rows that
    name none, None where they must name one; it is a known model unless `problems` has it. `problems` are
    those found before any row is validated.
    """

    name: str
    place: str
    batch: str
    model: str | None
    opened: OpenedSheet
    problems: tuple[Problem, ...]
    is_copy: bool = False
    """A copy of the batch's own sheet with its results: the same sheet, in whatever folder."""


def open_sheet(sheet: Path | SheetSource, *, batch: str | None = None, model: str | None = None) -> Sheet:
    """Open a sheet by its ending. `batch` and `model` win over those that the sheet names for all its rows.

    Raises:
        NoSheet: there is no such file.
        SheetProblems: it cannot be read as a sheet, or has no job.
        UsageProblem: `batch` cannot be a name, `model` is not known, or an option does not apply to the
            sheet's format.
    """
    source = sheet if isinstance(sheet, SheetSource) else SheetSource(sheet)
    _must_be_usable(batch, model)
    source = _with_known_names(source)
    _must_be_a_file(source.path)
    name = _format(source)
    _must_be_applicable(source, name)
    opened = reader_of(name)(source)
    if isinstance(opened, TableSheet):  # a document needs its album earlier: its sets name images
        opened = replace(opened, album=source.album())
    if is_styles(opened):
        opened = with_subject(opened, source.subject)
    elif source.subject is not None and not opened.problems:
        raise UsageProblem(
            f"{source.name} is no file of styles, which --subject is for.",
            "Its columns are name, prompt and negative_prompt, and no others.",
        )
    if next(opened.rows(), None) is None:
        raise _without_jobs(source, opened)
    problems = [*opened.problems]
    named = batch or _own_name(opened) or _stem(source)
    if sentence := why_not_a_batch_name(named):
        hint = "Name it with --batch NAME, or with batch: NAME in a YAML sheet."
        line = opened.batch_line if isinstance(opened, DocumentSheet) else None
        problems.append(at(source.name, line, column="batch", value=named).problem(sentence, hint))
    if model is None and isinstance(opened, DocumentSheet):
        model = opened.model
        if model is not None and find(model) is None:
            place = at(source.name, opened.model_line, column="model", value=model)
            problems.append(place.problem(*unknown_model(model)))
    return Sheet(
        name=source.name,
        place=source.place(opened.worksheet if isinstance(opened, TableSheet) else None),
        batch=named,
        model=model,
        opened=opened,
        problems=tuple(problems),
        is_copy=isinstance(opened, TableSheet) and opened.copy_of == named,
    )


def _own_name(opened: OpenedSheet) -> str | None:
    """The batch that a sheet names itself: a document has a part for it, a copy a result column."""
    return opened.batch if isinstance(opened, DocumentSheet) else opened.copy_of


_FORMATS = f"Sheets end in {', '.join(SUFFIXES)}; --format NAME says what another file is."


def _must_be_usable(batch: str | None, model: str | None) -> None:
    if batch is not None and (sentence := why_not_a_batch_name(batch)):
        raise UsageProblem(sentence, "Choose a short name, such as monday-night.")
    if model is not None and find(model) is None:
        sentence, hint = unknown_model(model)
        raise UsageProblem(f"{sentence[:-1]}: {excerpt(model)}.", hint)


def _with_known_names(source: SheetSource) -> SheetSource:
    """The source with its format checked and its encoding under the canonical name."""
    if source.format is not None and source.format not in FORMATS:
        raise UsageProblem(
            f"There is no such format: {excerpt(source.format)}.", f"One of: {', '.join(FORMATS)}."
        )
    if source.encoding is None:
        return source
    encoding = canonical(source.encoding)
    if encoding is None:
        raise UsageProblem(
            f"Sheets are not read in the encoding {excerpt(source.encoding)}.", alternatives(source.encoding)
        )
    return replace(source, encoding=encoding)


def _format(source: SheetSource) -> str:
    if source.format is not None:
        return source.format
    named = sniff(source) if source.spooled else format_of(source.path)
    if named in ("json", "jsonl") and not source.spooled:
        return json_or_lines(source, named)
    if named is not None:
        return named
    suffix = excerpt(source.path.suffix) or "nothing"
    raise _unreadable(source.name, f"Nightsheet does not read files that end in {suffix}.", _FORMATS)


def _must_be_applicable(source: SheetSource, name: str) -> None:
    """An option that this format ignores may have been meant for another file."""
    for word in ("encoding", "worksheet", "visible_only"):
        if getattr(source, word) not in (None, False) and word not in FORMATS[name].options:
            option = word.replace("_", "-")
            having = [other for other, form in FORMATS.items() if word in form.options]
            raise UsageProblem(
                f"{source.name} is read as {name}, where --{option} has no meaning.",
                f"It is for {', '.join(having)}; --format says what a sheet is.",
            )


def _stem(source: SheetSource) -> str:
    if not source.spooled:
        return source.path.stem
    raise UsageProblem(
        "A sheet from standard input needs a name for its batch.",
        "Give it one with --batch NAME, or with batch: NAME in a YAML or JSON sheet.",
    )


def _must_be_a_file(path: Path) -> None:
    try:
        if not path.exists():
            if path.is_symlink():
                raise NoSheet(f"{path} is a link that leads to no file.", "Name the sheet itself.")
            raise NoSheet(f"There is no sheet {path}.", "Check the spelling, and the folder you are in.")
        regular = path.is_file()
    except OSError as error:
        raise _unreadable(str(path), f"The file cannot be read: {error.strerror}.") from error
    if not regular:
        hint = (
            ""
            if path.is_dir()
            else "From another program: `nightsheet check - --batch NAME` reads standard input."
        )
        raise _unreadable(str(path), "This is a folder or a device, not a file.", hint)


def _unreadable(name: str, sentence: str, hint: str = "") -> SheetProblems:
    problem = at(name).problem(sentence, hint)
    return SheetProblems(f"{name} cannot be read as a sheet.", [problem], hint)


def _without_jobs(source: SheetSource, opened: OpenedSheet) -> SheetProblems:
    if opened.problems:
        return SheetProblems(f"{source.name} cannot be read as a sheet.", opened.problems)
    problem = no_job(source.name)
    return SheetProblems(f"{source.name} has no job.", [problem], problem.hint)


def no_job(name: str) -> Problem:
    """The problem of a sheet that names nothing to do."""
    return at(name).problem("The sheet has no job.", "Write one row for each job.")
