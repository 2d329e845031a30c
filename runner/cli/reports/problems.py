"""A sheet's problems: as a table to work through, and as a file to work through in a spreadsheet."""

import csv
from collections.abc import Sequence
from pathlib import Path

from jobs.atomic_file import AtomicFile
from jobs.errors import CannotWrite, UsageProblem
from jobs.problems import Problem
from runner.cli.console import console
from runner.humanize import count_of

_SHOWN = 1000
"""Lines of the table; a file has them all."""
_COLUMNS = ("file", "row", "column", "value", "message", "hint")


def show(problems: Sequence[Problem]) -> None:
    """The table, on standard error: the place, the value, why it is invalid, and a valid one."""
    several = len({problem.file for problem in problems}) > 1
    rows = [
        (
            *((problem.file,) if several else ()),
            "" if problem.row is None else problem.row,
            problem.column or "",
            "" if problem.value is None else problem.value,
            problem.message,
            problem.hint,
        )
        for problem in problems[:_SHOWN]
    ]
    columns = (*(("file",) if several else ()), "row", "column", "value", "why", "what would do")
    console.table(columns, rows, numbers=("row",), errors=True)
    if len(problems) > _SHOWN:
        more = count_of(len(problems) - _SHOWN, "more problem")
        console.message(f"and {more}: --output problems.csv has them all")


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
        with AtomicFile(output) as file:
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
