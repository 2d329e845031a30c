"""The page over HTTP, behind its door: its routes. GET reads; POST lets a person in, or does what they say.

POST /enter                   {"link"}: cookie and key, once
POST /api/BATCH/ACT           what a person decides: `acting.py` has them
GET  /api/batches             all batches
GET  /api/events              that the table has changed
GET  /api/BATCH/status        counts, money, pause
GET  /api/BATCH/tiles         ?q=SEARCH &sort=ORDER &limit=N: the list of tiles as bytes
GET  /api/BATCH/items         ?jobs=ID,ID,... or ?key=KEY: what a screen shows
GET  /api/BATCH/facets        ?of=FIELD &q=SEARCH: values with their counts; without `of` the fields
GET  /api/BATCH/doubts        submits without an answer;  /failures  by kind;  /account  the money
GET  /api/BATCH/rerolls       what is marked to be made once more;  /reword  ?key=KEY &number=N: its words
GET  /api/BATCH/family        ?key=KEY: a re-roll's original, or the re-rolls of an original
GET  /t/ID/SHA256.webp        ?s=SIDE: a thumbnail
GET  /p/ID/SHA256             the image itself
"""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from jobs.errors import CannotWrite, UsageProblem
from jobs.images.files import read_image
from jobs.manifests.record import moment
from jobs.review.search import OWN, TYPED, Search, SearchField, SearchProblem, parse_search
from jobs.tiles import TileOrder
from jobs.views import ArtifactView, BatchView
from runner.page.access.guard import ENTER, cookie_name, refused
from runner.page.access.session import PageSession, Rights
from runner.page.acting import ACTS, Acting, body_of
from runner.page.items import items
from runner.page.page import Page
from runner.page.panels.account import account
from runner.page.panels.doubts import doubts
from runner.page.panels.failures import failures
from runner.page.panels.rerolls import rerolls
from runner.page.panels.reword import to_reword
from runner.page.pictures import moved_along
from runner.page.status import batch_status
from runner.page.stream import MOST_STREAMS, EventStream
from runner.page.thumbs import SIDES, Unmade

T = TypeVar("T")
_BY_HASH = {"cache-control": "private, max-age=31536000, immutable"}
_IMAGE_HEADERS = _BY_HASH | {"content-security-policy": "sandbox; default-src 'none'"}
_READING_AT_ONCE = 2
_MOST_TILES = 10_000_000


def create_page_app(page: Page, session: PageSession, port: int) -> Starlette:
    """The application, to be put behind a `PageGuard` and a `PageDoor`."""
    reads = _Reads(page, session.rights)
    acting = Acting(page)
    get: Callable[..., Route] = partial(Route, methods=["GET"])
    routes = [
        Route(ENTER, partial(_enter, session, port), methods=["POST"]),
        get("/api/batches", reads.batches),
        get("/api/events", reads.events),
        *(
            get(f"/api/{{batch}}/{name}", partial(reads.of_batch, answer))
            for name, answer in {
                "status": reads.status,
                "tiles": reads.tiles,
                "items": reads.items,
                "facets": reads.facets,
                "doubts": reads.panel(doubts),
                "failures": reads.panel(failures),
                "account": reads.panel(account),
                "rerolls": reads.panel(rerolls),
                "reword": reads.reword,
                "family": reads.family,
            }.items()
        ),
        *(Route(f"/api/{{batch}}/{kind}", partial(acting.respond, kind), methods=["POST"]) for kind in ACTS),
        get("/t/{image:int}/{sha256}.webp", reads.thumbnail),
        get("/p/{image:int}/{sha256}", reads.image),
    ]
    handlers: dict[Any, Any] = {
        HTTPException: _refused,
        UsageProblem: partial(_told, 404),
        CannotWrite: _lost,
        ClientDisconnect: _gone,
    }
    return Starlette(routes=routes, exception_handlers=handlers)


