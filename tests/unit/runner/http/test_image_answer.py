"""How large the pieces are that a body is read in."""

import asyncio

import aiohttp
import httpx
import pytest
from aiohttp.base_protocol import BaseProtocol

from runner.http.transport import _Body, body_of


class _Arrived:
    """An answer of aiohttp whose whole body is here."""

    def __init__(self, body: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.content = aiohttp.StreamReader(BaseProtocol(loop), 2**16, loop=loop)
        self.content.feed_data(body)
        self.content.feed_eof()


@pytest.mark.parametrize(("asked", "pieces"), [(None, 7), (16 * 1024, 7), (40_000, 3), (1_000_000, 1)])
async def test_a_body_is_read_in_pieces_as_large_as_asked_for(asked: int | None, pieces: int) -> None:
    """Each costs the same, whatever its size: a picture of many megabytes is read in few."""
    body = bytes(range(250)) * 400
    stream = _Body(_Arrived(body))  # type: ignore[arg-type]  # as much of one as is read
    response = httpx.Response(200, stream=stream)
    async with body_of(response, asked) as chunks:
        came = [chunk async for chunk in chunks]
    assert len(came) == pieces
    assert b"".join(came) == body


async def test_a_body_in_memory_comes_as_it_is() -> None:
    """As in tests."""
    async with body_of(httpx.Response(200, content=b"all of it"), 2) as chunks:
        assert [chunk async for chunk in chunks] == [b"all of it"]
