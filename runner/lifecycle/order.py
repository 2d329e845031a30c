"""What one run is asked to do, and what it works with. The database is held for it."""

from dataclasses import dataclass
from pathlib import Path

from anyio.streams.memory import MemoryObjectSendStream

from jobs.paths import folder_name
from jobs.store.store import Store
from jobs.views import BatchView, JobView, OpenJob
from jobs.workload import Workload
from runner.downloads.disk import Disk
from runner.environment import Environment
from runner.events.observer import Observer
from runner.http.image_client import ImageClient
from runner.planning.consent import Consent
from runner.planning.selection import WHOLE, SelectedJobs, Selection
from runner.recovery.recover import Recovered
from runner.recovery.spool import Spool
from runner.settings import Settings
from runner.uploads.object_store import Bucket


@dataclass(frozen=True, slots=True)
class Order:
    """One run over one batch, as it was asked for."""

    store: Store
    batch: BatchView
    settings: Settings
    environment: Environment
    consent: Consent
    observer: Observer
    selection: Selection = WHOLE
    """What of the batch it is for, where that is not all of it."""
    prune: bool = False
    """Whether the API is to cancel what waits there and is gone from the sheet."""

    @property
    def folder(self) -> Path:
        """The batch's folder: images and manifests."""
        return self.settings.output_root / folder_name(self.batch.name)


@dataclass(frozen=True, slots=True)
class Scope:
    """What there is to do: what was found under way, what is to be sent, and what is sent again."""

    found: Recovered
    selected: SelectedJobs | None
    """The jobs of the order's part; None where it is for the whole batch."""
    queued: Workload
    unconfirmed: tuple[JobView, ...]
    """What `--resubmit-unconfirmed` sends again, once all else is agreed to."""

    def __bool__(self) -> bool:
        return bool(self.queued or self.unconfirmed or self.found.running or self.found.fetching)


@dataclass(frozen=True, slots=True)
class Resources:
    """What is open for the length of a run."""

    spool: Spool
    image_client: ImageClient
    disk: Disk
    bucket: Bucket | None
    ready: MemoryObjectSendStream[OpenJob]
    """From the workers to the downloads."""
