"""A runner of a server as others see it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RunnerIdentity:
    """What a process is known by, so that another one on its machine can tell whether it is gone."""

    host: str
    pid: int
    machine: str | None
    """Names the machine, its boot and its process space; None where it cannot be told."""
    begun: str | None
    version: str


@dataclass(frozen=True, slots=True)
class RunnerView:
    """A row of the runners that have not ended."""

    id: int
    identity: RunnerIdentity
    note: str
    """What it says of itself, as JSON."""
    batch: str | None
    since: datetime
    silent_seconds: float
    """Since its last beat."""
    idle_seconds: float
    """Since it was last seen to do something."""
    left_seconds: float
    """Of its lease; below 0 it is over."""
    submitting: int
    running: int
    fetching: int

    @property
    def in_hand(self) -> int:
        """How many jobs it has in hand."""
        return self.submitting + self.running + self.fetching
