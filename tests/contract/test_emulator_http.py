"""The emulator over real HTTP: every endpoint of the API, and its own controls."""

import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.unit.runner.emulator.served import SEQUENTIAL, WAVES, Served, running


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with running() as served:
        yield served


async def test_a_job_from_submit_to_pictures(served: Served) -> None:
    """By the addresses that the answers give."""
    answer = (await served.submit()).json()
    status = (await served.client.get(answer["status_url"])).json()
    assert status["status"] == "in_progress"
    served.clock.ahead = 20
    assert (await served.client.get(answer["status_url"])).json()["status"] == "completed"
    result = (await served.client.get(answer["result_url"], params={"include_cost": "true"})).json()
    assert (result["status"], result["cost"]) == ("succeeded", 0.08)
    for link in result["output"]["images"]:
        got = await served.client.get(link)
        assert got.headers["content-type"] == "image/jpeg"
        assert int(got.headers["content-length"]) == len(got.content)
        assert Image.open(io.BytesIO(got.content)).size == (128, 128)
        assert (await served.client.get(link)).headers["etag"] == got.headers["etag"]
    tags = {(await served.client.get(link)).headers["etag"] for link in result["output"]["images"]}
    assert len(tags) == 2
    assert served.handle.service.media_with_token == 6


async def test_a_cancel_over_http(served: Served) -> None:
    """202 whatever came of it."""
    answer = (await served.submit()).json()
    cancelled = await served.client.post(answer["cancel_url"])
    assert (cancelled.status_code, cancelled.json()["outcome"]) == (202, "not_cancellable")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"x"', b"[" * 200_000, b"\xff", b'{"prompt": NaN}', b"1" * 5000]
)
async def test_bodies_that_are_no_json_object(served: Served, content: bytes) -> None:
    """Refused as any other body that does not fit, never a crash."""
    answer = await served.client.post(f"/models/{SEQUENTIAL}", content=content)
    assert (answer.status_code, answer.json()["error_code"]) == (422, 422001)


@pytest.mark.parametrize("header", ["", "Bearer", "Basic bmlnaHQ6", "night"])
async def test_no_bearer_token(served: Served, header: str) -> None:
    """400004, beside a status that does not say it."""
    answer = await served.client.get("/models", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["error_code"]) == (400, 400004)


async def test_the_catalogue_over_http(served: Served) -> None:
    """List, categories and one model; odd numbers fall back to the defaults."""
    listed = (await served.client.get("/models", params={"search": "4-0", "limit": "1"})).json()
    assert (listed["limit"], len(listed["models"])) == (1, 1)
    assert "input_schema" not in listed["models"][0]
    odd = (await served.client.get("/models?limit=many&offset=-1&include_schema=true")).json()
    assert (odd["limit"], odd["offset"]) == (100, 0)
    assert "input_schema" in odd["models"][0]
    assert (await served.client.get("/models/categories")).json() == {
        "categories": ["text-to-image", "image-to-image"]
    }
    one = (await served.client.get(f"/models/{SEQUENTIAL}")).json()
    assert (one["model_id"], one["base_price_usd"]) == (SEQUENTIAL, 0.04)


async def test_balance_and_unknown_paths(served: Served) -> None:
    """The balance lives outside of /v1; elsewhere there is nothing."""
    answer = await served.client.get(f"{served.handle.origin}/prod/v2/balance")
    assert answer.json()["balance_usd"] == 1000
    assert (await served.client.get("/nowhere")).status_code == 404
    assert (await served.client.get("/requests/nobody/status")).json()["error_code"] == 404001


async def test_answers_are_dated_by_the_emulators_clock(served: Served) -> None:
    """So that a Retry-After date can be read beside it."""
    assert (await served.client.get("/models")).headers["date"] == "Fri, 20 Nov 2026 22:00:00 GMT"


async def test_the_ledger_needs_no_token(served: Served) -> None:
    """It is the tests' oracle; `since` gives what is new."""
    await served.submit()
    await served.submit()
    async with httpx.AsyncClient(base_url=served.handle.base_url) as nobody:
        ledger = (await nobody.get("/emulator/ledger")).json()
        assert (ledger["total"], ledger["submits"][0]["body"]) == (2, WAVES)
        assert (ledger["submits"][0]["at"], ledger["submits"][0]["cost"]) == (
            "2026-11-20T22:00:00+00:00",
            0.08,
        )
        later = (await nobody.get("/emulator/ledger", params={"since": 1})).json()
        assert [entry["ordinal"] for entry in later["submits"]] == [2]
        assert (await nobody.get("/emulator/ledger", params={"since": "x"})).status_code == 400


async def test_controls_over_http(served: Served) -> None:
    """Faults, balance and tokens are changed while it runs."""
    post = served.client.post
    assert len((await post("/emulator/faults", json={"profile": "busy"})).json()["faults"]) == 4
    armed = await post("/emulator/faults", json=[{"endpoint": "models", "kind": "http", "times": "for ever"}])
    assert armed.json()["faults"][0]["times"] is None
    assert (await served.client.get("/models")).status_code == 500
    assert (await post("/emulator/faults", json={"faults": []})).json() == {"faults": []}
    assert (await post("/emulator/balance", json={"balance_usd": 0.01})).json() == {"balance_usd": 0.01}
    assert (await served.submit()).json()["error_code"] == 400002
    assert (await post("/emulator/tokens", json={"revoke": "night"})).status_code == 200
    assert (await served.client.get("/models")).json()["error_code"] == 400004
    assert (await post("/emulator/tokens", json={"accept": ["night"]})).status_code == 200
    assert (await served.client.get("/models")).status_code == 200
    assert (await post("/emulator/tokens", json={"accept": None})).status_code == 200


@pytest.mark.parametrize(
    ("control", "order"),
    [
        ("faults", {"profile": "stormy"}),
        ("faults", {"profile": "busy", "more": 1}),
        ("faults", [{"endpoint": "status"}]),
        ("balance", {"balance_usd": "much"}),
        ("balance", {"balance_usd": "NaN"}),
        ("tokens", {"revoke": 3}),
        ("tokens", {}),
    ],
)
async def test_wrong_orders_are_explained(served: Served, control: str, order: Any) -> None:
    """400 with a sentence, and nothing changes."""
    answer = await served.client.post(f"/emulator/{control}", json=order)
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)
    assert not served.handle.service.faults
