"""When the page writes: while a run is at work, at most once a second, so that no submit waits for a star."""

from dataclasses import dataclass

from runner.clock import Clock

EVERY_SECONDS = 1.0


@dataclass(slots=True)
class WritePace:
    """Turns to write. Those who wait for the same turn write together: the table commits them as one."""

    clock: Clock
    _next: float = 0.0

    async def turn(self, is_at_work: bool) -> None:
        """Wait for a turn, if a run is at work."""
        now, turn = self.clock.monotonic(), self._next
        if not is_at_work or now >= turn:
            self._next = now + EVERY_SECONDS
            return
        await self.clock.sleep(turn - now)
        self._next = max(self._next, turn + EVERY_SECONDS)
