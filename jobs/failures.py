"""Why a job failed, as data. The values are the manifest's `error.kind`."""

from dataclasses import dataclass, field
from enum import StrEnum


class FailureKind(StrEnum):
    """Why a job did not succeed."""

    REFUSED = "refused"
    """The API refused the inputs: nothing was accepted or paid."""
    MODERATED = "moderated"
    """Refused or stopped by the provider's content rules. Never sent again automatically."""
    REMOTE_FAILED = "remote_failed"
    """Accepted, and failed at the API. Whether it is billed is unknown."""
    NO_IMAGES = "no_images"
    """Done at the API, without any image."""
    BAD_PICTURE = "bad_picture"
    """An image was damaged in every download."""
    BLOCKED = "blocked"
    """An image's URL is not allowed, or its file has no place."""
    EXPIRED = "expired"
    """Paid, and deleted at the provider before it was downloaded."""
    LOST = "lost"
    """The API no longer knows the request_id."""
    UNCONFIRMED = "unconfirmed"
    """Sent without a readable answer: it may be paid."""
    CANCELLED = "cancelled"
    """Ended by a person, or by the API."""
    DISCARDED = "discarded"
    """Unconfirmed, and discarded by a person in `review`."""


FETCH_AGAIN = frozenset(
    {FailureKind.BAD_PICTURE, FailureKind.BLOCKED, FailureKind.EXPIRED, FailureKind.NO_IMAGES}
)
"""Failed after the API had done its part: `retry` polls and fetches again, which is free."""
ONLY_IF_NAMED = frozenset({FailureKind.MODERATED, FailureKind.DISCARDED, FailureKind.CANCELLED})
"""Content rules, and what a person decided: `retry` leaves them out unless --kind or --job names them."""
BY_A_PERSON = frozenset({FailureKind.CANCELLED, FailureKind.DISCARDED})
"""What a person decided: it says nothing about the API or the sheet."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure: its kind, a sentence for a person, and the API's own code if it gave one.

    `is_quote`: the sentence is the API's, word for word. That is known while the failure is new.
    """

    kind: FailureKind
    message: str
    code: str | None = None
    is_quote: bool = field(default=False, compare=False)

    @property
    def said(self) -> str:
        """The message as a part of a sentence of ours: words that are not ours stand in quotes."""
        return f'"{self.message}"' if self.is_quote else self.message
