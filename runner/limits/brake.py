"""What keeps a run from going on: asked by all of its tasks, pulled by whoever sees the trouble.

How far it reaches is a step: no new submits, no polls either, no downloads either. What is past its step is
cancelled where it waits; a submit on its way is shielded, and ends.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

import anyio

from jobs.pauses import PauseReason


class Reach(IntEnum):
    """What a pulled brake stops. Each step stops what the one before does, too."""

    NOTHING = 0
    SUBMITS = 1
    POLLS = 2
    DOWNLOADS = 3


_REACH: dict[PauseReason, Reach] = {
    PauseReason.BALANCE: Reach.SUBMITS,
    PauseReason.BUDGET: Reach.SUBMITS,
    PauseReason.GUARD: Reach.SUBMITS,
    PauseReason.PERSON: Reach.SUBMITS,
    PauseReason.DISK: Reach.SUBMITS,
    PauseReason.TOKEN: Reach.POLLS,
    PauseReason.OUTAGE: Reach.POLLS,
}
"""What is paid for is polled and fetched on, as far as the trouble lets it."""


def _weight(reason: PauseReason) -> tuple[Reach, bool]:
    """A full disk is told before an empty purse: it keeps pictures from coming home as well."""
    return _REACH[reason], reason is PauseReason.DISK


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a batch is paused."""

    reason: PauseReason
    detail: str


class Brake:
    """One a run. `on_pause` is told of each pause, once."""

    def __init__(self, on_pause: Callable[[Stop], None] = lambda _stop: None) -> None:
        self.reach = Reach.NOTHING
        self.stop: Stop | None = None
        self.interrupted = False
        self._on_pause = on_pause
        self._waiting: dict[anyio.CancelScope, Reach] = {}

    def pause(self, reason: PauseReason, detail: str) -> None:
        """Pause the batch. One that weighs no more than what stands already changes nothing."""
        if self.stop is not None and _weight(reason) <= _weight(self.stop.reason):
            return
        self.stop = Stop(reason, detail)
        self._on_pause(self.stop)
        self._pull(_REACH[reason])

    def interrupt(self, reach: Reach) -> None:
        """A person wants this process to end."""
        self.interrupted = True
        self._pull(reach)

    def release(self) -> None:
        """A person cleared the pause while this run was still at work."""
        if self.stop is not None and not self.interrupted and self.reach is Reach.SUBMITS:
            self.stop = None
            self.reach = Reach.NOTHING

    def stops(self, what: Reach) -> bool:
        """Whether `what` is not to be begun any more."""
        return self.reach >= what

    @contextmanager
    def guarding(self, what: Reach) -> Iterator[anyio.CancelScope]:
        """Cancels the block when the brake reaches `what`."""
        with anyio.CancelScope() as scope:
            if self.stops(what):
                scope.cancel()
            self._waiting[scope] = what
            try:
                yield scope
            finally:
                del self._waiting[scope]

    def _pull(self, reach: Reach) -> None:
        self.reach = max(self.reach, reach)
        for scope, what in self._waiting.items():
            if self.stops(what):
                scope.cancel()
