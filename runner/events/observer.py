"""The observer of a run: receives its progress and its notices."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from jobs.pauses import Wait
from jobs.states import JobState
from jobs.views import Account, Pause


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run. `counts` and `account` cover the batch, the other figures this run."""

    batch: str
    counts: Mapping[JobState, int]
    images: int
    """Downloaded in this run."""
    account: Account
    budget_usd: Decimal | None
    ended_here: int
    """Jobs that ended in this run."""
    seconds: float
    """Since this run began."""
    done_at: datetime | None
    """When the batch will be done at the present throughput; None while that is unknown."""
    paused: Pause | None
    waiting_for: str | None
    """Why nothing moves at the moment, for a person: an outage, a busy API, a limit of the account."""
    waiting: Wait | None = None
    """The same for other programs."""
    to_come_usd: Decimal | None = None
    """What the queued jobs cost at most; None while a price is unknown."""
    idle_seconds: float = 0.0
    """Of `seconds`, those before anything could be sent: an outage at the start says nothing of the pace."""

    @property
    def total(self) -> int:
        return sum(self.counts.values())


class Observer(Protocol):
    """Receives the progress and the notices of a run. Its methods must not block."""

    def progress(self, progress: Progress) -> None:
        """Called about once a second, and once at the end."""
        ...

    def notice(self, text: str) -> None:
        """Called once with a text that a person should read."""
        ...
