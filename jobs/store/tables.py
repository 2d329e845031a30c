"""The tables. Only `jobs.store` builds rows, from validated values; CHECKs reject invalid ones nevertheless.

SQLModel does not validate table classes.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    UniqueConstraint,
    false,
    literal_column,
    text,
)
from sqlmodel import Field

from jobs.attempts import SubmitOutcome
from jobs.concurrency import Concurrency
from jobs.failures import FailureKind
from jobs.pauses import PauseReason
from jobs.states import ENDED, JobState
from jobs.store.sql.expressions import Caseless, IsSet, partial_index
from jobs.store.sql.stored import Stored
from jobs.store.sqlite.columns import ConcurrencyColumn, Instant, Money, one_of

_ENDED = ", ".join(repr(str(state)) for state in sorted(ENDED))


class Batch(Stored, table=True):
    """A sheet loaded into the job table, with a name; belongs to one API origin."""

    __table_args__ = (
        UniqueConstraint("name", name="batch_name"),
        CheckConstraint(
            "(paused_reason IS NULL) = (paused_since IS NULL)", name="batch_paused_reason_and_since"
        ),
        CheckConstraint(
            f"paused_reason IS NULL OR {one_of('paused_reason', PauseReason)}", name="batch_paused_reason"
        ),
        partial_index("batch_by_account", "account_id", where="account_id IS NOT NULL"),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str
    sheet: str
    """Absolute path of the sheet. Another sheet under the same name is rejected."""
    origin: str
    created_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    last_run_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    generation: int = 0
    """The number of loads. A job with a lower generation is no longer in the sheet."""
    paused_reason: str | None = None
    paused_detail: str | None = None
    paused_since: datetime | None = Field(default=None, sa_column=Column(Instant))
    prices: dict[str, str] = Field(
        default_factory=dict, sa_column=Column(JSON, nullable=False, server_default=text("'{}'"))
    )
    """USD an image by model, as last reported by the API."""
    budget: Decimal | None = Field(default=None, sa_column=Column(Money))
    concurrency: Concurrency | None = Field(default=None, sa_column=Column(ConcurrencyColumn))
    rate: float | None = None
    """`tune` sets budget, concurrency and rate. They outlive a run."""
    dedupe: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    """Whether only one of several identical jobs is sent. `run` sets it, and it stays."""
    looked_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    """When it was last looked up what other batches and databases paid for."""
    guards_since: datetime | None = Field(default=None, sa_column=Column(Instant))
    """The guards count what happened after this time. `resume` sets it."""
    output_dir: str | None = None
    """The output folder: relative to the database's folder where it lies below, else absolute."""
    upload: str | None = None
    """How local images reach the API. A run sets both, and they outlive it."""
    account_id: int | None = Field(
        default=None, sa_column=Column(Integer, ForeignKey("apiaccount.id"), nullable=True)
    )
    """Who pays for it, by the token of its last run."""


