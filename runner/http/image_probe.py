"""The first bytes of a hosted image and its size: HEAD, then one GET of a range."""

import re
from dataclasses import dataclass, field
from http import HTTPStatus

import anyio

from runner.http.errors import describe
from runner.http.image_answer import ImageAnswer
from runner.http.image_client import DownloadFailed, ImageClient, LinkGone
from runner.http.url_policy import Blocked, shown_host

FIRST_BYTES = 256 * 1024
"""More than the headers of an image take, colour profile and thumbnail included."""

_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 10.0
_SECONDS = 30.0
"""For one image in total."""

_TOTAL = re.compile(r"bytes 0-\d+/(\d{1,15})")


@dataclass(frozen=True, slots=True)
class Peeked:
    """The first bytes of an image; `size` is that of the whole image in bytes, None if unknown."""

    data: bytes = field(repr=False)
    size: int | None

    @property
    def whole(self) -> bool:
        """Whether `data` is the whole image."""
        return self.size == len(self.data)


async def peek(client: ImageClient, address: str) -> Peeked | Blocked | LinkGone | DownloadFailed:
    """Probe one image, without a retry."""
    with anyio.move_on_after(_SECONDS):
        size = await _told_size(client, address)
        return await _begun(client, address, size) if isinstance(size, int | None) else size
    return DownloadFailed(f"{shown_host(address)} took longer than {_SECONDS:g} s")


async def _told_size(client: ImageClient, address: str) -> int | Blocked | DownloadFailed | None:
    """The size according to HEAD. Not every server knows HEAD, and a signed URL is not signed for it, so a
    refused HEAD means nothing."""
    answer = await client.open(
        address, connect_seconds=_CONNECT_SECONDS, idle_seconds=_IDLE_SECONDS, method="HEAD"
    )
    if isinstance(answer, ImageAnswer):
        await answer.close()
        return _number(answer.headers.get("content-length", ""))
    if isinstance(answer, Blocked) or (isinstance(answer, DownloadFailed) and answer.status is None):
        return answer
    return None


async def _begun(
    client: ImageClient, address: str, told: int | None
) -> Peeked | Blocked | LinkGone | DownloadFailed:
    answer = await client.open(
        address,
        connect_seconds=_CONNECT_SECONDS,
        idle_seconds=_IDLE_SECONDS,
        first_bytes=FIRST_BYTES,
    )
    if not isinstance(answer, ImageAnswer):
        return answer
    try:
        return Peeked(await _first_bytes(answer), _size_of(answer, told))
    except Exception as error:  # each is translated to a value
        return DownloadFailed(describe(error, shown_host(address)))
    finally:
        await answer.close()


async def _first_bytes(answer: ImageAnswer) -> bytes:
    data = bytearray()
    while len(data) < FIRST_BYTES and (piece := await answer.read(FIRST_BYTES)):
        data += piece
    return bytes(data[:FIRST_BYTES])


def _size_of(answer: ImageAnswer, told: int | None) -> int | None:
    if answer.status == HTTPStatus.PARTIAL_CONTENT:
        total = _TOTAL.fullmatch(answer.headers.get("content-range", "").strip())
        return int(total[1]) if total else told
    length = _number(answer.headers.get("content-length", ""))
    return told if length is None else length


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None
