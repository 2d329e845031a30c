"""Opening a sheet: the user's file, not yet read through."""

from dataclasses import dataclass
from pathlib import Path

from jobs.catalog.registry import MODELS, find, suggest
from jobs.errors import NoSheet, SheetProblems, UsageProblem
from jobs.problems import Problem
from jobs.sheets.batch_name import why_not_a_batch_name
from jobs.sheets.formats import SUFFIXES, reader_for
from jobs.sheets.rows import Opened, shown


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that can be planned, as often as one likes.

    `model` is what rows without their own are made by, None where they must name one; it is a known model
    unless `problems` says otherwise. `problems` are those found so far: the rows have not been judged.
    """

    path: Path
    batch: str
    model: str | None
    opened: Opened
    problems: tuple[Problem, ...]


def open_sheet(path: Path, *, batch: str | None = None, model: str | None = None) -> Sheet:
    """Open a sheet by its ending. `batch` and `model` win over what the sheet says once for all its rows.

    Raises:
        NoSheet: there is no such file.
        SheetProblems: it cannot be read as a sheet, or has no job.
        UsageProblem: `batch` cannot be a name, or `model` is not known.
    """
    _must_be_usable(batch, model)
    _must_be_a_file(path)
    reader = reader_for(path)
    if reader is None:
        raise _unreadable(
            path, f"Nothing here reads a file that ends in {shown(path.suffix) or 'nothing'}.", _FORMATS
        )
    opened = reader(path)
    if next(opened.rows(), None) is None:
        raise _without_jobs(path, opened)
    problems = [*opened.problems]
    name = batch or opened.batch or path.stem
    if sentence := why_not_a_batch_name(name):
        hint = "Name it with --batch NAME, or with batch: NAME in a YAML sheet."
        problems.append(Problem(str(path), opened.batch_line, "batch", shown(name), sentence, hint))
    if model is None and opened.model is not None and find(opened.model) is None:
        sentence, hint = unknown_model(opened.model)
        problems.append(Problem(str(path), opened.model_line, "model", shown(opened.model), sentence, hint))
    return Sheet(path, name, model or opened.model, opened, tuple(problems))


def unknown_model(model: str) -> tuple[str, str]:
    """A sentence for a model id that is not known, and a hint at the one that was meant."""
    meant = suggest(model)
    hint = f"Did you mean {meant}?" if meant else f"Models: {', '.join(MODELS)}."
    return "There is no such model.", hint


_FORMATS = f"Sheets end in {', '.join(SUFFIXES)}."


def _must_be_usable(batch: str | None, model: str | None) -> None:
    if batch is not None and (sentence := why_not_a_batch_name(batch)):
        raise UsageProblem(sentence, "Choose a short name, such as monday-night.")
    if model is not None and find(model) is None:
        sentence, hint = unknown_model(model)
        raise UsageProblem(f"{sentence[:-1]}: {shown(model)}.", hint)


def _must_be_a_file(path: Path) -> None:
    try:
        if not path.exists():
            raise NoSheet(f"There is no sheet {path}.", "Check the spelling, and the folder you are in.")
        regular = path.is_file()
    except OSError as error:
        raise _unreadable(path, f"The file cannot be read: {error.strerror}.") from error
    if not regular:
        raise _unreadable(path, "This is a folder or a device, not a file.")


def _unreadable(path: Path, sentence: str, hint: str = "") -> SheetProblems:
    problem = Problem(str(path), None, None, None, sentence, hint)
    return SheetProblems(f"{path} cannot be read as a sheet.", [problem], hint)


def _without_jobs(path: Path, opened: Opened) -> SheetProblems:
    if opened.problems:
        return SheetProblems(f"{path} cannot be read as a sheet.", opened.problems)
    problem = no_job(path)
    return SheetProblems(f"{path} has no job.", [problem], problem.hint)


def no_job(path: Path) -> Problem:
    """The problem of a sheet that names nothing to do."""
    return Problem(str(path), None, None, None, "The sheet has no job.", "Write one row for each job.")
