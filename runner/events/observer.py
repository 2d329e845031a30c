"""What a run tells whoever watches it: where it stands, and what a person should read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from jobs.states import JobState
from jobs.views import Account, Pause


@dataclass(frozen=True, slots=True)
class Progress:
    """A run at a glance. Counts are over the whole batch, `ended_here` and `seconds` over this run."""

    batch: str
    counts: Mapping[JobState, int]
    images: int
    """Brought home in this run."""
    account: Account
    budget_usd: Decimal | None
    ended_here: int
    """Jobs that came to an end in this run."""
    seconds: float
    """Since this run began."""
    done_at: datetime | None
    """When nothing will be left to do at this pace; None while that cannot be told."""
    paused: Pause | None
    waiting_for: str | None
    """Why nothing moves just now, in words: an outage that is ridden out, a rate limit."""

    @property
    def total(self) -> int:
        return sum(self.counts.values())


class Observer(Protocol):
    """Whoever looks on. Must not block."""

    def progress(self, progress: Progress) -> None:
        """Called about once a second, and once at the end."""
        ...

    def notice(self, text: str) -> None:
        """Something a person should read, once."""
        ...


class Silent:
    """Nobody looks on."""

    def progress(self, progress: Progress) -> None:
        pass

    def notice(self, text: str) -> None:
        pass
