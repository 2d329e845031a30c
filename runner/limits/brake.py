"""The brake: stops a run, or a part of its work. Any task may pull it, and all tasks obey it.

It has three steps: it stops new submits, then polls as well, then downloads as well. Tasks that a step stops
are cancelled where they wait. A submit in flight is shielded, and ends by itself.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

import anyio

from jobs.pauses import PauseReason


class Reach(IntEnum):
    """What a pulled brake stops. Each step includes those before it."""

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
"""What each reason stops. Paid jobs are still polled and fetched, as far as the cause permits."""


def _weight(reason: PauseReason) -> tuple[Reach, bool]:
    """A full disk outweighs an empty balance: it stops downloads of paid images as well."""
    return _REACH[reason], reason is PauseReason.DISK


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a batch is paused."""

    reason: PauseReason
    detail: str


class Brake:
    """The brake of one run, which may begin with a `stop`.

    `on_pause` is called once for each later pause, `on_change` after each step.
    """

    def __init__(
        self,
        on_pause: Callable[[Stop], None] = lambda _stop: None,
        on_change: Callable[["Brake"], None] = lambda _brake: None,
        *,
        stop: Stop | None = None,
    ) -> None:
        self.stop = stop
        self.reach = Reach.NOTHING if stop is None else _REACH[stop.reason]
        self.interrupted = False
        self.ending = False
        """The run does not go on in this process, whatever a person clears."""
        self._on_pause = on_pause
        self._on_change = on_change
        self._waiting: dict[anyio.CancelScope, Reach] = {}

    def pause(self, reason: PauseReason, detail: str) -> None:
        """Pause the batch. Nothing changes if the current pause is at least as severe."""
        if self.stop is not None and _weight(reason) <= _weight(self.stop.reason):
            return
        self.stop = Stop(reason, detail)
        self.ending = self.ending or reason is PauseReason.DISK  # what could not be written is let go of
        self._on_pause(self.stop)
        self._pull(_REACH[reason])

    def interrupt(self, reach: Reach) -> None:
        """Stop as far as `reach`, because a person wants this process to end. It is not a pause."""
        self.interrupted = True
        self.ending = True
        self._pull(reach)

    def end(self) -> None:
        """Nothing is left to do, or to be released: the run is ending."""
        self.ending = True
        self._on_change(self)

    def release(self) -> None:
        """Continue after a person cleared the pause, unless the run is ending."""
        if self.stop is not None and not self.ending:
            self.stop = None
            self.reach = Reach.NOTHING
            self._on_change(self)

    def stops(self, what: Reach) -> bool:
        """Whether `what` must not be started any more."""
        return self.reach >= what

    @contextmanager
    def guarding(self, what: Reach) -> Iterator[anyio.CancelScope]:
        """Cancel the block when the brake reaches `what`."""
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
        self.ending = self.ending or self.stops(Reach.POLLS)  # polls that were cancelled do not come back
        self._on_change(self)
        for scope, what in self._waiting.items():
            if self.stops(what):
                scope.cancel()
