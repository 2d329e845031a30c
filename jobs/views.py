"""The views that the store returns: frozen snapshots, never live rows."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from jobs.attempts import RawAnswer, SubmitOutcome
from jobs.concurrency import Concurrency
from jobs.errors import UsageProblem
from jobs.failures import Failure
from jobs.outcomes import Attached
from jobs.paid import Held
from jobs.pauses import PauseReason
from jobs.review.decisions import DecisionView
from jobs.states import JobState


@dataclass(frozen=True, slots=True)
class Pause:
    """Why and since when a batch is paused."""

    reason: PauseReason
    detail: str
    since: datetime


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch."""

    id: int
    name: str
    sheet: str
    origin: str
    created_at: datetime
    paused: Pause | None
    prices: dict[str, Decimal] = field(default_factory=dict)
    budget: Decimal | None = None
    concurrency: Concurrency | None = None
    rate: float | None = None
    dedupe: bool = False
    guards_since: datetime | None = None
    """The guards count what happened after this time; None counts everything."""
    output_root: str | None = None
    upload: str | None = None

    @property
    def mark(self) -> str:
        """Eight digits that no other batch of any database has, in the names of its incomplete files."""
        told = f"{self.origin} {self.name} {self.created_at.isoformat()}"
        return hashlib.blake2b(told.encode(), digest_size=4).hexdigest()

    def check_origin(self, origin: str) -> None:
        """Check that the batch belongs to this API origin: its request_ids mean nothing elsewhere.

        Raises:
            UsageProblem: it belongs to another origin.
        """
        if self.origin != origin:
            raise UsageProblem(
                f"The batch {self.name!r} belongs to {self.origin}, not to {origin}.",
                hint="Use the API it was begun with, or give the sheet another batch with --batch NAME.",
            )


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job that may be claimed. `inputs` is the exact JSON to send, but local images by their content."""

    id: int
    key: str
    row: int
    model: str
    inputs: str
    pictures: int
    turn: float = 0.0
    fingerprint: str = ""

    @property
    def place(self) -> "Place":
        """The job's place in the queue."""
        return self.turn, self.id


Place = tuple[float, int]
"""A job's turn and, among jobs with the same turn, its id."""
FRONT: Place = (float("-inf"), 0)


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that the API has: it is to be polled, or its images are to be downloaded."""

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
    """The cost that the API has reported already, if its result was requested before."""
    has_images: bool = False
    """Whether images of the attempt are recorded already."""

    @property
    def counted_usd(self) -> Decimal | None:
        """The amount that the budget counts for it: its cost, or else the estimate."""
        return self.estimate_usd if self.cost_usd is None else self.cost_usd


@dataclass(frozen=True, slots=True)
class JobColumns:
    """What a table of a batch's jobs has for columns, in the order in which the sheet first uses them."""

    models: tuple[str, ...]
    own: tuple[str, ...]
    """The user's own columns."""
    linked: bool
    """Whether any job has the result of another."""


@dataclass(frozen=True, slots=True)
class UnconfirmedJob:
    """An unconfirmed job whose answer named an id that is no receipt. `uid` is the attempt's."""

    id: int
    key: str
    model: str
    uid: str
    named_id: str


@dataclass(frozen=True, slots=True)
class ArtifactView:
    """An image on disk; `path` is absolute."""

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
    """A local image's place when a sheet that names it was loaded; `path` is absolute."""

    sha256: str
    path: str
    bytes: int
    media_type: str


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One submit in the ledger. `state` and `authorised` are the job's."""

    id: int
    uid: str
    job_id: int
    key: str
    row: int
    number: int | None
    """None for one that was turned away: it was not accepted."""
    payload_sha256: str
    started_at: datetime
    answered_at: datetime | None
    outcome: SubmitOutcome
    request_id: str | None
    named_id: str | None
    """An id in an answer that was no receipt."""
    answer: RawAnswer | None
    """What was answered where that was no receipt."""
    cost_usd: Decimal | None
    estimate_usd: Decimal | None
    ended: str | None
    detail: str | None
    automatic: bool
    state: JobState
    authorised: int


@dataclass(frozen=True, slots=True)
class JobView:
    """A job, with everything that a manifest contains."""

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
    """Whether a person consented to pay for its next submit."""
    fingerprint: str = ""
    twin: "Twin | None" = None
    """The identical job that is sent instead of this one: `images` are that job's."""
    named_id: str | None = None
    """An id in the answer to its newest submit, where that was no receipt."""
    answer: RawAnswer | None = None
    """That answer."""
    held: Held | None = None
    """Where and when what it says was paid for before: it waits for a person."""
    decisions: tuple[DecisionView, ...] = ()
    """What a person decided about its images, those of older images too."""


@dataclass(frozen=True, slots=True)
class Twin:
    """The job that a linked job waits for, or shares the result of."""

    id: int
    key: str
    state: JobState
    current: bool
    """Whether the sheet still has it."""
    alike: bool
    """Whether both are still identical: a row that was never sent may be edited in place."""


@dataclass(frozen=True, slots=True)
class Account:
    """The cost of a batch so far, in USD: as reported by the API, and estimates where it reported none."""

    reported_usd: Decimal
    estimated_usd: Decimal
    submits: int
    """Attempts that were or may have been accepted."""
    turned_away: int = 0
    """Attempts that were answered and surely not accepted: free, and not among `submits`."""
    unpriced: int = 0
    """Accepted attempts whose price nobody knows: they count as nothing in the sums."""

    @property
    def spent_usd(self) -> Decimal:
        return self.reported_usd + self.estimated_usd


@dataclass(frozen=True, slots=True)
class CancelCounts:
    """The result of a cancel request: jobs ended in the queue, unpaid, and jobs that the API is asked for."""

    queued: int
    asked: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A request_id that an earlier version kept in its spool, and the key of its job."""

    key: str
    outcome: Attached


@dataclass(frozen=True, slots=True)
class Settled:
    """What recovery did with the open submits of an earlier run."""

    unconfirmed: int
    attached: int
    left: tuple[Receipt, ...]
    """Receipts that match no job, and whose request_id no attempt has."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What loading a sheet did to its batch."""

    total: int
    new: int
    changed: int
    unchanged: int
    gone: int
    unsent: int = 0
    """Jobs among `gone` that were not sent yet, and are cancelled, unpaid."""
    adopted: int = 0
    """Rows that took a job that says the same, and was sent under another key."""


@dataclass(frozen=True, slots=True)
class Warned:
    """Warnings about jobs to send: how many jobs have one, and row, key and text of the first ones."""

    jobs: int
    first: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """One of several identical jobs. `unsent`: it is queued, and was never submitted."""

    id: int
    key: str
    model: str
    pictures: int
    state: JobState
    agreed: bool
    unsent: bool


@dataclass(frozen=True, slots=True)
class LinkCounts:
    """Counts of the sheet's linked jobs: those that share another job's result, those that wait for it, and
    those among the latter whose other job is queued without consent."""

    succeeded: int = 0
    waiting: int = 0
    idle: int = 0


@dataclass(frozen=True, slots=True)
class LinkedJob:
    """A linked job, and the key of the job sent instead of this one."""

    key: str
    row: int
    state: JobState
    same_as: str


@dataclass(frozen=True, slots=True)
class RunView:
    """The process that runs, or ran, a batch."""

    batch: str
    pid: int
    host: str
    started_at: datetime
    ended_at: datetime | None = None
    exit_code: int | None = None
