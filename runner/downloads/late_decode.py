"""What is done with a fresh image in time that is left over: its full decode, and its thumbnail.

The decode of a PNG, which was only proven, shows what checksums cannot: that all pixels are there. The
thumbnail is made of the same pixels. A thread of its own does both, one image at a time, and gives way to
everything else.
"""

import os
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import anyio
from anyio import to_thread

from jobs.store.sqlite.thumb_file import ThumbFile
from runner.downloads.disk import Disk
from runner.downloads.placement import place, sha256_of, stamp_of
from runner.downloads.thumbnail import KEPT_SIDE, make_thumbnail, shrunk
from runner.downloads.validate import Broken, inspect

MOST_WAITING = 64
"""Where so many wait, a further one is not decoded: its download has proven what a download can."""
MOST_DECODED_WAITING = MOST_WAITING // 2
"""Where so many wait, one that wants only its thumbnail is not taken: it would take a proof's place."""
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
    is_decoded: bool = False
    """On its way in, as all are but a PNG: it wants a thumbnail only."""
    stamp: tuple[int, ...] | None = None
    """The file's when it was placed, right after its bytes were hashed; None if that is not known."""


class LateDecodes:
    """The images that wait to be decoded."""

    def __init__(self) -> None:
        self._images: deque[FreshImage] = deque()
        self._closed = False
        self._changed = anyio.Event()

    def offer(self, image: FreshImage) -> None:
        """Have it decoded, if there is room."""
        if len(self._images) < (MOST_DECODED_WAITING if image.is_decoded else MOST_WAITING):
            self._images.append(image)
            self._changed.set()

    def close(self) -> None:
        """No more will come. What wants only a thumbnail is dropped: the end of a run waits for none."""
        self._closed = True
        self._changed.set()

    @property
    def is_closed(self) -> bool:
        """Whether no more will come."""
        return self._closed

    async def each(self) -> AsyncGenerator[FreshImage]:
        """Those that wait and those to come, until no more will."""
        while self._images or not self._closed:
            if not self._images:
                self._changed = anyio.Event()
                await self._changed.wait()
                continue
            image = self._images.popleft()
            if not (self._closed and image.is_decoded):
                yield image


class LateDecoder:
    """The thread, and the file that keeps the thumbnails, if there is one. Leaving it waits for nothing."""

    def __init__(self, thumbs: ThumbFile | None = None) -> None:
        self.seconds = 0.0
        """The processor time that the thread has taken."""
        self._thumbs = thumbs
        self._thread = ThreadPoolExecutor(1, "late-decode", initializer=_give_way)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thumbs is not None:
            self._thread.submit(self._thumbs.close)
        self._thread.shutdown(wait=False)

    async def look(self, image: FreshImage, max_pixels: int, *, small: bool = True) -> Broken | None:
        """Why it does not decode. None if it does, or cannot be read: somebody may have moved it.

        `small`: a thumbnail of it is kept as well.
        """
        thumbs = self._thumbs if small else None
        look = self._thread.submit(self._timed, partial(_look, image, max_pixels, thumbs))
        return await to_thread.run_sync(look.result, abandon_on_cancel=True)

    def _timed(self, look: Callable[[], Broken | None]) -> Broken | None:
        begun = time.thread_time()
        try:
            return look()
        finally:
            self.seconds += time.thread_time() - begun


def set_aside(disk: Disk, image: FreshImage) -> Path | None:
    """Take its name from an image that does not decode: then it counts as gone, and may be fetched again.

    Returns where it is now; None if somebody has changed or moved it. Blocks; raises OSError.
    """
    if sha256_of(image.path) != image.sha256:
        return None
    return place(disk, image.path, image.path.with_suffix(""), ".bad", image.sha256)


def _look(image: FreshImage, max_pixels: int, thumbs: ThumbFile | None) -> Broken | None:
    wanted = thumbs if thumbs is not None and thumbs.get(image.sha256, KEPT_SIDE) is None else None
    made: list[bytes | None] = []
    try:
        if not image.is_decoded:
            look = partial(_shrink, made) if wanted is not None else _ignore
            found = inspect(image.path, whole=True, max_pixels=max_pixels, look=look)
            if isinstance(found, Broken):
                return found
        elif wanted is not None:
            made.append(make_thumbnail(image.path.read_bytes(), KEPT_SIDE, max_pixels))
    except OSError:
        return None
    if wanted is not None and made and made[-1] is not None and _is_still(image):
        # Another image in its place would be shown for this one.
        wanted.put(image.sha256, KEPT_SIDE, made[-1])
    return None


def _is_still(image: FreshImage) -> bool:
    """Whether the file is the one that came. It is read again only where its stamp does not tell."""
    if image.stamp is not None and image.stamp == stamp_of(image.path):
        return True
    return sha256_of(image.path) == image.sha256


def _shrink(made: list[bytes | None], frame: Any) -> None:
    try:
        made.append(shrunk(frame, KEPT_SIDE))
    except Exception:  # else it would count as the image's fault; the page tries again, and says so
        made.append(None)


def _ignore(_frame: Any) -> None:
    """No thumbnail is wanted of it."""


def _give_way() -> None:
    if sys.platform == "linux":  # elsewhere the number of a thread is not one of a process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
