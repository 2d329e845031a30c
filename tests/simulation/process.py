"""A process of the simulation: who is at work in a task, and the end that it may be dealt at a named point.

A killed process does nothing more that anybody can see: its disk is copied at that instant, what it does
while its tasks unwind happens to a disk that is thrown away, and no request of it arrives.
"""

from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

PROCESS: ContextVar["Process | None"] = ContextVar("process", default=None)
"""Whose code runs. None is the world: the API, the weather, the oracle."""


class Killed(BaseException):
    """The process ends here."""


@dataclass(frozen=True, slots=True)
class Crash:
    """The end of a process: the `nth` time that it comes to `point`."""

    point: str
    nth: int

    def __str__(self) -> str:
        return f"{self.point} #{self.nth}"


def _nothing(_process: "Process") -> None:
    return None


@dataclass(slots=True)
class Process:
    """One life: `crash` is where it ends before its time; `on_death` is told at that instant."""

    name: str
    crash: Crash | None = None
    on_death: Callable[["Process"], None] = _nothing
    decides: bool = False
    """Whether it carries out what a person decided about jobs: a command, or the loading of a sheet."""
    runs: bool = False
    """Whether it is a `run` or a `resume`: no other command submits."""
    held: int | None = None
    """Which of the table's pauses it began under, if that is one that it does not clear."""
    dead: bool = False
    reached: Counter[str] = field(default_factory=Counter)

    def reach(self, point: str) -> None:
        """Come to a named point. Raises Killed where the process is to end."""
        if self.dead:
            return
        self.reached[point] += 1
        if self.crash is not None and self.crash == Crash(point, self.reached[point]):
            self.die()
            raise Killed(str(self.crash))

    def step(self) -> None:
        """The loop turns: between any two awaits the process may end as well."""
        if self.dead:
            return
        self.reached["step"] += 1
        if self.crash is not None and self.crash == Crash("step", self.reached["step"]):
            self.die()

    def die(self) -> None:
        """End now."""
        self.dead = True
        self.on_death(self)


def reach(point: str) -> None:
    """The process at work comes to a named point."""
    process = PROCESS.get()
    if process is not None:
        process.reach(point)
