"""The acts of the page: POST /api/BATCH/ACT, each in one place of this table.

The guard lets in only who has the key; what is asked is JSON; what is asked twice is done once. None of them
pays: what costs money is a line to type.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from jobs.errors import CannotWrite, LockHeld, TableRetired, UsageProblem
from jobs.review.actions import LONGEST_ACTION_ID
from runner.page.access.guard import MOST_BODY_BYTES, refused
from runner.page.acts.act import Act, Answer, Asked, NoAct
from runner.page.acts.cancel import CANCEL
from runner.page.acts.decisions import DECISIONS
from runner.page.acts.discard import DISCARD
from runner.page.acts.fetch import FETCH
from runner.page.acts.pause import PAUSE, RESUME
from runner.page.acts.reroll import REROLL
from runner.page.acts.reword import REWORD
from runner.page.acts.tune import TUNE
from runner.page.page import Page

ACTS: dict[str, Act] = {
    "decisions": DECISIONS,
    "pause": PAUSE,
    "resume": RESUME,
    "tune": TUNE,
    "cancel": CANCEL,
    "discard": DISCARD,
    "fetch": FETCH,
    "reroll": REROLL,
    "reword": REWORD,
}
"""By the last part of their address."""


class Acting:
    """Does what is asked, once."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._doing: dict[str, anyio.Event] = {}

    async def respond(self, kind: str, request: Request) -> Response:
        """Answer a request for an act."""
        told = await body_of(request)
        if isinstance(told, Response):
            return told
        batch = await self._page.batch(request.path_params["batch"])
        action_id = told.get("action")
        if action_id is not None and not (
            isinstance(action_id, str) and 0 < len(action_id) <= LONGEST_ACTION_ID
        ):
            return JSONResponse({"error": "An action's id is a short text."}, 400)
        asked = Asked(self._page, batch, kind, told, action_id)
        try:
            done = await self._once(ACTS[kind], asked)
        except (UsageProblem, TableRetired) as problem:
            return JSONResponse({"error": problem.message, "hint": problem.hint}, 409)
        except LockHeld:
            busy = "Another command is at work on this database. Nothing was changed."
            return JSONResponse({"error": busy, "hint": "Try again in a moment."}, 409)
        except CannotWrite:
            return JSONResponse({"error": "The database cannot be written just now."}, 503)
        if isinstance(done, NoAct):
            return JSONResponse({"error": done.why}, 400)
        return JSONResponse(done)

    async def _once(self, act: Act, asked: Asked) -> Answer | NoAct:
        """Do it, or answer as before."""
        if asked.action_id is None:
            return await act.do(asked)
        async with self._alone(asked.action_id):
            before = await self._page.store.actions.answer(asked.action_id)
            if before is not None:
                return before
            done = await act.do(asked)
            if not act.keeps_itself and not isinstance(done, NoAct) and (note := asked.noted(done)):
                await self._page.store.actions.keep(note)
            return done

    @asynccontextmanager
    async def _alone(self, action_id: str) -> AsyncIterator[None]:
        """Nobody else does this action at the same time."""
        while (other := self._doing.get(action_id)) is not None:
            await other.wait()
        self._doing[action_id] = anyio.Event()
        try:
            yield
        finally:
            self._doing.pop(action_id).set()


async def body_of(request: Request) -> dict[str, Any] | Response:
    """The JSON object of a request, or why it is none."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY_BYTES:
            return refused(413)
    try:
        told = json.loads(body)
        json.dumps(told, ensure_ascii=False).encode()  # half a character is no text, and no table takes it
    except (ValueError, RecursionError):
        return refused(400)
    return told if isinstance(told, dict) else refused(400)
