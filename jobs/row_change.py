"""What loading a sheet would do with each of its jobs."""

from dataclasses import dataclass, field

from jobs.compact_set import CompactSet
from jobs.paid import PaidSubmit
from jobs.states import JobState


@dataclass(frozen=True, slots=True)
class RowChange:
    """What loading a sheet now would do with one of its jobs."""

    kind: str
    """new, changed, unchanged; or adopted: it takes a job that says the same, sent under another key."""
    state: JobState
    """The job's state after loading. A queued job would be sent."""
    known: bool
    """Whether the batch has a current job of this key."""
    waits: bool = False
    """Whether it is linked to an identical job that is in flight: it would wait for that job's result."""

    keeps: bool = False
    """Whether it takes a current job whose own key the sheet has no more."""
    may_be_held: bool = field(default=False, compare=False)
    """Whether it would be sent for the first time, and nobody agreed to that yet."""
    held: PaidSubmit | None = None
    """What it says was paid for in another batch or database: it is not sent unasked."""


@dataclass(slots=True)
class Claims:
    """Which jobs of a batch the rows of a sheet claim. An exact key comes first, wherever its row stands: so
    all rows are seen once before any row takes a job of another key.
    """

    exact: CompactSet = field(default_factory=CompactSet)
    """Ids of jobs whose key and fingerprint a row has."""
    keys: CompactSet = field(default_factory=CompactSet)
    """Keys of rows that the batch has as well."""
    adopted: CompactSet = field(default_factory=CompactSet)
    """Ids of jobs that rows took."""
    may_adopt: bool = False
    """Whether a row says what a job that was sent says, and has none of its own that was."""
    all_seen: bool = False


NEW = RowChange("new", JobState.QUEUED, known=False, may_be_held=True)
