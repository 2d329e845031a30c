"""What happened, one line an event: enough to tell two histories apart, and to read one."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.simulation.process import PROCESS


class History:
    """Lines with the virtual time and the process that did it. The dead add nothing."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.lines: list[str] = []
        self.violations: list[AssertionError] = []
        """What was found wrong inside a run, which might take it for an error of its own."""
        self._clock = clock

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Keep what the block finds wrong, whatever the run makes of it."""
        try:
            yield
        except AssertionError as error:
            self.violations.append(error)
            raise

    def note(self, text: str) -> None:
        """Something happened now."""
        process = PROCESS.get()
        if process is None or not process.dead:
            name = "world" if process is None else process.name
            self.lines.append(f"{self._clock():14.6f} {name:<10} {text}")

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()
