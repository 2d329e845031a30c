"""Errors that a user can run into, each with the exit code that scripts rely on.

NightsheetError
├── UsageProblem     USAGE            the command does not fit the batch or the settings
├── SheetProblems    SHEET_PROBLEMS   the sheet has problems: nothing loaded, nothing paid
├── NoSheet          NO_SHEET         the sheet does not exist
├── CannotWrite      CANNOT_WRITE     the database or the output folder cannot be written
│   ├── LockHeld     CANNOT_WRITE     another runner holds the database
│   ├── CommitsLost  CANNOT_WRITE     the database went back in time: nothing is sent
│   ├── LockLost     CANNOT_WRITE     another runner has taken the database over
│   └── TableRetired CANNOT_WRITE     its jobs went to another place (`db copy`)
└── TokenProblem     TOKEN            no token, or a refused one

`jobs/exit_codes.py` has the numbers, and those that no error stands for.
"""

from collections.abc import Sequence
from typing import ClassVar

from jobs.exit_codes import ExitCode
from jobs.pauses import PauseReason
from jobs.problems import Problem


class NightsheetError(Exception):
    """The base class: a sentence for a person, and a hint what to do next."""

    exit_code: ClassVar[ExitCode] = ExitCode.INCOMPLETE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageProblem(NightsheetError):
    """The command does not fit the batch or the settings."""

    exit_code = ExitCode.USAGE


class SheetProblems(NightsheetError):
    """The sheet has problems, all of them in `problems`: nothing was loaded and nothing paid."""

    exit_code = ExitCode.SHEET_PROBLEMS

    def __init__(self, message: str, problems: Sequence[Problem] = (), hint: str = "") -> None:
        super().__init__(message, hint)
        self.problems = tuple(problems)


class NoSheet(NightsheetError):
    """The sheet does not exist."""

    exit_code = ExitCode.NO_SHEET


class CannotWrite(NightsheetError):
    """The database or the output folder cannot be written."""

    exit_code = ExitCode.CANNOT_WRITE
    pause: ClassVar[PauseReason] = PauseReason.DISK
    """What a run that meets it is paused for."""


class LockHeld(CannotWrite):
    """Another runner holds the database."""


class CommitsLost(CannotWrite):
    """The database has lost commits that it told of: what it says of a row may be from before its submit."""

    pause = PauseReason.GUARD


class LockLost(CannotWrite):
    """Another runner has taken the database over: this one's lock was lost. It sends nothing more."""


class TableRetired(CannotWrite):
    """The job table's rows went to another place: this one is only read."""


class TokenProblem(NightsheetError):
    """The API token is missing, or the API refused it."""

    exit_code = ExitCode.TOKEN
