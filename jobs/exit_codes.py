"""The exit codes of the command line. Scripts rely on them; README's table lists them for users."""

from enum import IntEnum

from jobs.pauses import PauseReason


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    """Everything succeeded."""
    INCOMPLETE = 1
    """The command ran to its end, but jobs failed, an audit found something, or an order failed."""
    USAGE = 2
    """The command does not fit the batch or the settings, or nobody agreed to pay."""
    SHEET_PROBLEMS = 65
    """The sheet has problems: nothing was loaded and nothing was paid."""
    NO_SHEET = 66
    """The sheet does not exist."""
    UNREACHABLE = 69
    """The API cannot be reached."""
    DEFECT = 70
    """Nightsheet has a defect; what was paid for is kept."""
    CANNOT_WRITE = 73
    """The database or the output folder cannot be written, or another runner holds the database."""
    PAUSED = 75
    """The batch is paused: balance, budget, a guard, or a person."""
    TOKEN = 77
    """The API token is missing or was refused."""
    INTERRUPTED = 130
    """A person interrupted the command, as shells report it."""


_PAUSES = {
    PauseReason.TOKEN: ExitCode.TOKEN,
    PauseReason.BALANCE: ExitCode.PAUSED,
    PauseReason.BUDGET: ExitCode.PAUSED,
    PauseReason.GUARD: ExitCode.PAUSED,
    PauseReason.PERSON: ExitCode.PAUSED,
    PauseReason.OUTAGE: ExitCode.UNREACHABLE,
    PauseReason.DISK: ExitCode.CANNOT_WRITE,
}


def exit_code_of(reason: PauseReason) -> ExitCode:
    """The exit code of a run that a pause ends."""
    return _PAUSES[reason]
