"""What a browser gets first: the shell and its script, which need no table. All else waits behind the door.

What is behind it is imported once the page listens: a browser takes that long to begin.
"""

import anyio
from starlette.types import ASGIApp, Receive, Scope, Send

from runner.page.access.guard import STATIC, is_shell
from runner.page.shell import shell, static_file


class PageDoor:
    """The application that is served."""

    def __init__(self) -> None:
        self._behind: ASGIApp | None = None
        self._opened = anyio.Event()

    def open(self, behind: ASGIApp) -> None:
        """What is behind it is there."""
        self._behind = behind
        self._opened.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, is_reading = scope["path"], scope["method"] in ("GET", "HEAD")
        if is_reading and is_shell(path):
            await shell()(scope, receive, send)
        elif is_reading and path.startswith(STATIC):
            await static_file(path.removeprefix(STATIC))(scope, receive, send)
        else:
            await self._opened.wait()
            assert self._behind is not None
            await self._behind(scope, receive, send)
