"""Time, passed in, so that a night of eight hours runs in a test in seconds."""

import time
from datetime import UTC, datetime
from typing import Protocol

import anyio


class Clock(Protocol):
    """Wall time for people and expiry dates, monotonic time for durations, and what the process has used."""

    def now(self) -> datetime:
        """The wall clock, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never goes backwards."""
        ...

    def cpu(self) -> float:
        """Seconds of processor time that this process has used; 0 where it is not to count."""
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

    def cpu(self) -> float:
        return time.process_time()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(max(0.0, seconds))
