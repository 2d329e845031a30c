"""The deadline of a submit: what has arrived by then, or was on its way, is still read.

By a timer of the event loop, and no task beside the call: every submit has one.
"""

import asyncio
from collections.abc import Awaitable, Callable

import anyio

GRACE_SECONDS = 1.0
"""How long an answer to a submit is still read after the deadline: many turns of the event loop."""


async def within(
    seconds: float, may_be_answered: Callable[[], bool], call: Callable[[], Awaitable[None]]
) -> None:
    """Await `call` for so many seconds; while it `may_be_answered`, for a grace on top of them."""
    with anyio.CancelScope() as scope:
        deadline = _Deadline(scope, may_be_answered)
        deadline.set(seconds)
        try:
            await call()
        finally:
            deadline.lift()


class _Deadline:
    """Cancels a scope, and needs no task for that.

    After a stop (SIGSTOP, a frozen machine) the deadline fires at once, and the answer is in the socket, not
    read yet. So the grace begins when the deadline fires, and begins again if its own end comes late: then
    the process was stopped once more, or its event loop is behind.
    """

    def __init__(self, scope: anyio.CancelScope, may_be_answered: Callable[[], bool]) -> None:
        self._scope = scope
        self._may_be_answered = may_be_answered
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """Begin to wait."""
        self._timer = self._loop.call_later(seconds, self._fires)

    def lift(self) -> None:
        """Wait no longer."""
        if self._timer is not None:
            self._timer.cancel()

    def _fires(self) -> None:
        if self._may_be_answered():
            ends_at = self._loop.time() + GRACE_SECONDS
            self._timer = self._loop.call_at(ends_at, self._grace_ends, ends_at)
        else:
            self._scope.cancel()

    def _grace_ends(self, at: float) -> None:
        if self._loop.time() - at > GRACE_SECONDS:
            self._fires()
        else:
            self._scope.cancel()