class Job(Stored, table=True):
    """One row of the sheet: one model, one set of inputs, a stable key, a state."""

    __table_args__ = (
        UniqueConstraint("batch_id", "key", "revision", name="job_key"),
        CheckConstraint(one_of("state", JobState), name="job_state"),
        CheckConstraint(f"error_kind IS NULL OR {one_of('error_kind', FailureKind)}", name="job_error_kind"),
        CheckConstraint(f"(state IN ({_ENDED})) = (finished_at IS NOT NULL)", name="job_finished_at"),
        CheckConstraint(
            "(state IN ('failed', 'cancelled', 'unconfirmed')) = (error_kind IS NOT NULL)", name="job_error"
        ),
        CheckConstraint(
            "state NOT IN ('submitting', 'running', 'fetching', 'succeeded', 'unconfirmed') OR attempts > 0"
            " OR (state = 'succeeded' AND same_as IS NOT NULL)",
            name="job_attempts",
        ),
        CheckConstraint("same_as IS NULL OR (attempts = 0 AND NOT agreed)", name="job_same_as"),
        Index("job_by_state", "batch_id", "state", "id"),
        Index("job_in_turn", "batch_id", "state", "agreed", "turn", "id"),
        Index("job_in_sheet_order", "batch_id", "current", "position"),
        partial_index("job_by_twin", "batch_id", "same_as", where="same_as IS NOT NULL"),
        partial_index("job_by_same_as", "same_as", where="same_as IS NOT NULL"),
        partial_index("job_by_held", "batch_id", where="held IS NOT NULL"),
        partial_index("job_by_runner", "runner_id", where="runner_id IS NOT NULL"),
        partial_index("job_sent", "fingerprint", where="attempts > 0"),
        partial_index("job_ended", "batch_id", "finished_at", where="finished_at IS NOT NULL"),
        partial_index("job_unconfirmed", "batch_id", "submitted_at", where="state = 'unconfirmed'"),
        Index("job_folder", "batch_id", Caseless(literal_column("folder")), unique=True),
    )

    id: int | None = Field(default=None, primary_key=True)
    batch_id: int = Field(sa_column=Column(Integer, ForeignKey("batch.id"), nullable=False))
    key: str
    revision: int = 1
    folder: str
    """The folder of its images, below the batch's folder. Unique, ignoring case."""
    position: int
    """Order in the sheet, from 0."""
    row: int
    """Line in the sheet, from 1, as in an editor."""
    generation: int
    current: bool = Field(default=True, sa_column=Column(Boolean, nullable=False))
    """Whether the sheet still has it. Otherwise it is neither sent nor in the manifest."""
    agreed: bool = Field(default=False, sa_column=Column(Boolean, nullable=False))
    """Whether a person consented to pay for its next submit."""
    turn: float = Field(default=0.0, sa_column=Column(Float, nullable=False, server_default=text("'0'")))
    """Jobs are claimed in this order, the lowest first: the negated priority."""
    model: str
    fingerprint: str
    inputs: str
    """The exact JSON that is sent, except that local images are named by their content."""
    pictures: int
    """The most images that it asks for."""
    columns: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    warnings: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    state: str
    available_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    attempts: int = 0
    """The number of its newest attempt, the open one included."""
    failed_runs: int = 0
    """How many attempts failed at the API, for `--max-attempts`."""
    same_as: int | None = Field(default=None, sa_column=Column(Integer, ForeignKey("job.id")))
    """The identical job that is sent instead of it. A linked job has no submit of its own; it waits for that
    job's result, or shares it."""
    held: dict[str, Any] | None = Field(
        default=None,
        sa_column=Column(
            JSON(none_as_null=True), CheckConstraint("held IS NULL OR NOT agreed", name="job_held")
        ),
    )
    """Where and when what it says was paid for before, under another batch or in another database. A held job
    is never agreed to, so it is never sent."""
    authorised: int = 0
    """How many submits beyond the first a person or a setting allowed. `audit` checks the ledger by it."""
    unproven: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("'0'")))
    """How many answers in a row have turned its submit away without proof, in whatever runs."""
    cancel_requested: bool = Field(default=False, sa_column=Column(Boolean, nullable=False))
    error_kind: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    created_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    submitted_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    finished_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    runner_id: int | None = None
    """Whose it is, on a server: it means something while that runner lives."""


