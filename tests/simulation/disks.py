"""A disk on which a process can be killed between any two steps of a picture, and which can be full."""

import errno
from collections.abc import Callable
from pathlib import Path

from runner.downloads.disk import LocalDisk
from tests.simulation.process import reach


class KillingDisk(LocalDisk):
    """The machine's disk; `full` is asked before anything is written."""

    def __init__(self, full: Callable[[], bool]) -> None:
        super().__init__()
        self._full = full

    def create(self, path: Path) -> int:
        reach("before a picture's file")
        return super().create(path)

    def write(self, descriptor: int, data: bytes) -> None:
        reach("before a picture's bytes")
        if self._full():
            super().write(descriptor, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(descriptor, data)

    def finish(self, descriptor: int) -> None:
        reach("before a picture is finished")
        super().finish(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        reach("before a picture's name")
        super().replace(source, target)
        reach("after a picture's name")
