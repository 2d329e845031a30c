"""What became of each submit that was or may have been accepted."""

from enum import StrEnum


class SubmitOutcome(StrEnum):
    """What became of one attempt."""

    INTENT = "intent"
    """Committed before the POST; if it is still this at start, nobody knows."""
    ACCEPTED = "accepted"
    """The API gave a request_id."""
    REFUSED = "refused"
    """The API refused the inputs: not paid."""
    UNCONFIRMED = "unanswered"
    """Sent, no readable answer: may be paid."""
    RESUBMITTED = "resubmitted"
    """Was unanswered; a person sent the job again."""
    DISCARDED = "discarded"
    """Was unanswered; a person let it go."""
