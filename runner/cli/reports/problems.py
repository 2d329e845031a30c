"""A sheet's problems: as blocks to work through, and as a file to work through in a spreadsheet."""

import csv
from collections.abc import Sequence
from pathlib import Path

from jobs.disk.atomic_file import atomic_file
from jobs.errors import CannotWrite, UsageProblem
from jobs.problems import Problem
from runner.cli.console import console
from runner.cli.console.problem_blocks import blocks

_COLUMNS = ("file", "row", "column", "value", "message", "hint")


def show(problems: Sequence[Problem]) -> None:
    """A block a cause, on standard output."""
    for line, style in blocks(problems, console.width()):
        console.result(line, style)


def check_target(output: Path | None, sheet: Path) -> None:
    """Raise UsageProblem if the list would overwrite the sheet that it is about."""
    if output is not None and output.exists() and sheet.exists() and output.samefile(sheet):
        raise UsageProblem(
            "The problems would be written over the sheet.", "Name another file: --output problems.csv"
        )


def write(problems: Sequence[Problem], output: Path) -> None:
    """All of them as CSV, in an atomic write; only the header where there is none.

    With the byte order mark by which Excel recognises UTF-8; no cell is a formula to a spreadsheet.

    Raises:
        CannotWrite: it cannot be written; a file that was there before is left as it was.
    """
    from jobs.manifests.csv import escape_formula

    try:
        with atomic_file(output) as file:
            with file.path.open("w", encoding="utf-8-sig", newline="", errors="backslashreplace") as text:
                writer = csv.writer(text)
                writer.writerow(_COLUMNS)
                writer.writerows(
                    [escape_formula(getattr(problem, name)) for name in _COLUMNS] for problem in problems
                )
            file.commit(durable=False)  # a list that `check` writes again at any time
    except OSError as error:
        raise CannotWrite(
            f"{output} cannot be written: {error.strerror}.", "Choose another --output."
        ) from error