class _Reads:
    """What is read of the table and of the output folder."""

    def __init__(self, page: Page, rights: Rights) -> None:
        self._page = page
        self._rights = rights
        self._reading = CapacityLimiter(_READING_AT_ONCE)

    async def of_batch(
        self, answer: Callable[[Request, BatchView], Awaitable[Response]], request: Request
    ) -> Response:
        return await answer(request, await self._page.batch(request.path_params["batch"]))

    async def batches(self, _request: Request) -> Response:
        found = await self._page.store.tiles.batches()
        return JSONResponse(
            [
                {
                    "batch": one.name,
                    "sheet": one.sheet,
                    "created_at": moment(one.created_at),
                    "last_run_at": moment(one.last_run_at),
                }
                for one in found
            ]
        )

    async def events(self, _request: Request) -> Any:
        if self._page.feed.listeners >= MOST_STREAMS:
            return refused(503)
        return EventStream(self._page.feed, self._page.clock)

    async def status(self, _request: Request, batch: BatchView) -> Response:
        return JSONResponse(await batch_status(self._page, batch))

    async def tiles(self, request: Request, batch: BatchView) -> Response:
        query = request.query_params
        search = await self._search(batch, query.get("q", ""))
        if isinstance(search, SearchProblem):
            return JSONResponse({"problem": search.message, "hint": search.hint})
        order = query.get("sort", TileOrder.SHEET)
        limit = _number(query.get("limit", str(_MOST_TILES)))
        if order not in [*TileOrder] or limit is None:
            return refused(400)
        stamp = str(self._page.feed.stamp)  # of before: what is written meanwhile is told as a change
        found = await self._page.store.tiles.listed(batch.id, search, order=TileOrder(order), limit=limit)
        headers = {"x-tiles": str(found.count), "x-rights": self._rights.value, "x-stamp": stamp}
        return Response(found.data, media_type="application/octet-stream", headers=headers)

    async def items(self, request: Request, batch: BatchView) -> Response:
        query, store = request.query_params, self._page.store
        if "key" in query:
            job = await store.jobs.by_key(batch.id, query["key"])
            ids: list[int | None] = [] if job is None else [job.id]
        else:
            ids = [_number(text) for text in query.get("jobs", "").split(",")]
        known = [job_id for job_id in ids if job_id is not None]
        if len(known) != len(ids):
            return refused(400)
        found = await store.tiles.details(batch.id, known)
        words = await store.rerolls.words([one.job.id for one in found])
        return JSONResponse(await items(self._page, batch, found, words))

    def panel(
        self, tell: Callable[[Page, BatchView], Awaitable[Any]]
    ) -> Callable[[Request, BatchView], Awaitable[Response]]:
        """What answers with what a panel tells."""

        async def answer(_request: Request, batch: BatchView) -> Response:
            return JSONResponse(await tell(self._page, batch))

        return answer

    async def family(self, request: Request, batch: BatchView) -> Response:
        """Those that are loaded, each as its own batch shows it."""
        store = self._page.store
        told = []
        for name, key in await store.rerolls.family(batch.name, request.query_params.get("key", "")):
            other = await store.batches.find(name)
            job = None if other is None else await store.jobs.by_key(other.id, key)
            if other is not None and job is not None:
                found = await store.tiles.details(other.id, [job.id])
                told += [{"batch": name, "item": one} for one in await items(self._page, other, found, {})]
        return JSONResponse(told)

    async def reword(self, request: Request, batch: BatchView) -> Response:
        query = request.query_params
        number = _number(query.get("number", ""))
        if number is None:
            return refused(400)
        return JSONResponse(await to_reword(self._page, batch, query.get("key", ""), number))

    async def facets(self, request: Request, batch: BatchView) -> Response:
        query, store = request.query_params, self._page.store
        of = query.get("of")
        own = await store.facets.own(batch.id)
        if of is None:
            values = [field.value for field in TYPED if field is not SearchField.ROW]
            return JSONResponse({"fields": values, "columns": own})
        search = parse_search(query.get("q", ""), own)
        if isinstance(search, SearchProblem):
            search = ()
        name = of.removeprefix(OWN)
        if of.startswith(OWN) and name in own:
            found = await store.facets.values(batch.id, search, SearchField.COLUMN, name)
        elif of in TYPED and of != SearchField.ROW:
            found = await store.facets.values(batch.id, search, SearchField(of))
        else:
            return refused(404)
        return JSONResponse([{"value": one.value, "tiles": one.tiles} for one in found])

    async def thumbnail(self, request: Request) -> Response:
        side = _number(request.query_params.get("s", str(SIDES[0])))
        sha256 = request.path_params["sha256"]
        found = await self._image(request)
        if found is None or side not in SIDES:
            return refused(404)
        read, thumbs = partial(read_image, *found), self._page.thumbs
        made = await _while_connected(request, lambda: thumbs.get(sha256, side, read))
        if isinstance(made, bytes):
            return Response(made, headers=_IMAGE_HEADERS, media_type="image/webp")
        return refused(404 if made is Unmade.IMPOSSIBLE else 503)

    async def image(self, request: Request) -> Response:
        found = await self._image(request)
        if found is None:
            return refused(404)
        data = await to_thread.run_sync(partial(read_image, *found), limiter=self._reading)
        if data is None:
            return refused(404)
        return Response(data, headers=_IMAGE_HEADERS, media_type=found[1].content_type)

    async def _image(self, request: Request) -> tuple[Path, ArtifactView] | None:
        """An image with its place now, and the folder that it has to lie in."""
        given, store = request.path_params, self._page.store
        if not 0 < given["image"] < 1 << 63:
            return None
        found = await store.tiles.image(given["image"], given["sha256"])
        if found is None:
            return None
        batch = await store.batches.get(found[0])
        root = self._page.root_of(batch)
        return root, moved_along(root, batch, found[1])

    async def _search(self, batch: BatchView, text: str) -> Search | SearchProblem:
        own = await self._page.store.facets.own(batch.id) if ":" in text else ()
        return parse_search(text, own)


async def _enter(session: PageSession, port: int, request: Request) -> Response:
    told = await body_of(request)
    if isinstance(told, Response):
        return told
    link = told.get("link")
    entry = session.enter(link) if isinstance(link, str) else None
    if entry is None:
        return refused(403)
    response = JSONResponse({"key": entry.key, "rights": session.rights.value})
    response.set_cookie(cookie_name(port), entry.cookie, httponly=True, samesite="strict", path="/")
    return response


async def _while_connected(request: Request, work: Callable[[], Awaitable[T]]) -> T | None:
    """What `work` comes to. It is cancelled where nobody waits for it any more; then None."""
    result: T | None = None

    async def leave() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(leave)
        result = await work()
        tasks.cancel_scope.cancel()
    return result


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


async def _refused(_request: Request, problem: HTTPException) -> Response:
    return refused(problem.status_code)


async def _told(status: int, _request: Request, problem: UsageProblem) -> Response:
    return JSONResponse({"error": problem.message, "hint": problem.hint}, status)


async def _lost(_request: Request, _problem: CannotWrite) -> Response:
    return JSONResponse({"error": "The database cannot be read just now."}, 503)


async def _gone(_request: Request, _problem: ClientDisconnect) -> Response:
    return refused(503)
