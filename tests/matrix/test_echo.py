"""An API that says the token back, in an error or an address: our side of the border never sees it."""

import json

import httpx
import pytest
from pydantic import SecretStr

from runner.http.api_client import ApiClient
from runner.http.replies import Answer

BASE = "https://model-api.runcomfy.net/v1"


async def answered(token: str, body: bytes) -> bytes:
    return (await answer_of(token, body)).body


async def answer_of(token: str, body: bytes, **headers: str) -> Answer:
    transport = httpx.MockTransport(lambda _request: httpx.Response(422, content=body, headers=headers))
    async with ApiClient(BASE, SecretStr(token), transport=transport) as client:
        reply = await client.request("GET", "/models", timeout_seconds=5)
    assert isinstance(reply, Answer)
    return reply


@pytest.mark.parametrize("token", ["canary-7b1c9f-token", "canary/7b1c9f+token=="])
async def test_a_token_that_is_said_back_is_taken_out(token: str) -> None:
    """Wherever it stands, as often as it does, also where the JSON escapes a slash."""
    said = {"message": f"{token}: no such key {token}", "url": f"https://x/?k={token}"}
    for body in (json.dumps(said), json.dumps(said).replace("/", "\\/")):
        document = json.loads(await answered(token, body.encode()))
        assert document == {"message": "[token]: no such key [token]", "url": "https://x/?k=[token]"}


async def test_a_token_in_a_header_is_taken_out() -> None:
    """Headers of an answer that is no receipt are kept as well."""
    answer = await answer_of("canary-7b1c9f-token", b"{}", location="https://x/canary-7b1c9f-token")
    assert answer.headers["location"] == "https://x/[token]"


async def test_a_word_for_a_token_spoils_no_answer() -> None:
    """An emulator takes any token: `status` is one, and a key of every answer."""
    body = b'{"status": "in_queue"}'
    assert await answered("status", body) == body
