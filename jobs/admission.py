"""Whether the job table lets a submit go: what it is held against, and why it may not go now."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

ACCOUNT_BUDGET = "the account's budget"
"""Named in the reason of a pause: another command raises it than the batch's own."""
NO_KNOWN_PRICE = "no known price"
"""Named in the reason of a pause: no budget has room for it, however high."""


class Bound(StrEnum):
    """What of its account a submit waits for."""

    DOUBT = "doubt"
    """A submit is in doubt: a free question must be answered before another one leaves."""
    BUSY = "busy"
    """The API has turned a submit away, and all wait."""
    IN_FLIGHT = "in_flight"
    GATE = "gate"
    BUDGET = "budget"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """The limits of an account, for all batches and runners that use it; None is no limit."""

    in_flight_max: int | None = None
    """Jobs at the API at once."""
    gate: int | None = None
    """Submits on their way at once."""
    per_minute: float | None = None
    """Submits a minute."""
    budget: Decimal | None = None
    """The most that all its batches may cost, in USD."""


@dataclass(frozen=True, slots=True)
class AccountStanding:
    """An account, its limits, and how much of them is in use."""

    id: int
    name: str
    """The API's origin, and a hash where the token would be."""
    limits: AccountLimits
    in_flight: int
    """Jobs that are at the API, or may be."""
    committed_usd: Decimal
    """What is spent, or may be."""
    unpriced: int
    """Submits beside these whose price nobody knows."""
    doubted_since: datetime | None = None
    """Since when a free question must be answered before anything is sent."""


@dataclass(frozen=True, slots=True)
class SubmitTerms:
    """What the table holds a submit against, besides the limits of its account."""

    account_id: int
    batch_id: int
    budget: Decimal | None = None
    """The most that the batch may cost, in USD."""
    gate: int | None = None
    """Submits of the account on their way at once, where it has no limit of its own."""
    cleared: datetime | None = None
    """The doubt after which the API has answered this runner's free question: it holds up nobody any more."""


@dataclass(frozen=True, slots=True)
class NotAdmitted:
    """The table does not let a submit go now. Nothing was written: the job is queued as before."""

    bound: Bound
    detail: str
    """What it waits for, for a person."""
    wait_seconds: float = 1.0
    """So long it is not worth asking again, unless a job of the account ends."""
    doubt: datetime | None = None
    """The doubt that this runner is to clear, by a free question; others wait for it meanwhile."""
    is_final: bool = False
    """Whether nothing that is under way can make room for it."""
