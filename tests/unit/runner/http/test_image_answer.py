"""How large the pieces are that a body is read in."""

import asyncio

import aiohttp
import httpx
import pytest
from aiohttp.base_protocol import BaseProtocol

from runner.http.image_answer import HttpxBody, ImageAnswer, _OwnBody


class _Arrived:
    """An answer of aiohttp whose whole body is here."""

    def __init__(self, body: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.content = aiohttp.StreamReader(BaseProtocol(loop), 2**16, loop=loop)
        self.content.feed_data(body)
        self.content.feed_eof()


async def _all_of(answer: ImageAnswer, most_bytes: int) -> list[bytes]:
    came = []
    while piece := await answer.read(most_bytes):
        came.append(piece)
    return came


@pytest.mark.parametrize(("most", "pieces"), [(16 * 1024, 7), (40_000, 3), (1_000_000, 1)])
async def test_a_body_is_read_in_pieces_as_large_as_asked_for(most: int, pieces: int) -> None:
    """Each costs the same, whatever its size: a picture of many megabytes is read in few."""
    body = bytes(range(250)) * 400
    answer = ImageAnswer(200, {}, "host", _OwnBody(_Arrived(body)))  # type: ignore[arg-type]  # as much as is read
    came = await _all_of(answer, most)
    assert len(came) == pieces
    assert b"".join(came) == body


async def test_a_body_in_memory_comes_as_it_is() -> None:
    """As in tests."""
    answer = ImageAnswer(200, {}, "host", HttpxBody(httpx.Response(200, content=b"all of it")))
    assert await _all_of(answer, 2) == [b"all of it"]


async def test_an_empty_piece_is_not_the_end() -> None:
    """A transport may pass one on."""

    class Stream(httpx.AsyncByteStream):
        async def __aiter__(self):  # type: ignore[no-untyped-def]
            for piece in (b"one", b"", b"two"):
                yield piece

    answer = ImageAnswer(200, {}, "host", HttpxBody(httpx.Response(200, stream=Stream())))
    assert await _all_of(answer, 100) == [b"one", b"two"]
