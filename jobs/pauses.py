"""Why a batch stands still."""

from enum import StrEnum


class PauseReason(StrEnum):
    """Why a batch stands still. The words of `status --json`."""

    TOKEN = "token"  # noqa: S105 - a reason, not a secret
    BALANCE = "balance"
    BUDGET = "budget"
    OUTAGE = "outage"
    DISK = "disk"
    GUARD = "guard"
    PERSON = "person"
