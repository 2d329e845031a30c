"""Whether processor time is left over: by the share of a core that this process has used of late."""

from collections.abc import Callable

from runner.clock import Clock

BUSY_SHARE = 0.6
"""Of a core. Beyond it, what can wait does: Python runs on one core, and the night needs it."""
_WINDOW_SECONDS = 0.5


class SpareTime:
    """The time of a process, but for what it spends on what can wait anyway.

    `own`: how many seconds of processor time it has spent on that.
    """

    def __init__(self, clock: Clock, own: Callable[[], float]) -> None:
        self._clock = clock
        self._own = own
        self._since = clock.monotonic()
        self._used_then = self._used()
        self._is_left = True

    def is_left(self) -> bool:
        """Whether the process was mostly idle in the last half second or more."""
        now = self._clock.monotonic()
        if now - self._since >= _WINDOW_SECONDS:
            used = self._used()
            self._is_left = (used - self._used_then) / (now - self._since) < BUSY_SHARE
            self._since, self._used_then = now, used
        return self._is_left

    def _used(self) -> float:
        return self._clock.cpu() - self._own()
