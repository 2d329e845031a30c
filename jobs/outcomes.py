"""Outcomes: what happened to a job, one class for each move. The store applies them.

Each carries only what its move needs; `move` names its entry in `jobs.states.MOVES`.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from jobs.attempts import RawAnswer
from jobs.failures import Failure
from jobs.states import Move


@dataclass(frozen=True, slots=True)
class Claimed:
    """The intent to submit, committed before the POST."""

    move: ClassVar[Move] = Move.CLAIM
    job_id: int
    uid: str
    """The attempt's own name: unique, in every database."""
    payload_sha256: str
    at: datetime
    estimate_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Unsendable:
    """The job can never be sent (its model is unknown, or the job that it waited for failed). Unpaid."""

    move: ClassVar[Move] = Move.UNSENDABLE
    job_id: int
    failure: Failure
    at: datetime


@dataclass(frozen=True, slots=True)
class Linked:
    """The job that it waited for has succeeded: both share its images, which are paid once.

    `warnings` are the other job's.
    """

    move: ClassVar[Move] = Move.LINK
    job_id: int
    warnings: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Accepted:
    """The API answered with a request_id: the job is paid from now on. A late receipt heals a doubt.

    `uid` is the attempt's; None is the job's newest.
    """

    move: ClassVar[Move] = Move.ACCEPTED
    job_id: int
    request_id: str
    at: datetime
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """Surely not accepted: nothing was sent, or it was turned away. Unpaid.

    The job is queued again; or cancelled, if a person requested that meanwhile. `told` is the reason of
    whoever turned it away, and the attempt stays in the ledger. None: nothing was sent, and it is no attempt.
    """

    move: ClassVar[Move] = Move.NOT_ACCEPTED
    job_id: int
    at: datetime
    available_at: datetime
    told: str | None = None
    answer: RawAnswer | None = None
    proven: bool = True
    """False: whoever turned it away may say so as well after the API has accepted it."""
    uid: str | None = None
    """The attempt's; None is the job's newest."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The API refused the inputs. Its reason is kept verbatim. `uid` is the attempt's; None is the newest."""

    move: ClassVar[Move] = Move.REFUSED
    job_id: int
    failure: Failure
    at: datetime
    answer: RawAnswer | None = None
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class LeftUnconfirmed:
    """Sent without a readable answer: the job may be paid. `named_id` is an id that the answer names.

    `uid` is the attempt's; None is the job's newest.
    """

    move: ClassVar[Move] = Move.UNCONFIRMED
    job_id: int
    failure: Failure
    at: datetime
    named_id: str | None = None
    answer: RawAnswer | None = None
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class RemoteDone:
    """Done at the API. `urls` are those of its images, in order."""

    move: ClassVar[Move] = Move.REMOTE_DONE
    job_id: int
    urls: tuple[str, ...]
    cost_usd: Decimal | None
    at: datetime | None = None
    """When; None where this run came too late to tell."""


@dataclass(frozen=True, slots=True)
class RemoteFailed:
    """The API reports a failure, or no longer knows the request_id."""

    move: ClassVar[Move] = Move.REMOTE_FAILED
    job_id: int
    failure: Failure
    cost_usd: Decimal | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RemoteCancelled:
    """The API reports that the job was cancelled."""

    move: ClassVar[Move] = Move.REMOTE_CANCELLED
    job_id: int
    failure: Failure
    at: datetime


@dataclass(frozen=True, slots=True)
class LinksExpired:
    """The images' links are dead: the result must be requested again."""

    move: ClassVar[Move] = Move.LINKS_EXPIRED
    job_id: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """Every image is on disk under its final name."""

    move: ClassVar[Move] = Move.FETCHED
    job_id: int
    warnings: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """Not every image could be downloaded; those that were are kept."""

    move: ClassVar[Move] = Move.FETCH_FAILED
    job_id: int
    failure: Failure
    at: datetime


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A person cancelled the job before it ended at the API."""

    move: ClassVar[Move] = Move.CANCEL
    job_id: int
    failure: Failure
    at: datetime


@dataclass(frozen=True, slots=True)
class Attached:
    """A request_id was found for a job: in the spool, in an answer, or by a person.

    The job is unconfirmed; or it has ended without images, where a person found it: as lost, discarded or
    cancelled, or in any way where the id may be that of an earlier submit. `uid` is the attempt's; None is
    the one that the id fits.
    """

    move: ClassVar[Move] = Move.ATTACH
    job_id: int
    request_id: str
    at: datetime
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class Resubmitted:
    """An unconfirmed job is queued again. The repeat is authorised, and may be paid twice.

    `automatic`: by `--resubmit-unconfirmed`, not by a person. With a `uid` it is about that submit alone.
    """

    move: ClassVar[Move] = Move.RESUBMIT
    job_id: int
    at: datetime
    automatic: bool = False
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class Discarded:
    """A person discarded an unconfirmed submit."""

    move: ClassVar[Move] = Move.DISCARD
    job_id: int
    failure: Failure
    at: datetime


@dataclass(frozen=True, slots=True)
class Reopened:
    """The job is polled and fetched again under its request_id, which is free; even a success, if its images
    are missing."""

    move: ClassVar[Move] = Move.REOPEN
    job_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Requeued:
    """The job is queued for another paid submit, allowed by a person or by `--max-attempts`.

    `waits`: a linked job, which waits for the other job's result again and is not submitted.
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
"""Every outcome that `Jobs.apply` takes. `Claimed` has a method of its own: it creates the attempt."""
