"""The context that all tasks of a run share. It is passed in, never global."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeVar

from anyio import CapacityLimiter
from anyio.streams.memory import MemoryObjectSendStream

from jobs.errors import NightsheetError
from jobs.store.sqlite.thumb_file import ThumbFile
from jobs.store.store import Store
from jobs.views import BatchView, OpenJob
from runner.backoff import Backoff
from runner.clock import Clock
from runner.downloads.download import Downloads
from runner.downloads.late_decode import LateDecodes
from runner.limits.account_line import AccountLine
from runner.limits.brake import Brake
from runner.limits.budget import Budget
from runner.limits.clock_jump import ClockJumpDetector
from runner.limits.concurrency import InFlight
from runner.limits.guards import Guards
from runner.limits.health import Health
from runner.limits.poll_pace import PollPace
from runner.limits.poll_schedule import LearnedPolls
from runner.limits.queue_pace import QueuePace
from runner.limits.throttle import Throttle
from runner.providers.base import Provider
from runner.recovery.file_watch import TableGuard
from runner.recovery.journal import SubmitJournal
from runner.uploads.uploader import Uploader
from runner.workers.edge.sent_elsewhere import SentElsewhere
from runner.workers.known_ids import KnownIds
from runner.workers.pending import PendingSubmits
from runner.workers.queue import JobQueue

T = TypeVar("T")

Defect = Callable[[str, BaseException], None]
"""Called with a job's key and an error that nothing here expects."""
_FIRST_WAIT_SECONDS = 1.0
"""Of polls of a model that nothing is known of."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Intervals and limits from the settings. Times are in seconds."""

    poll_min: float
    poll_max: float
    deadline: float
    outage_limit: float
    max_attempts: int

    @property
    def polls(self) -> Backoff:
        """The waits between two polls of a job, as long as nothing is known of its model."""
        longest = max(self.poll_min, self.poll_max)
        return Backoff(min(longest, max(self.poll_min, _FIRST_WAIT_SECONDS)), longest, factor=1.5)


@dataclass(frozen=True, slots=True)
class Time:
    """Clock and randomness, injected."""

    clock: Clock
    rng: random.Random
    jumps: ClockJumpDetector
    """Checked before every submit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The parts that may stop or slow this run."""

    brake: Brake
    health: Health
    in_flight: InFlight
    throttle: Throttle
    budget: Budget
    guards: Guards
    account: AccountLine
    """What other runs of the account are counted in, too."""


@dataclass(frozen=True, slots=True)
class Polling:
    """What is known of how long requests wait and work at the API, and how often it may be asked."""

    learned: LearnedPolls
    pace: PollPace
    queue: QueuePace = field(default_factory=QueuePace)


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """The jobs that are next, and the slots for them."""

    slots: CapacityLimiter
    """One slot for each job in flight at the API; `tune` changes their number."""
    jobs: JobQueue
    pending: PendingSubmits = field(default_factory=PendingSubmits)
    """Jobs that a worker holds and has not sent yet."""


@dataclass(frozen=True, slots=True)
class Images:
    """Upload and download of images."""

    uploader: Uploader
    """Puts a job's local images where the API can fetch them."""
    downloads: Downloads
    ready: MemoryObjectSendStream[OpenJob]
    """Takes a job whose images are ready to download. Sending waits while downloads lag behind."""
    name_template: str
    keep_bad: bool
    struggling: set[int] = field(default_factory=set)
    """Jobs with an image that cannot be downloaded at the moment."""
    images_before: dict[int, int] = field(default_factory=dict)
    """For each job that waits for new links: the run's image count when its first download failed."""
    late: LateDecodes = field(default_factory=LateDecodes)
    """Takes images once their job has succeeded: for a decode, if there was none yet, and a thumbnail."""
    thumbs: ThumbFile | None = None
    """Keeps their thumbnails; None keeps none."""


@dataclass(slots=True)
class Tally:
    """Counters of this run."""

    ended: int = 0
    images: int = 0
    overdue: int = 0
    resubmits_left: int = 0
    """How many more unconfirmed submits `--resubmit-unconfirmed` allows to be repeated."""


@dataclass(frozen=True, slots=True)
class Context:
    """All that the tasks of one run over one batch share."""

    batch: BatchView
    store: Store
    provider: Provider
    journal: SubmitJournal
    files: TableGuard
    """The database's files, or its lock on a server: looked at before each submit."""
    time: Time
    timing: Timing
    limits: Limits
    queue: WorkQueue
    polling: Polling
    known_ids: KnownIds
    images: Images
    notice: Callable[[str], None]
    elsewhere: SentElsewhere | None = None
    """Other databases, looked at before each submit; None where what they pay for does not matter."""
    probe: Callable[[str], None] = lambda _name: None
    """Called at named points of the submit edge, so that a test may crash there."""
    tally: Tally = field(default_factory=Tally)


class Lost(Enum):
    """What came of a move of a job that is another runner's by now."""

    LOST = auto()
    """This runner was taken for dead, or a person has decided about the job: it is let go, no more."""


LOST = Lost.LOST


def must(run: Context, moved: T | None, key: str) -> T | Lost:
    """What came of a move of a job in hand. `LOST` where another runner of a server has taken it over.

    Raises:
        NightsheetError: over a file, where only this process may make it, the job was in another state.
    """
    if moved:
        return moved
    if run.files.is_shared:
        return LOST
    raise NightsheetError(
        f"Job {key!r} changed under this run, which nothing but this run should do.",
        hint="Run `nightsheet status`, then `nightsheet resume`. Nothing was sent twice.",
    )
