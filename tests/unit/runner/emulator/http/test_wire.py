"""Faults as a client meets them on the wire."""

import asyncio
import contextlib
import gzip
import itertools
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from runner.emulator.faults.faults import Endpoint, Fault, FaultKind
from tests.unit.runner.emulator.served import SEQUENTIAL, WAVES, Served, running


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with running() as served:
        yield served


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize(("kind", "meets"), [("drop", httpx.RemoteProtocolError), ("reset", httpx.ReadError)])
async def test_a_connection_that_closes_without_an_answer(
    served: Served, kind: str, meets: type[Exception], accepted: bool
) -> None:
    """Before or after the submit was accepted; the next call finds the server as it was."""
    served.arm("submit", kind, accepted=accepted)
    with pytest.raises(meets):
        await served.submit()
    assert len(served.handle.service.ledger) == int(accepted)
    assert (await served.submit()).status_code == 200


async def test_a_call_that_is_never_answered(served: Served) -> None:
    """Until the client gives up; the server goes on."""
    served.arm("submit", "stall", accepted=True)
    with pytest.raises(httpx.ReadTimeout):
        await served.client.post(f"/models/{SEQUENTIAL}", json=WAVES, timeout=0.05)
    assert len(served.handle.service.ledger) == 1
    assert (await served.submit()).status_code == 200


async def test_a_submit_answer_that_breaks_off(served: Served) -> None:
    """On the wire (too few bytes came), or in itself (whole, and no JSON)."""
    served.arm("submit", "truncate")
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        await served.submit()
    served.arm("submit", "cut", count=60)
    answer = await served.submit()
    assert (answer.status_code, len(answer.content)) == (200, 60)
    assert served.handle.service.ledger[1].request_id in answer.text
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|Invalid"):
        answer.json()


async def test_an_empty_answer_breaks_off_too(served: Served) -> None:
    """It promises one byte and gives none."""
    served.arm("status", "truncate", count=0)
    with pytest.raises(httpx.RemoteProtocolError, match="received 0 bytes"):
        await served.client.get("/requests/nobody/status")


async def test_answers_from_somebody_else(served: Served) -> None:
    """A web page with 200, an error page, a redirect: all after acceptance."""
    seen = []
    for kind, fields in (
        ("html", {}),
        ("http", {"status": 504, "shape": "html"}),
        ("redirect", {"status": 308}),
    ):
        served.arm("submit", kind, accepted=True, **fields)
        answer = await served.submit()
        seen.append((answer.status_code, answer.headers["content-type"].partition(";")[0]))
    assert seen == [(200, "text/html"), (504, "text/html"), (308, "text/plain")]
    assert answer.headers["location"].startswith("http://169.254.169.254/")
    assert len(served.handle.service.ledger) == 3


async def test_a_slow_body(served: Served) -> None:
    """Whole in the end, in 64 pieces."""
    link = (await served.links())[0]
    whole = (await served.client.get(link)).content
    served.arm("media", "drip", seconds=3)
    assert (await served.client.get(link)).content == whole
    assert set(served.clock.slept) == {3}
    assert 60 <= len(served.clock.slept) <= 64


async def test_pictures_that_are_not_what_they_promise(served: Served) -> None:
    """Truncated, cut, noise, wrong type, compressed, a pixel bomb, somewhere else."""
    link = (await served.links())[0]
    whole = (await served.client.get(link)).content

    async def get(kind: str, **fields: Any) -> httpx.Response:
        served.arm("media", kind, **fields)
        return await served.client.get(link)

    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        await get("truncate", count=100)
    with pytest.raises(httpx.ReadError):
        await get("reset")
    assert (await get("cut")).content == whole[: len(whole) // 2]
    assert (await get("wrong_bytes")).headers["content-type"] == "image/jpeg"
    assert (await get("wrong_type")).headers["content-type"] == "application/octet-stream"
    assert (await get("gzip")).headers["content-encoding"] == "gzip"
    assert (await get("bomb")).headers["content-type"] == "image/png"
    assert (await get("html")).headers["content-type"].startswith("text/html")
    assert (await get("http", status=403, shape="text")).status_code == 403
    assert (await get("redirect", status=302)).headers["location"].startswith("http://169.254.")
    served.arm("media", "gzip", count=500_000)
    async with served.client.stream("GET", link) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert (len(raw) < 5000, gzip.decompress(raw)) == (True, bytes(500_000))


async def test_a_huge_body_ends_when_the_client_has_had_enough(served: Served) -> None:
    """A gibibyte is promised; a smaller one comes whole."""
    link = (await served.links())[0]
    served.arm("media", "huge")
    async with served.client.stream("GET", link) as answer:
        assert answer.headers["content-length"] == str(1 << 30)
        async for _ in answer.aiter_raw():
            break
    served.arm("media", "huge", count=100_000)
    assert (await served.client.get(link)).content == bytes(100_000)


async def test_a_client_that_leaves_while_it_sends_harms_nobody(served: Served) -> None:
    """Half a body, and gone."""
    host, port = served.handle.origin.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /v1/models/{SEQUENTIAL} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{{"
    writer.write(head.encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await served.submit()).status_code == 200
    assert len(served.handle.service.ledger) == 1


def _every_fault() -> list[Fault]:
    """All that can go wrong, at every endpoint where it can."""
    faults = []
    for endpoint, kind, accepted in itertools.product(Endpoint, FaultKind, (False, True)):
        with contextlib.suppress(ValidationError):
            faults.append(Fault(endpoint=endpoint, kind=kind, accepted=accepted, seconds=0, times=None))
    return faults


async def test_no_fault_breaks_the_server(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever strikes wherever, it reports no error of its own, and serves on."""
    answer = await served.ended()
    link = (await served.client.get(answer["result_url"])).json()["output"]["images"][0]
    tries = {
        Endpoint.SUBMIT: ("POST", f"/models/{SEQUENTIAL}"),
        Endpoint.STATUS: ("GET", answer["status_url"]),
        Endpoint.RESULT: ("GET", answer["result_url"]),
        Endpoint.CANCEL: ("POST", answer["cancel_url"]),
        Endpoint.MODELS: ("GET", "/models"),
        Endpoint.BALANCE: ("GET", f"{served.handle.origin}/prod/v2/balance"),
        Endpoint.MEDIA: ("GET", link),
    }
    for fault in _every_fault():
        served.handle.service.faults = [fault]
        method, path = tries.get(fault.endpoint, tries[Endpoint.MEDIA])
        with contextlib.suppress(httpx.HTTPError):
            async with served.client.stream(method, path, timeout=0.02, json=WAVES) as reply:
                async for _ in reply.aiter_raw():
                    break
    served.handle.service.faults = []
    assert (await served.submit()).status_code == 200
    assert not [record for record in caplog.records if record.name.startswith(("uvicorn", "asyncio"))]
