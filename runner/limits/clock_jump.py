"""Detects that the machine slept or its clock was set: the wall clock moves, the monotonic clock does not.

Durations are monotonic and not affected. But a connection that idled through a sleep is dead, and a submit on
it would be unconfirmed, so after a jump all connections are dropped.
"""

from collections.abc import Callable

from runner.clock import Clock

NOTICED_SECONDS = 30.0


class ClockJumpDetector:
    """Compares the two clocks. `on_jump` is called with the seconds by which the wall clock jumped."""

    def __init__(self, clock: Clock, on_jump: Callable[[float], None]) -> None:
        self._clock = clock
        self._on_jump = on_jump
        self._apart = self._difference()

    def look(self) -> None:
        """Compare the clocks; cheap enough to do before every submit."""
        apart = self._difference()
        jump, self._apart = apart - self._apart, apart
        if abs(jump) >= NOTICED_SECONDS:
            self._on_jump(jump)

    def _difference(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()


def sentence(seconds: float) -> str:
    """The notice about a jump, for a person."""
    hours, minutes = divmod(round(abs(seconds) / 60), 60)
    length = f"{hours} h {minutes:02d} min" if hours else f"{abs(seconds):.0f} s"
    if seconds > 0:
        return f"This machine slept, or its clock was set: {length} are missing. Going on."
    return f"This machine's clock was set back by {length}. Going on."
