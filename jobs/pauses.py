"""The reasons why a batch is paused."""

from enum import StrEnum


class PauseReason(StrEnum):
    """Why a batch is paused. Stored by value, and shown by `status --json`."""

    TOKEN = "token"  # noqa: S105 - a reason, not a secret
    BALANCE = "balance"
    BUDGET = "budget"
    OUTAGE = "outage"
    DISK = "disk"
    GUARD = "guard"
    PERSON = "person"


UNTIL_RESUMED = frozenset({PauseReason.GUARD, PauseReason.PERSON})
"""Pauses that only `resume` clears. The cause of any other may end by itself, so `run` tries again."""
