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
