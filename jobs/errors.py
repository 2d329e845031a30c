"""The errors that a user may meet, each with the exit code that scripts rely on.

NightsheetError
├── UsageProblem      2   the command does not fit the batch or the settings
├── SheetProblems    65   the sheet has problems: nothing loaded, nothing paid
├── NoSheet          66   there is no such sheet
├── Unreachable      69   the API does not answer
├── CannotWrite      73   the database or the output folder cannot be written
│   └── LockHeld     73   another runner holds the database
└── TokenProblem     77   no token, or a refused one

1 is the exit code of a run whose jobs did not all succeed, of an `audit` with findings, and of a `retry`,
`review` or `cancel` that could not do all of its work. 70 is a defect of Nightsheet; paid results are kept.
"""

from collections.abc import Sequence
from typing import ClassVar

from jobs.problems import Problem


class NightsheetError(Exception):
    """The base class: a sentence for a person, and a hint what to do next."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageProblem(NightsheetError):
    """The command does not fit the batch or the settings."""

    exit_code = 2


class SheetProblems(NightsheetError):
    """The sheet has problems, all of them in `problems`: nothing was loaded and nothing paid."""

    exit_code = 65

    def __init__(self, message: str, problems: Sequence[Problem] = (), hint: str = "") -> None:
        super().__init__(message, hint)
        self.problems = tuple(problems)


class NoSheet(NightsheetError):
    """There is no such sheet."""

    exit_code = 66


class Unreachable(NightsheetError):
    """The API does not answer."""

    exit_code = 69


class CannotWrite(NightsheetError):
    """The database or the output folder cannot be written."""

    exit_code = 73


class LockHeld(CannotWrite):
    """Another runner holds the database."""


class TokenProblem(NightsheetError):
    """There is no token, or the API refused it."""

    exit_code = 77
