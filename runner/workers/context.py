"""What all tasks of a run share: passed in, never reached for."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from anyio import CapacityLimiter
from anyio.streams.memory import MemoryObjectSendStream

from jobs.errors import NightsheetError
from jobs.store.store import Store
from jobs.views import BatchView, OpenJob
from runner.backoff import Backoff
from runner.clock import Clock
from runner.downloads.download import Downloads
from runner.limits.brake import Brake
from runner.limits.budget import Budget
from runner.limits.clock_jump import ClockJumpDetector
from runner.limits.guards import Guards
from runner.limits.health import Health
from runner.limits.throttle import Throttle
from runner.providers.base import Provider
from runner.recovery.spool import Spool
from runner.uploads.uploader import Uploader
from runner.workers.pending import PendingSubmits
from runner.workers.queue import JobQueue


@dataclass(frozen=True, slots=True)
class Timing:
    """How long and how often, as the settings say. Seconds."""

    poll_min: float
    poll_max: float
    deadline: float
    outage_limit: float
    max_attempts: int

    @property
    def polls(self) -> Backoff:
        """Between two polls of a job."""
        return Backoff(self.poll_min, max(self.poll_min, self.poll_max), factor=1.5)


@dataclass(frozen=True, slots=True)
class Time:
    """Time and chance, as they are passed in."""

    clock: Clock
    rng: random.Random
    jumps: ClockJumpDetector
    """Looked at before every submit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What may stop or slow this run."""

    brake: Brake
    health: Health
    throttle: Throttle
    budget: Budget
    guards: Guards


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """What is next, and who may take it."""

    slots: CapacityLimiter
    """One for each job in flight at the API; `tune` changes how many there are."""
    jobs: JobQueue
    pending: PendingSubmits = field(default_factory=PendingSubmits)
    """Jobs in hand that are not sent yet."""


@dataclass(frozen=True, slots=True)
class Images:
    """Images on their way out and in."""

    uploader: Uploader
    """Brings a job's images of this computer to where the API can fetch them."""
    downloads: Downloads
    ready: MemoryObjectSendStream[OpenJob]
    """Where a worker leaves a job whose images are ready. Waits while downloads lag behind."""
    name_template: str
    keep_bad: bool
    struggling: set[int] = field(default_factory=set)
    """Jobs whose images cannot be reached just now."""
    images_before: dict[int, int] = field(default_factory=dict)
    """By job whose links are asked for again: how many images had come when its trouble began."""


@dataclass(slots=True)
class Tally:
    """What this run did so far."""

    ended: int = 0
    images: int = 0
    overdue: int = 0
    resubmits_left: int = 0
    """Unconfirmed submits that `--resubmit-unconfirmed` still allows to be sent again."""


@dataclass(frozen=True, slots=True)
class Context:
    """One run over one batch: what all of its tasks share."""

    batch: BatchView
    store: Store
    provider: Provider
    spool: Spool
    time: Time
    timing: Timing
    limits: Limits
    queue: WorkQueue
    images: Images
    notice: Callable[[str], None]
    probe: Callable[[str], None] = lambda _name: None
    """Called at named places of the submit edge, so that a test may crash there."""
    tally: Tally = field(default_factory=Tally)


def must(moved: bool, key: str) -> None:
    """A move that only this process may make, and that found the job elsewhere, is a defect: stop.

    Raises:
        NightsheetError: it did.
    """
    if not moved:
        raise NightsheetError(
            f"Job {key!r} changed under this run, which nothing but this run should do.",
            hint="Run `nightsheet status`, then `nightsheet resume`. Nothing was sent twice.",
        )
