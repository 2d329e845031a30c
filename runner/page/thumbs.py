"""Thumbnails on demand: what was asked for last is made first, by two threads, each only once.

What is on screen was asked for last. Where a hundred wait, the oldest are given up: the page asks again when
it shows them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

import anyio
from anyio import CapacityLimiter, to_thread

from jobs.store.sqlite.thumb_file import ThumbFile
from runner.downloads.thumbnail import KEPT_SIDE, make_thumbnail

SIDES = (KEPT_SIDE, 1600)
"""Of a tile, and of one image alone. Only the former is kept: a browser keeps what it has seen."""
AT_ONCE = 2
MOST_WAITING = 100


class Unmade(Enum):
    """Why there is no thumbnail."""

    IMPOSSIBLE = auto()
    """There is no such file any more, or it does not decode."""
    GIVEN_UP = auto()
    """Too many others were asked for since."""


@dataclass(eq=False, slots=True)
class _ThumbOrder:
    sha256: str
    side: int
    read: Callable[[], bytes | None]
    waiters: int = 0
    made: bytes | Unmade = Unmade.IMPOSSIBLE
    ended: anyio.Event = field(default_factory=anyio.Event)


class ThumbMaker:
    """Makes them while `work` runs."""

    def __init__(self, file: ThumbFile, report: Callable[[Exception], None]) -> None:
        self._file = file
        self._report = report
        self._orders: dict[tuple[str, int], _ThumbOrder] = {}
        """Those that wait, the newest last, and those that are being made."""
        self._waiting: list[_ThumbOrder] = []
        self._changed = anyio.Event()
        self._threads = CapacityLimiter(AT_ONCE + 1)

    async def get(self, sha256: str, side: int, read: Callable[[], bytes | None]) -> bytes | Unmade:
        """The thumbnail of what `read` returns, which is called in a thread."""
        kept = await to_thread.run_sync(self._file.get, sha256, side, limiter=self._threads)
        if kept is not None:
            return kept
        order = self._orders.get((sha256, side)) or self._order(sha256, side, read)
        order.waiters += 1
        try:
            await order.ended.wait()
        finally:
            order.waiters -= 1
            if not order.waiters and order in self._waiting:  # whoever asked has gone
                self._give_up(order)
        return order.made

    async def work(self) -> None:
        """Make what is asked for, until cancelled."""
        async with anyio.create_task_group() as tasks:
            for _ in range(AT_ONCE):
                tasks.start_soon(self._make_all)

    def _order(self, sha256: str, side: int, read: Callable[[], bytes | None]) -> _ThumbOrder:
        order = _ThumbOrder(sha256, side, read)
        self._orders[sha256, side] = order
        self._waiting.append(order)
        if len(self._waiting) > MOST_WAITING:
            self._give_up(self._waiting[0])
        self._changed.set()
        return order

    def _give_up(self, order: _ThumbOrder) -> None:
        self._waiting.remove(order)
        del self._orders[order.sha256, order.side]
        order.made = Unmade.GIVEN_UP
        order.ended.set()

    async def _make_all(self) -> None:
        while True:
            while not self._waiting:
                if self._changed.is_set():
                    self._changed = anyio.Event()
                await self._changed.wait()
            order = self._waiting.pop()
            try:
                order.made = await to_thread.run_sync(self._make, order, limiter=self._threads)
            except Exception as error:  # of one image: it has no thumbnail
                self._report(error)
            del self._orders[order.sha256, order.side]
            order.ended.set()

    def _make(self, order: _ThumbOrder) -> bytes | Unmade:
        data = order.read()
        made = None if data is None else make_thumbnail(data, order.side)
        if made is None:
            return Unmade.IMPOSSIBLE
        if order.side == KEPT_SIDE:
            self._file.put(order.sha256, order.side, made)
        return made
