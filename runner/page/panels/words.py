"""What the head of the page says of a pause and of a run that ended: what it means, and what to do."""

from jobs.exit_codes import ExitCode
from jobs.pauses import PauseReason

REMEDIES = {
    PauseReason.TOKEN: "Set a token that the API takes; `nightsheet doctor` tries it, free.",
    PauseReason.BALANCE: "Top the account up at the API, then go on.",
    PauseReason.BUDGET: "Go on with a larger budget, or leave it at that.",
    PauseReason.OUTAGE: "Wait until the API answers again, then go on.",
    PauseReason.DISK: "Make room, then go on: nothing that was paid for is lost.",
    PauseReason.GUARD: "Look at what failed (F) before you go on: each further job may fail like that.",
    PauseReason.PERSON: "Go on when you like.",
}
"""By reason: what a person does about a pause."""
ENDINGS = {
    ExitCode.OK: "all succeeded",
    ExitCode.INCOMPLETE: "it came to its end, and some jobs did not succeed",
    ExitCode.USAGE: "it was refused, and sent nothing",
    ExitCode.UNREACHABLE: "the API could not be reached",
    ExitCode.DEFECT: "by a defect of Nightsheet",
    ExitCode.CANNOT_WRITE: "the database or the output folder could not be written",
    ExitCode.PAUSED: "the batch was paused",
    ExitCode.TOKEN: "the token was missing, or refused",
    ExitCode.INTERRUPTED: "a person interrupted it",
}
"""By exit code: how a run ended."""
KILLED = "it was killed, or its machine: what it was at is settled when the next one begins"


def ending(exit_code: int | None) -> str:
    """How a run ended that is over; None for one that left no word."""
    if exit_code is None:
        return KILLED
    known = ENDINGS.get(ExitCode(exit_code)) if exit_code in [*ExitCode] else None
    return f"{known or 'for a reason of its own'} (exit code {exit_code})"
