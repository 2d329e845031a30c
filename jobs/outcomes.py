"""What happened to a job, one class a move: made by whoever saw it, applied by the store.

Each carries just what its move needs; `move` names the line of `jobs.states.MOVES` that it is.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from jobs.failures import Failure
from jobs.states import Move


@dataclass(frozen=True, slots=True)
class Claimed:
    """The intent to submit, committed before the POST leaves."""

    move: ClassVar[Move] = Move.CLAIM
    job_id: int
    payload_sha256: str
    at: datetime
    estimate_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Unsendable:
    """It can no longer be sent (its model is gone, or the job that it waited for failed): free."""

    move: ClassVar[Move] = Move.UNSENDABLE
    job_id: int
    failure: Failure
    at: datetime


@dataclass(frozen=True, slots=True)
class Linked:
    """The job that it waited for has succeeded: its pictures are this one's too, and paid once.

    `warnings` are that job's.
    """

    move: ClassVar[Move] = Move.LINK
    job_id: int
    warnings: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Accepted:
    """The API answered with a request_id: from here on it is paid for."""

    move: ClassVar[Move] = Move.ACCEPTED
    job_id: int
    request_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """Surely not accepted: nothing was sent, or the API turned it away unread. Not an attempt.

    It is queued again, or cancelled, if a person has asked for that meanwhile.
    """

    move: ClassVar[Move] = Move.NOT_ACCEPTED
    job_id: int
    at: datetime
    available_at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """The API refused the inputs; its reason is kept word for word."""

    move: ClassVar[Move] = Move.REFUSED
    job_id: int
    failure: Failure
    at: datetime


@dataclass(frozen=True, slots=True)
class LeftUnconfirmed:
    """Sent, and no readable answer: it may be paid for."""

    move: ClassVar[Move] = Move.UNCONFIRMED
    job_id: int
    failure: Failure
    at: datetime


@dataclass(frozen=True, slots=True)
class RemoteDone:
    """Done at the API: `urls` are its pictures, in order."""

    move: ClassVar[Move] = Move.REMOTE_DONE
    job_id: int
    urls: tuple[str, ...]
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class RemoteFailed:
    """The API says that it failed, or does not know the request_id any more."""

    move: ClassVar[Move] = Move.REMOTE_FAILED
    job_id: int
    failure: Failure
    cost_usd: Decimal | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RemoteCancelled:
    """The API says that it was cancelled."""

    move: ClassVar[Move] = Move.REMOTE_CANCELLED
    job_id: int
    failure: Failure
    at: datetime


@dataclass(frozen=True, slots=True)
class LinksExpired:
    """The pictures' links are dead: the result is to be asked for again."""

    move: ClassVar[Move] = Move.LINKS_EXPIRED
    job_id: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """Every picture is on disk under its final name."""

    move: ClassVar[Move] = Move.FETCHED
    job_id: int
    warnings: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """Not every picture came home; what did is kept."""

    move: ClassVar[Move] = Move.FETCH_FAILED
    job_id: int
    failure: Failure
    at: datetime


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A person ended it before the API had."""

    move: ClassVar[Move] = Move.CANCEL
    job_id: int
    failure: Failure
    at: datetime


@dataclass(frozen=True, slots=True)
class Attached:
    """A person found the request_id of a doubtful submit, and the API knows it."""

    move: ClassVar[Move] = Move.ATTACH
    job_id: int
    request_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Resubmitted:
    """A doubtful submit is sent once more: authorised, and possibly paid twice.

    `automatic`: by `--resubmit-unconfirmed`, not by a person.
    """

    move: ClassVar[Move] = Move.RESUBMIT
    job_id: int
    at: datetime
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Discarded:
    """A person let a doubtful submit go."""

    move: ClassVar[Move] = Move.DISCARD
    job_id: int
    failure: Failure
    at: datetime


@dataclass(frozen=True, slots=True)
class Reopened:
    """Polled and fetched again under the request_id it has: free. A success whose pictures are gone, too."""

    move: ClassVar[Move] = Move.REOPEN
    job_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Requeued:
    """To be submitted anew: a paid submit, agreed to by a person or by `--max-attempts`.

    `waits`: a linked job, that waits for the other's result once more and is not submitted.
    """

    move: ClassVar[Move] = Move.REQUEUE
    job_id: int
    at: datetime
    automatic: bool = False
    waits: bool = False


Outcome = (
    Unsendable
    | Linked
    | Accepted
    | NotAccepted
    | Refused
    | LeftUnconfirmed
    | RemoteDone
    | RemoteFailed
    | RemoteCancelled
    | LinksExpired
    | Fetched
    | FetchFailed
    | Cancelled
    | Attached
    | Resubmitted
    | Discarded
    | Reopened
    | Requeued
)
"""All that `Jobs.apply` takes. `Claimed` has a method of its own, as it makes the attempt."""
