"""What clients of the API that others wrote ask for, wait for and refuse, against the emulator over HTTP.

Each client is told again here in a few lines, by what it is known to do: the agents' server, the nodes of a
graph editor, an automation platform, an app, a worker. Where they contradict each other, one of its
choices decides, and each client is shown with the choice that it needs.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest

from tests.unit.runner.emulator.served import SEQUENTIAL, WAVES, Served, running

SINGLE = "bytedance/seedream-4-5/text-to-image"
FOX = {"prompt": "A fox"}

Json = dict[str, Any]
Client = Callable[[Served, str, Json], Awaitable[Json]]
"""Submits, waits in its own way, and returns the result that it takes for a good one."""


class Refused(Exception):
    """A client's own words for what it takes for a failure."""


class GaveUp(Exception):
    """A client asked as often as it asks."""


def body_of(answer: httpx.Response) -> Json:
    """An answer as most of them read it: an error may come with HTTP 200."""
    body: Json = answer.json()
    if not answer.is_success or "error_code" in body:
        raise Refused(f"HTTP {answer.status_code}: {body.get('error_message')}")
    return body


async def agents_server(served: Served, model: str, body: Json) -> Json:
    """Every 3 s the status, for five minutes; `succeeded` is no end to it; then the result, once."""
    request_id = body_of(await served.client.post(f"/models/{model}", json=body))["request_id"]
    for _ in range(100):
        status = body_of(await served.client.get(f"/requests/{request_id}/status"))["status"]
        if status in {"completed", "cancelled", "failed"}:
            return body_of(await served.client.get(f"/requests/{request_id}/result"))
        served.clock.ahead += 3
    raise GaveUp


async def graph_nodes(served: Served, model: str, body: Json) -> Json:
    """A price for each picture first; the result alone is asked for, with its cost."""
    page = body_of(await served.client.get(f"/models/{model}"))
    if page["price_unit"] != "output" or not page["base_price_usd"] > 0:
        raise Refused("price_unavailable")
    answer = await served.client.post(f"/models/{model}", json=body)
    if answer.status_code in {401, 402, 403}:
        raise Refused({401: "authentication", 402: "balance", 403: "authentication"}[answer.status_code])
    told = answer.json()
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", str(told.get("request_id", ""))):
        raise Refused("unknown_submission")
    for _ in range(100):
        path = f"/requests/{told['request_id']}/result"
        result: Json = (await served.client.get(path, params={"include_cost": "true"})).json()
        if result["status"] in {"succeeded", "completed"}:
            assert isinstance(result["cost"], float)
            return result
        if result["status"] not in {
            "in_queue",
            "in_progress",
            "pending",
            "waiting",
            "starting",
            "processing",
        }:
            raise Refused(str(result.get("error")))
        served.clock.ahead += 3
    raise GaveUp


async def automation(served: Served, model: str, body: Json) -> Json:
    """The balance proves the token; only models that generate pictures or films may be chosen."""
    body_of(await served.client.get(f"{served.handle.origin}/prod/v2/balance"))
    page = body_of(await served.client.get(f"/models/{model}"))
    if not any(word.endswith(("-to-image", "-to-video")) for word in page["categories"]):
        raise Refused("Choose a model that generates images or videos.")
    return await agents_server(served, model, body)


async def app(served: Served, model: str, body: Json) -> Json:
    """The result until it says `completed`, at most forty times."""
    request_id = body_of(await served.client.post(f"/models/{model}", json=body))["request_id"]
    for _ in range(40):
        result = body_of(await served.client.get(f"/requests/{request_id}/result"))
        if result["status"] == "completed":
            return result
        served.clock.ahead += 2
    raise GaveUp


async def worker(served: Served, model: str, body: Json) -> Json:
    """The id is a UUID; the status until it is done, then anything but `succeeded` is a failure."""
    told = body_of(await served.client.post(f"/models/{model}", json=body))
    if not re.fullmatch(r"[0-9a-fA-F-]{36}", told["request_id"]):
        raise Refused("no request_id")
    for _ in range(40):
        status = body_of(await served.client.get(told["status_url"]))["status"]
        if status.lower() not in {"in_queue", "in_progress"}:
            result = body_of(await served.client.get(told["result_url"]))
            if result["status"] != "succeeded":
                raise Refused(result["status"])
            return result
        served.clock.ahead += 5
    raise GaveUp


EITHER: tuple[Client, ...] = (agents_server, graph_nodes, automation)
"""Take both words of a good result."""


def addresses(value: Any) -> Iterator[str]:
    """All addresses in an output, wherever they stand."""
    if isinstance(value, str) and value.startswith("http"):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from addresses(inner)


