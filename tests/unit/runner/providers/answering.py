"""The provider over an API that always says the same."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import SecretStr

from runner.http.api_client import ApiClient
from runner.providers.runcomfy.api import RunComfy

HTML = b"<html></html>"
Answerer = Callable[[httpx.Request], httpx.Response]


class Clock:
    """A clock that stands still."""

    def now(self) -> datetime:
        return datetime(2026, 11, 20, 22, 0, tzinfo=UTC)

    def cpu(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a provider waits for nothing")


def api(answer: Answerer | Any, status: int = 200, **headers: str) -> RunComfy:
    """The provider over an API that always says the same."""

    def handle(request: httpx.Request) -> httpx.Response:
        if callable(answer):
            found: httpx.Response = answer(request)
            return found
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return httpx.Response(
            status, content=content, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    client = ApiClient("https://api.example/v1", SecretStr("token"), transport=httpx.MockTransport(handle))
    return RunComfy(client, Clock(), submit_timeout=60, timeout=30)


def error(code: int) -> dict[str, Any]:
    return {"error_code": code, "error_message": "why"}


def refusing(error: Exception) -> Answerer:
    def handle(_request: httpx.Request) -> httpx.Response:
        raise error

    return handle