class Attempt(Stored, table=True):
    """One submit that left this machine: the ledger of what was or may have been paid for."""

    __table_args__ = (
        UniqueConstraint("uid", name="attempt_uid"),
        UniqueConstraint("job_id", "number", name="attempt_number"),
        UniqueConstraint("request_id", name="attempt_request_id"),
        CheckConstraint(one_of("outcome", SubmitOutcome), name="attempt_outcome"),
        CheckConstraint("(outcome = 'turned_away') = (number IS NULL)", name="attempt_numbered"),
        CheckConstraint("(outcome = 'accepted') = (request_id IS NOT NULL)", name="attempt_accepted"),
        CheckConstraint("length(request_id) BETWEEN 1 AND 128", name="attempt_request_id_length"),
        CheckConstraint("length(named_id) BETWEEN 1 AND 128", name="attempt_named_id_length"),
        partial_index("attempt_turned_away", "job_id", where="outcome = 'turned_away'"),
        partial_index("attempt_automatic", "job_id", where=IsSet(literal_column("automatic"))),
        partial_index("attempt_unanswered", "job_id", where="outcome = 'unanswered'"),
    )

    id: int | None = Field(default=None, primary_key=True)
    uid: str
    """A name of its own, by which a receipt finds it whatever became of its job."""
    job_id: int = Field(sa_column=Column(Integer, ForeignKey("job.id"), nullable=False))
    number: int | None = None
    """From 1, within its job. One that was turned away has none: it was not accepted."""
    payload_sha256: str
    """SHA-256 of the exact bytes that are POSTed."""
    started_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    answered_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    outcome: str
    request_id: str | None = None
    named_id: str | None = None
    """An id in an answer that is no receipt. The API is asked whether it knows it."""
    answer: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """What was answered where that is no receipt: status, headers and the start of the body."""
    automatic: bool = Field(default=False, sa_column=Column(Boolean, nullable=False))
    """Whether a setting, not a person, allowed the repeat that follows this attempt."""
    urls: list[str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """The URLs of the images, once the API is done."""
    cost_usd: Decimal | None = Field(default=None, sa_column=Column(Money))
    """The cost that the API reported."""
    estimate_usd: Decimal | None = Field(default=None, sa_column=Column(Money))
    """The most that it may cost, by the price known when it was sent."""
    ended: str | None = None
    """How it ended at the API: done, or a FailureKind."""
    detail: str | None = None
    """The reason in short, where the submit was not accepted or failed at the API."""
    ended_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    """When its run ended at the API, where a run saw that: failed or, polled in time, done."""
    runner_id: int | None = None
    """Who sent it, on a server."""


class Artifact(Stored, table=True):
    """An image on disk: complete, decoded and hashed, under its final name."""

    __table_args__ = (
        UniqueConstraint("attempt_id", "number", name="artifact_number"),
        CheckConstraint("bytes > 0 AND width > 0 AND height > 0", name="artifact_size"),
        Index("artifact_by_job", "job_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    job_id: int = Field(sa_column=Column(Integer, ForeignKey("job.id"), nullable=False))
    attempt_id: int = Field(sa_column=Column(Integer, ForeignKey("attempt.id"), nullable=False))
    number: int
    """From 1, in the API's order."""
    path: str
    """Relative to the batch's output folder; absolute where that is unknown or the file is elsewhere."""
    url: str
    sha256: str
    bytes: int
    width: int
    height: int
    content_type: str


class Reference(Stored, table=True):
    """A place of a local image that jobs name by its content. An image may have several places."""

    __table_args__ = (
        UniqueConstraint("sha256", "path", name="reference_place"),
        CheckConstraint("length(sha256) = 64", name="reference_sha256"),
        CheckConstraint("bytes > 0", name="reference_bytes"),
    )

    id: int | None = Field(default=None, primary_key=True)
    sha256: str
    path: str
    """Absolute, from the time when a sheet was loaded."""
    bytes: int
    media_type: str


class Run(Stored, table=True):
    """One process lifetime over a batch. A second runner can report who holds the database."""

    id: int | None = Field(default=None, primary_key=True)
    batch_id: int = Field(sa_column=Column(Integer, ForeignKey("batch.id"), nullable=False))
    pid: int
    host: str
    started_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    exit_code: int | None = None


class Identity(Stored, table=True):
    """The one row that names this database. A copy of the file has the same name.

    On a server it also says who works on it. A file has a lock of the operating system for that.
    """

    __table_args__ = (
        CheckConstraint("id = 1", name="identity_one"),
        CheckConstraint("length(uid) = 32", name="identity_uid"),
    )

    id: int | None = Field(default=None, primary_key=True)
    uid: str
    epoch: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    """One more with each process that takes the lock of a server's database: who of the version before slept
    meanwhile is refused by it."""
    holder: str | None = None
    """What that process says of itself, as JSON."""


class SettledJournal(Stored, table=True):
    """A journal file that is settled, to its last line or so far: the table has what it says up to there."""

    name: str = Field(primary_key=True)
    stamp: str
    """Bytes and times of its copies when the table agreed with all of it; empty where it never did."""
    settled_to: str | None = None
    """How far it was settled while a run went on, as JSON: bytes, then where lines of open submits begin."""
