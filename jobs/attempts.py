"""The outcome of each submit that was or may have been accepted."""

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
