"""What one run is asked to do, and its resources. The database's lock is held meanwhile."""

import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from anyio.streams.memory import MemoryObjectSendStream

from jobs.disk.paths import folder_name
from jobs.paid import PaidElsewhere
from jobs.pauses import Wait
from jobs.store.store import Store
from jobs.track_record import NO_RECORD, TrackRecord
from jobs.views import BatchView, JobView, OpenJob, Pause
from jobs.workload import Workload
from runner.downloads.disk import Disk
from runner.environment import Environment
from runner.events.observer import Observer
from runner.http.image_client import ImageClient
from runner.planning.consent import Consent
from runner.planning.selection import WHOLE, SelectedJobs, Selection
from runner.recovery.elsewhere import PaidByJournals
from runner.recovery.file_watch import TableGuard
from runner.recovery.journal import SubmitJournal
from runner.recovery.lock import Phase, say_phase, say_waiting
from runner.recovery.recover import Recovered
from runner.recovery.server_lock import Keeper
from runner.settings import Settings
from runner.uploads.object_store import Bucket

LastWords = Callable[[str], Awaitable[None]]
"""Takes the batch's name."""


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a sheet is loaded into its batch. Each None leaves the choice to the sheet or to the batch."""

    batch: str | None = None
    """The batch's name."""
    model: str | None = None
    """The model of rows that name none."""
    priority_by: str | None = None
    """The column with each row's priority."""
    dedupe: bool | None = None
    """Whether only one of several identical jobs is submitted, in later runs as well. False undoes that for
    jobs that still wait."""
    prune: bool = False
    """Whether to have the API cancel jobs that are removed from the sheet and still wait there."""


@dataclass(frozen=True, slots=True)
class Order:
    """One requested run over one batch."""

    store: Store
    batch: BatchView
    settings: Settings
    environment: Environment
    consent: Consent
    observer: Observer
    selection: Selection = WHOLE
    """Which jobs of the batch the run is for."""
    prune: bool = False
    """Whether to have the API cancel jobs that are removed from the sheet and still wait there."""
    resumes: bool = False
    """Whether it clears every pause, as `resume` does; `run` leaves a guard's and a person's."""
    paused_before: Pause | None = None
    """The pause that the batch had when the run began."""
    looked_at: datetime | None = None
    """When it was looked up what was paid for elsewhere."""
    elsewhere: PaidElsewhere = field(default_factory=dict)
    """What other databases paid for at this API."""
    journals: PaidByJournals | None = None
    """Theirs, which tell what they send from now on."""
    keeper: Keeper | None = None
    """Keeps the lock of a database on a server; a file's lock is beside it."""
    last_words: LastWords | None = None
    """Says how the batch stands where the process is about to end at once."""

    async def say_last_words(self) -> None:
        """Say how the batch stands, where somebody wants to know."""
        if self.last_words is not None:
            await self.last_words(self.batch.name)

    def say_phase(self, phase: Phase) -> None:
        """Let other processes know how the run stands."""
        if self.keeper is None:
            say_phase(self.settings.database, phase)
        else:
            self.keeper.say_phase(phase)

    def say_waiting(self, waiting: Wait | None) -> None:
        """Let other processes know why nothing moves at the moment."""
        if self.keeper is None:
            say_waiting(self.settings.database, waiting)
        else:
            self.keeper.say_waiting(waiting)

    @property
    def resume_command(self) -> str:
        """The command that clears the batch's pause."""
        emulator = ["--emulator"] if self.settings.emulator else []
        return shlex.join(["nightsheet", "resume", self.batch.name, *emulator])

    @property
    def folder(self) -> Path:
        """The batch's folder: images and manifests."""
        return self.settings.output_root / folder_name(self.batch.name)


@dataclass(frozen=True, slots=True)
class Scope:
    """The work of a run: jobs found in flight, jobs to submit, and submits to repeat."""

    found: Recovered
    selected: SelectedJobs | None
    """The jobs of the order's selection; None for the whole batch."""
    queued: Workload
    unconfirmed: tuple[JobView, ...]
    """Jobs that `--resubmit-unconfirmed` sends again, after consent to the rest."""
    record: TrackRecord = NO_RECORD
    """What the guards know of earlier runs."""
    held: int = 0
    """Rows that were paid for before, and that nobody released: they are not sent."""

    def __bool__(self) -> bool:
        return bool(self.queued or self.unconfirmed or self.found.ids)


@dataclass(frozen=True, slots=True)
class Resources:
    """Resources that stay open for the length of a run."""

    journal: SubmitJournal
    files: TableGuard
    image_client: ImageClient
    disk: Disk
    bucket: Bucket | None
    ready: MemoryObjectSendStream[OpenJob]
    """Carries jobs from the workers to the download tasks."""
