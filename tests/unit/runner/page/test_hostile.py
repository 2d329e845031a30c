"""Odd requests of who has got in all the same: the page refuses them in words, and is no defect's way in."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import anyio.abc
import pytest

from runner.page import server
from runner.page.acting import ACTS
from tests.support.served_page import Served, served_page

ODD = [
    "\ud800",
    "\x00",
    "a\x00b",
    "../../etc/passwd",
    "a/../b",
    "%2e%2e%2f",
    "\u202e",
    "' OR 1=1 --",
    "x" * 20_000,
]
READS = (
    "status",
    "tiles",
    "items",
    "facets",
    "doubts",
    "failures",
    "account",
    "rerolls",
    "reword",
    "nothing",
)


def escaped(text: str) -> str:
    """As a program may send it, a browser or not."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


@pytest.mark.parametrize("odd", ODD[:-1], ids=ascii)
async def test_odd_addresses_are_refused(served: Served, odd: str) -> None:
    """As a batch, a search, a key, a field, a number, a name of a file."""
    word = escaped(odd)
    asked = [f"/api/{word}/{name}" for name in READS]
    asked += [f"/api/night/tiles?q={word}", f"/api/night/tiles?sort={word}", f"/api/night/tiles?limit={word}"]
    asked += [f"/api/night/items?key={word}", f"/api/night/items?jobs={word}", f"/api/night/facets?of={word}"]
    asked += [f"/api/night/facets?of=col.{word}", f"/api/night/facets?of=state&q={word}"]
    asked += [f"/api/night/reword?key={word}&number=1", f"/api/night/reword?key=a&number={word}"]
    asked += [f"/s/{word}/page.js", f"/s/x/{word}", f"/t/1/{word}.webp", f"/t/{word}/x.webp", f"/p/1/{word}"]
    asked += [f"/t/1/{'0' * 64}.webp?s={word}", f"/{word}"]
    for path in asked:
        answered = await served.client.get(path)
        assert answered.status_code in (200, 400, 404), (path, answered.status_code)
        assert str(served.root.parent) not in answered.text


@pytest.mark.parametrize("act", sorted(ACTS))
async def test_odd_texts_in_an_act_are_refused(served: Served, act: str) -> None:
    """In every field that takes one: refused in words, or taken as the text that it is."""
    headers = served.acting | {"content-type": "application/json"}
    for odd in ODD:
        for told in wishes(odd):
            content = json.dumps(told)  # a lone surrogate is an escape, as in a browser
            answered = await served.client.post(f"/api/night/{act}", content=content, headers=headers)
            assert answered.status_code in (200, 400, 409), (told, answered.status_code)
            assert str(served.root.parent) not in answered.text


def wishes(odd: str) -> list[dict[str, Any]]:
    """A text in each place."""
    return [
        {"decisions": [{"key": odd, "verdict": "accepted"}]},
        {"decisions": [{"key": "a", "sha256": odd, "verdict": "accepted"}]},
        {"decisions": [{"key": "a", "note": odd[:2000]}]},
        {"keys": [odd]},
        {"kinds": [odd]},
        {"budget": odd},
        {"key": odd, "number": 0, "prompt": "x"},
        {"key": "a", "number": 0, "prompt": odd},
        {"key": "a", "number": 0, "prompt": "x", "cells": {odd: odd}},
        {"seed": odd},
        {odd: 1},
        {"keys": ["a"], "action": odd[:64]},
    ]


async def test_who_sends_nothing_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty-four would keep all others out: by no request, half a head, half a body, half of another one."""
    monkeypatch.setattr(server, "PATIENCE_SECONDS", 0.2)
    async with served_page(tmp_path, "a") as served:
        await served.enter()
        host = f"127.0.0.1:{served.page.port}"
        head = f"POST /enter HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
        body = "Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        whole = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"
        for sent, answer in [
            *(("", b""), ("GET / HT", b""), (head, b""), (head + body, b"")),
            (whole + "GET / HT", b"HTTP/1.1 200"),
        ]:
            stream = await anyio.connect_tcp("127.0.0.1", served.page.port)
            async with stream:
                if sent:
                    await stream.send(sent.encode())
                with anyio.fail_after(20):
                    assert (await all_of(stream)).startswith(answer), sent
        assert (await served.client.get("/api/night/status")).status_code == 200


async def all_of(stream: anyio.abc.SocketStream) -> bytes:
    """What comes until the other end closes."""
    came = b""
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while True:
            came += await stream.receive()
    return came