@pytest.mark.parametrize(
    ("client", "word"),
    [
        *((client, word) for client in EITHER for word in ("succeeded", "completed")),
        (app, "completed"),
        (worker, "succeeded"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
@pytest.mark.parametrize("submit_status", [200, 202])
async def test_each_comes_to_its_pictures(client: Client, word: str, submit_status: int) -> None:
    """With the word that it waits for, whatever status tells it that a submit was accepted."""
    async with running(success_word=word, submit_status=submit_status) as served:
        series = await client(served, SEQUENTIAL, WAVES)
        single = await client(served, SINGLE, FOX)
        assert (len(list(addresses(series["output"]))), len(list(addresses(single["output"])))) == (2, 1)
        for address in addresses(series["output"]):
            assert (await served.client.get(address)).headers["content-type"] == "image/jpeg"
        assert len(served.handle.service.ledger) == 2


@pytest.mark.parametrize(("client", "word"), [(app, "succeeded"), (worker, "completed")])
async def test_two_of_them_cannot_both_be_right(client: Client, word: str) -> None:
    """One would ask for ever, the other call a good result a failure: at the API, one of them is broken."""
    async with running(success_word=word) as served:
        with pytest.raises((GaveUp, Refused)):
            await client(served, SINGLE, FOX)


async def test_pictures_are_known_by_the_ending_of_their_address() -> None:
    """Two clients take nothing else; the last part names the file, and no two are the same."""
    async with running(echo_inputs=True) as served:
        seen = [
            address
            for _ in range(2)
            for address in addresses((await worker(served, SEQUENTIAL, WAVES))["output"])
        ]
        names = [urlsplit(address).path.rpartition("/")[2] for address in seen]
        assert all(re.fullmatch(r"[\w-]{21}_output\.(png|jpg|webp)", name) for name in names)
        assert len(set(names)) == 4
        assert all("%3D/" in address for address in seen)
        assert (await served.client.get(unquote(seen[0]))).status_code == 200


async def test_models_are_chosen_by_the_api_s_own_categories() -> None:
    """The drop-down of one client, the list of another."""
    async with running() as served:
        page = body_of(await served.client.get("/models", params={"include_schema": "true", "limit": "500"}))
        assert all(entry["categories"][0].endswith("-to-image") for entry in page["models"])
        told = body_of(await served.client.get("/models/categories"))["categories"]
        listed = {
            word: body_of(await served.client.get("/models", params={"category": word}))["models"]
            for word in told
        }
        assert sorted(told) == ["image-to-image", "text-to-image"]
        assert all(listed.values())
        assert all("images" in entry["required_inputs"] for entry in listed["image-to-image"])


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_bad_token_has_the_status_that_is_chosen(status: int) -> None:
    """The documented 400 hides it from a client that goes by HTTP status; each is told the code."""
    async with running(token_status=status, tokens=["another"]) as served:
        for client in (agents_server, graph_nodes, automation, app, worker):
            with pytest.raises(Refused, match=f"HTTP {status}: UserAccountError"):
                await client(served, SINGLE, FOX)


@pytest.mark.parametrize(("status", "said"), [(400, "unknown_submission"), (402, "balance")])
async def test_an_empty_balance_as_the_nodes_see_it(status: int, said: str) -> None:
    """As an unknown submission, which has to be looked up, unless the API says 402."""
    async with running(balance_usd=0, balance_status=status) as served:
        with pytest.raises(Refused, match=said):
            await graph_nodes(served, SINGLE, FOX)


async def test_errors_on_200_are_noticed_by_their_code() -> None:
    """By the clients that look; no submit is accepted."""
    async with running(errors_on_200=True, balance_usd=0) as served:
        for client in (agents_server, automation, app, worker):
            with pytest.raises(Refused, match="HTTP 200: InsufficientResources"):
                await client(served, SINGLE, FOX)
        assert served.handle.service.ledger == []


@pytest.mark.parametrize("in_status", [False, True])
async def test_a_failed_run_is_a_failure_to_each(in_status: bool) -> None:
    """Whether the status says so, or the result alone."""
    async with running(failed_share=1, failed_in_status=in_status) as served:
        assert (await agents_server(served, SINGLE, FOX))["status"] == "failed"
        for client in (graph_nodes, worker):
            with pytest.raises(Refused):
                await client(served, SINGLE, FOX)


async def test_an_impossible_value_is_queued_and_fails_later() -> None:
    """As one author measured it; refused at once by default."""
    body = FOX | {"resolution": "__probe__"}
    async with running() as served:
        with pytest.raises(Refused, match="HTTP 422"):
            await worker(served, SINGLE, body)
    async with running(bad_values="failed") as served:
        with pytest.raises(Refused, match="failed"):
            await worker(served, SINGLE, body)
        assert len(served.handle.service.ledger) == 1
