"""The full decode of a PNG that was only proven, in time that is left over.

It shows what checksums cannot: that all pixels are there. A thread of its own does it, one picture at a time,
and gives way to everything else.
"""

import os
import sys
import threading
from collections import deque
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
from anyio import to_thread

from runner.downloads.disk import Disk
from runner.downloads.placement import place, sha256_of
from runner.downloads.validate import Broken, inspect

MOST_WAITING = 64
"""Where so many wait, a further one is not decoded: its download has proven what a download can."""
_NICENESS = 10
"""Of the thread. More would starve it on a busy machine, also while it holds the interpreter's lock."""


@dataclass(frozen=True, slots=True)
class FreshImage:
    """An image of a job that has succeeded, as it came."""

    job_id: int
    key: str
    number: int
    path: Path
    sha256: str


class LateDecodes:
    """The images that wait to be decoded."""

    def __init__(self) -> None:
        self._images: deque[FreshImage] = deque()
        self._closed = False
        self._changed = anyio.Event()

    def offer(self, image: FreshImage) -> None:
        """Have it decoded, if there is room."""
        if len(self._images) < MOST_WAITING:
            self._images.append(image)
            self._changed.set()

    def close(self) -> None:
        """No more will come."""
        self._closed = True
        self._changed.set()

    async def each(self) -> AsyncGenerator[FreshImage]:
        """Those that wait and those to come, until no more will."""
        while self._images or not self._closed:
            if self._images:
                yield self._images.popleft()
            else:
                self._changed = anyio.Event()
                await self._changed.wait()


class LateDecoder:
    """The thread. Leaving the block waits for nothing."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "late-decode", initializer=_give_way)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def decode(self, image: FreshImage, max_pixels: int) -> Broken | None:
        """Why it does not decode. None if it does, or cannot be read: somebody may have moved it."""
        look = self._thread.submit(partial(_look, image.path, max_pixels))
        return await to_thread.run_sync(look.result, abandon_on_cancel=True)


def set_aside(disk: Disk, image: FreshImage) -> Path | None:
    """Take its name from an image that does not decode: then it counts as gone, and may be fetched again.

    Returns where it is now; None if somebody has changed or moved it. Blocks; raises OSError.
    """
    if sha256_of(image.path) != image.sha256:
        return None
    return place(disk, image.path, image.path.with_suffix(""), ".bad", image.sha256)


def _look(path: Path, max_pixels: int) -> Broken | None:
    try:
        found = inspect(path, whole=True, max_pixels=max_pixels)
    except OSError:
        return None
    return found if isinstance(found, Broken) else None


def _give_way() -> None:
    if sys.platform == "linux":  # elsewhere the number of a thread is not one of a process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
