"""What the store hands out: frozen snapshots, never live rows."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from jobs.attempts import SubmitOutcome
from jobs.errors import UsageProblem
from jobs.failures import Failure
from jobs.outcomes import Attached
from jobs.pauses import PauseReason
from jobs.states import JobState


@dataclass(frozen=True, slots=True)
class Pause:
    """Why and since when a batch stands still."""

    reason: PauseReason
    detail: str
    since: datetime


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch as it stands."""

    id: int
    name: str
    sheet: str
    origin: str
    created_at: datetime
    paused: Pause | None
    prices: dict[str, Decimal] = field(default_factory=dict)
    budget: Decimal | None = None
    concurrency: int | None = None
    rate: float | None = None
    dedupe: bool = False

    def check_origin(self, origin: str) -> None:
        """A batch belongs to one API origin: its request_ids mean nothing elsewhere.

        Raises:
            UsageProblem: it belongs to another.
        """
        if self.origin != origin:
            raise UsageProblem(
                f"The batch {self.name!r} belongs to {self.origin}, not to {origin}.",
                hint="Use the API it was begun with, or give the sheet another batch with --batch NAME.",
            )


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job that may be claimed. `inputs` is the JSON to be sent, to the byte, but for pictures of this
    computer, which are named by their content."""

    id: int
    key: str
    row: int
    model: str
    inputs: str
    pictures: int
    turn: float = 0.0

    @property
    def place(self) -> "Place":
        """Where it stands in the queue."""
        return self.turn, self.id


Place = tuple[float, int]
"""A job's turn, and its id among those with the same turn."""
FRONT: Place = (float("-inf"), 0)


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that the API has: to be polled, or its pictures to be fetched."""

    id: int
    key: str
    row: int
    model: str
    folder: str
    pictures: int
    state: JobState
    attempt_id: int
    request_id: str
    submitted_at: datetime
    failed_runs: int
    urls: tuple[str, ...] | None
    estimate_usd: Decimal | None
    warnings: tuple[str, ...] = ()
    cost_usd: Decimal | None = None
    """What the API has told already, if its result was asked for before."""

    @property
    def counted_usd(self) -> Decimal | None:
        """What the books hold for it: its cost, or else the estimate."""
        return self.estimate_usd if self.cost_usd is None else self.cost_usd


@dataclass(frozen=True, slots=True)
class ArtifactView:
    """A picture we hold; `path` is absolute."""

    number: int
    path: str
    url: str
    sha256: str
    bytes: int
    width: int
    height: int
    content_type: str


@dataclass(frozen=True, slots=True)
class ReferenceView:
    """Where a picture of this computer was when a sheet was loaded that names it; `path` is absolute."""

    sha256: str
    path: str
    bytes: int
    media_type: str


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One line of the ledger. `state` and `authorised` are the job's."""

    id: int
    job_id: int
    key: str
    row: int
    number: int
    payload_sha256: str
    started_at: datetime
    answered_at: datetime | None
    outcome: SubmitOutcome
    request_id: str | None
    cost_usd: Decimal | None
    estimate_usd: Decimal | None
    ended: str | None
    detail: str | None
    automatic: bool
    state: JobState
    authorised: int


@dataclass(frozen=True, slots=True)
class JobView:
    """A job with all that a manifest says of it."""

    id: int
    batch: str
    key: str
    revision: int
    current: bool
    row: int
    model: str
    state: JobState
    inputs: str
    pictures: int
    attempts: int
    """Submits that were or may have been accepted."""
    request_id: str | None
    cost_usd: Decimal | None
    estimate_usd: Decimal | None
    failure: Failure | None
    warnings: tuple[str, ...]
    columns: dict[str, str]
    created_at: datetime
    submitted_at: datetime | None
    finished_at: datetime | None
    images: tuple[ArtifactView, ...]
    turn: float = 0.0
    agreed: bool = False
    """Whether a person agreed to pay for its next submit."""
    fingerprint: str = ""
    twin: "Twin | None" = None
    """The job that says the same and is sent in this one's stead: `images` are that job's."""


@dataclass(frozen=True, slots=True)
class Twin:
    """The job that a linked one waits for, or has the result of."""

    id: int
    key: str
    state: JobState
    current: bool
    """Whether the sheet still has it."""
    alike: bool
    """Whether it still says the same: a row that was never sent may be edited in place."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a batch has cost so far, in USD: the API's own figures, and estimates where it gave none."""

    reported_usd: Decimal
    estimated_usd: Decimal
    submits: int
    """Attempts that were or may have been accepted."""

    @property
    def spent_usd(self) -> Decimal:
        return self.reported_usd + self.estimated_usd


@dataclass(frozen=True, slots=True)
class CancelCounts:
    """What a wish to cancel met: ended in the queue (free), and asked of the API."""

    queued: int
    asked: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A request_id that was kept beside the database, and the key of the job that it is for."""

    key: str
    outcome: Attached


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the submits that a run left open."""

    unconfirmed: int
    attached: int
    left: tuple[Receipt, ...]
    """Receipts that fit no job and are held by none."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What loading a sheet did to its batch."""

    total: int
    new: int
    changed: int
    unchanged: int
    gone: int
    unsent: int = 0
    """Of those that are gone: cancelled before they were sent, free."""


@dataclass(frozen=True, slots=True)
class Warned:
    """Warnings of what is to be sent: how many jobs have one; row, key and words of the first."""

    jobs: int
    first: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """One of several jobs that send the same. `unsent`: it is queued, and no submit of it was ever made."""

    id: int
    key: str
    model: str
    pictures: int
    state: JobState
    agreed: bool
    unsent: bool


@dataclass(frozen=True, slots=True)
class LinkCounts:
    """Linked jobs of the sheet: how many have another's result, how many wait for it, and how many of these
    for a job that nobody agreed to send yet."""

    succeeded: int = 0
    waiting: int = 0
    idle: int = 0


@dataclass(frozen=True, slots=True)
class LinkedJob:
    """A linked job, and the key of the one that was sent in its stead."""

    key: str
    row: int
    state: JobState
    same_as: str


@dataclass(frozen=True, slots=True)
class RunView:
    """Who runs, or ran, a batch."""

    batch: str
    pid: int
    host: str
    started_at: datetime
