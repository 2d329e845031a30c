"""The reasons why a batch is paused, and why a run waits without a pause."""

from dataclasses import dataclass
from datetime import datetime
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

FREE_TO_END = frozenset({PauseReason.PERSON, PauseReason.TOKEN, PauseReason.OUTAGE, PauseReason.DISK})
"""Pauses that stand for no limit: their end pays for nothing that nobody agreed to."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Why nothing of a run moves at the moment, though nothing is paused."""

    reason: str
    """`outage`, `busy`, or `account`: one of its limits."""
    detail: str
    """For a person."""
    since: datetime
    until: datetime
    """When the run tries again, or gives up: `detail` says which."""
