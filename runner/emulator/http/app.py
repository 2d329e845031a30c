"""The service over HTTP: the API's endpoints, the images, and the emulator's own controls.

The controls are no part of RunComfy's API. They need no token, because the emulator listens on loopback only.

    GET  /v1/emulator/ledger    every accepted submit; ?since=ORDINAL for those after it
    POST /v1/emulator/faults    {"profile": NAME} or {"faults": [...]}: replaces the armed ones
    POST /v1/emulator/balance   {"balance_usd": NUMBER}
    POST /v1/emulator/tokens    {"revoke": TOKEN} or {"accept": [TOKEN, ...]}; {"accept": null} accepts any
"""

import hashlib
import json
from collections.abc import Awaitable, Callable

import anyio.to_thread
from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from runner.emulator.faults.spoiling import Content, spoil
from runner.emulator.http.controls import control_routes
from runner.emulator.http.wire import Delivery
from runner.emulator.pictures.pictures import render
from runner.emulator.pictures.recipe import Recipe
from runner.emulator.pictures.references import look_at
from runner.emulator.service.answers import ServiceAnswer
from runner.emulator.service.journal import keep
from runner.emulator.service.service import EmulatorService

_DRAWING_AT_ONCE = 2
_LOOKING_AT_ONCE = 4

Answerer = Callable[[Request], Awaitable[ServiceAnswer]]


def create_app(service: EmulatorService) -> Starlette:
    """The ASGI application. Its server must put the transport into the scope, as `server.serve` does."""
    drawing = anyio.CapacityLimiter(_DRAWING_AT_ONCE)

    def deliver(answerer: Answerer) -> Callable[[Request], Awaitable[Delivery]]:
        async def endpoint(request: Request) -> Delivery:
            answer = await answerer(request)
            await keep(service.journal)
            return await _delivery(answer, service, drawing)

        return endpoint

    calls = _Calls(service)
    routes = [
        *control_routes(service),
        Route("/v1/models", deliver(calls.models), methods=["GET"]),
        Route("/v1/models/categories", deliver(calls.categories), methods=["GET"]),
        Route("/v1/models/{model_id:path}", deliver(calls.model), methods=["GET"]),
        Route("/v1/models/{model_id:path}", deliver(calls.submit), methods=["POST"]),
        Route("/v1/requests/{request_id}/status", deliver(calls.status), methods=["GET"]),
        Route("/v1/requests/{request_id}/result", deliver(calls.result), methods=["GET"]),
        Route("/v1/requests/{request_id}/cancel", deliver(calls.cancel), methods=["POST"]),
        Route("/prod/v2/balance", deliver(calls.balance), methods=["GET"]),
        Route("/media/{path:path}", deliver(calls.media), methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers={ClientDisconnect: _nobody_there})


class _Calls:
    """HTTP requests as calls of the service."""

    def __init__(self, service: EmulatorService) -> None:
        self._service = service
        self._looking = anyio.CapacityLimiter(_LOOKING_AT_ONCE)

    async def submit(self, request: Request) -> ServiceAnswer:
        body = _parsed(await request.body())
        model_id = request.path_params["model_id"]
        seen = await look_at(model_id, body, self._looking)
        return self._service.submit(model_id, body, token=_token(request), origin=_origin(request), seen=seen)

    async def status(self, request: Request) -> ServiceAnswer:
        return self._service.status(
            request.path_params["request_id"], token=_token(request), origin=_origin(request)
        )

    async def result(self, request: Request) -> ServiceAnswer:
        return self._service.result(
            request.path_params["request_id"],
            token=_token(request),
            origin=_origin(request),
            include_cost=_yes(request, "include_cost"),
        )

    async def cancel(self, request: Request) -> ServiceAnswer:
        return self._service.cancel(request.path_params["request_id"], token=_token(request))

    async def models(self, request: Request) -> ServiceAnswer:
        query = request.query_params
        return self._service.models(
            token=_token(request),
            search=query.get("search", ""),
            category=query.get("category", ""),
            kind=query.get("kind", ""),
            limit=_number(query.get("limit"), 100),
            offset=_number(query.get("offset"), 0),
            include_schema=_yes(request, "include_schema"),
        )

    async def categories(self, request: Request) -> ServiceAnswer:
        return self._service.categories(token=_token(request))

    async def model(self, request: Request) -> ServiceAnswer:
        return self._service.model(request.path_params["model_id"], token=_token(request))

    async def balance(self, request: Request) -> ServiceAnswer:
        return self._service.balance(token=_token(request))

    async def media(self, request: Request) -> ServiceAnswer:
        return self._service.media(request.path_params["path"], token=_token(request))


async def _delivery(
    answer: ServiceAnswer, service: EmulatorService, drawing: anyio.CapacityLimiter
) -> Delivery:
    headers = answer.headers
    if isinstance(answer.payload, Recipe):
        made = answer.payload
        tag = hashlib.blake2b(repr(made).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
        headers = (*headers, ("etag", f'"{tag}"'))
        content = await anyio.to_thread.run_sync(_drawn, answer, made, limiter=drawing)
    else:
        text = answer.payload if isinstance(answer.payload, str) else json.dumps(answer.payload)
        content = spoil(Content(text.encode(), answer.content_type), answer.fault, picture=False)
    return Delivery(answer.status, headers, content, answer.fault, service.clock)


def _drawn(answer: ServiceAnswer, made: Recipe) -> Content:
    return spoil(Content(render(made), answer.content_type), answer.fault, picture=True)


async def _nobody_there(request: Request, problem: Exception) -> Response:
    return Response(status_code=499)


def _parsed(raw: bytes) -> JsonValue:
    try:
        parsed: JsonValue = json.loads(raw, parse_constant=_not_json)
    except (ValueError, RecursionError):
        return None
    return parsed


def _not_json(word: str) -> JsonValue:
    raise ValueError(f"{word} is no JSON")


def _token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _origin(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _yes(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() in ("true", "1")


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else default
