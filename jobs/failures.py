"""What went wrong with a job, as data. The words are the manifest's `error.kind`."""

from dataclasses import dataclass
from enum import StrEnum


class FailureKind(StrEnum):
    """Why a job did not succeed."""

    REFUSED = "refused"
    """The API refused the inputs: nothing was accepted, nothing is paid."""
    MODERATED = "moderated"
    """Refused or stopped by the provider's content rules. Never sent again by itself."""
    REMOTE_FAILED = "remote_failed"
    """Accepted, and failed at the API. Whether it is billed is unknown."""
    NO_IMAGES = "no_images"
    """Done at the API, without a single picture."""
    BAD_PICTURE = "bad_picture"
    """A picture stayed broken over several downloads."""
    BLOCKED = "blocked"
    """A picture's address is not one we may fetch from."""
    EXPIRED = "expired"
    """Paid for, and gone from the provider before it was in hand."""
    LOST = "lost"
    """The API does not know the request_id any more."""
    UNCONFIRMED = "unconfirmed"
    """Sent without a readable answer: it may be paid for."""
    CANCELLED = "cancelled"
    """Ended by a person, or by the API's word."""
    DISCARDED = "discarded"
    """A person decided in `review` to let a doubtful submit go."""


FETCH_AGAIN = frozenset(
    {FailureKind.BAD_PICTURE, FailureKind.BLOCKED, FailureKind.EXPIRED, FailureKind.NO_IMAGES}
)
"""Failed after the API had done its part: `retry` polls and fetches again, which is free."""
ONLY_IF_NAMED = frozenset({FailureKind.MODERATED, FailureKind.DISCARDED, FailureKind.CANCELLED})
"""Content rules, and what a person decided: `retry` leaves them out unless --kind or --job names them."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure: its kind, a sentence for a person, and the API's own code where it gave one."""

    kind: FailureKind
    message: str
    code: str | None = None
