"""Time, passed in, so that a night of eight hours runs in a test in seconds."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import anyio


class Clock(Protocol):
    """Wall time for people and expiry dates, monotonic time for every duration."""

    def now(self) -> datetime:
        """The wall clock, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never goes backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds`; returns at once for zero or less."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(max(0.0, seconds))


def cpu_beside(clock: Clock) -> Callable[[], float]:
    """What this process has used of the processor, in seconds, where the time is the machine's own.

    Beside a clock of somebody else's it is nothing: a night of that clock is the same on every machine.
    """
    return time.process_time if isinstance(clock, SystemClock) else lambda: 0.0
