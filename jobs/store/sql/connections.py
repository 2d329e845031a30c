"""What a connection is to the transactions that run on it."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class HeldConnection(Protocol):
    """One open connection, on a thread that alone may use it."""

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Have `work` done on the thread; its result, or what it raises."""

    async def close(self) -> None:
        """Close the connection and end the thread."""
