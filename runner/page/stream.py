"""One stream of events for all that is open in a browser: that somebody has written to the table, or has
moved images that are shown.

An event says no more than that. What is on screen asks for what it shows; nothing else is read again.
"""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing

import anyio
from anyio import to_thread
from starlette.types import Receive, Scope, Send

from jobs.errors import CannotWrite
from jobs.store.sqlite.watching import NewerSchema, Watch
from runner.clock import Clock
from runner.page.folders import ShownFolders

LOOK_SECONDS = 0.5
"""Between two looks at the table, while anybody listens."""
FOLDER_SECONDS = 2.0
"""Between two looks at the folders of what is shown."""
QUIET_SECONDS = 15.0
"""So often a blank event is sent: it shows each end that the other is there."""
MOST_STREAMS = 8
LOST = -1
"""The stamp where the table cannot be read any more."""
NEWER = -2
"""The stamp where a newer Nightsheet has changed the tables."""
_LAST = {LOST: "lost", NEWER: "newer"}
"""After these nothing comes."""


class ChangeFeed:
    """Looks at the table for all streams together, while `work` runs."""

    def __init__(
        self,
        watching: Callable[[], AbstractAsyncContextManager[Watch]],
        folders: ShownFolders,
        clock: Clock,
    ) -> None:
        self._watching = watching
        self._folders = folders
        self._clock = clock
        self._table: int | None = None
        """The table's own number, when it was looked at last."""
        self._next_folders = 0.0
        self._called = anyio.Event()
        self._changed = anyio.Event()
        self.listeners = 0
        self.stamp = 0
        """A number that is another one after each change."""

    async def work(self) -> None:
        """Look, until cancelled or the table is lost."""
        try:
            async with self._watching() as watch:
                while True:
                    await self._look(watch)
                    if not self.listeners:
                        self._called = anyio.Event()
                        await self._called.wait()
                    await self._clock.sleep(LOOK_SECONDS)
        except CannotWrite as error:
            self._tell(NEWER if isinstance(error, NewerSchema) else LOST)

    async def _look(self, watch: Watch) -> None:
        table, has_moved = await watch.stamp(), False
        if self._clock.monotonic() >= self._next_folders:
            has_moved = await to_thread.run_sync(self._folders.have_changed)
            self._next_folders = self._clock.monotonic() + FOLDER_SECONDS
        if has_moved or table != self._table:
            self._table = table
            self._tell(self.stamp + 1)

    async def stamps(self) -> AsyncGenerator[int]:
        """The stamp now, and each other one that it becomes; `LOST` or `NEWER` is the last."""
        self.listeners += 1
        self._called.set()
        try:
            while True:
                stamp, changed = self.stamp, self._changed
                yield stamp
                if stamp in _LAST:
                    return
                if stamp == self.stamp:
                    await changed.wait()
        finally:
            self.listeners -= 1

    def _tell(self, stamp: int) -> None:
        if stamp != self.stamp:
            self.stamp = stamp
            self._changed.set()
            self._changed = anyio.Event()


class EventStream:
    """A response that does not end while its reader is there and the table can be read."""

    def __init__(self, feed: ChangeFeed, clock: Clock) -> None:
        self._feed = feed
        self._clock = clock

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

        async def say(text: str) -> None:
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})

        async def breathe() -> None:
            while True:
                await self._clock.sleep(QUIET_SECONDS)
                await say(":\n\n")

        async def leave() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(breathe)
            tasks.start_soon(leave)
            async with aclosing(self._feed.stamps()) as stamps:
                async for stamp in stamps:
                    kind = _LAST.get(stamp, "change")
                    await say(f"event: {kind}\ndata: {json.dumps({'stamp': stamp})}\n\n")
            tasks.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": b""})
