"""The outcome of each submit that left this machine, and what was answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class SubmitOutcome(StrEnum):
    """The outcome of one attempt. Stored by value."""

    INTENT = "intent"
    """Committed before the POST. If a run starts and finds it, the submit is unconfirmed."""
    ACCEPTED = "accepted"
    """The API answered with a request_id."""
    REFUSED = "refused"
    """The API refused the inputs: not paid."""
    UNCONFIRMED = "unanswered"
    """Sent without a readable answer: it may be paid."""
    RESUBMITTED = "resubmitted"
    """Was unconfirmed; the job was sent again by a person or a setting."""
    DISCARDED = "discarded"
    """Was unconfirmed; a person discarded it."""
    TURNED_AWAY = "turned_away"
    """Answered, and surely not accepted, for no fault of the row: its job is sent again. Not paid."""


PAID_OR_MAYBE = frozenset(SubmitOutcome) - {SubmitOutcome.REFUSED, SubmitOutcome.TURNED_AWAY}
"""Outcomes of submits that were or may have been accepted."""
IN_DOUBT = PAID_OR_MAYBE - {SubmitOutcome.ACCEPTED}
"""Outcomes of submits that may have been accepted, also where a person has decided about them."""
UNDECIDED = frozenset({SubmitOutcome.INTENT, SubmitOutcome.UNCONFIRMED})
"""Outcomes of submits that a person has to decide about, or a receipt."""


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer that is no receipt, as it came, scrubbed of the token and of signed queries."""

    status: int
    """The HTTP status."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those that tell who answered, names in lower case."""
    body: str = ""
    """Its first 4 KB."""


@dataclass(frozen=True, slots=True)
class Intent:
    """The intent to submit a job, committed: it may be sent now."""

    unproven: int
    """How many answers in a row have turned its submit away without proof, in whatever runs."""
