"""Fetches a submit's reference images as the API would, from this machine only.

For other hosts only the names count: a rehearsal does not use the network.
"""

import ipaddress
from collections.abc import Sequence
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

import anyio
import anyio.to_thread
from pydantic import JsonValue

from jobs.catalog.registry import find
from runner.emulator.pictures.looks import MOST_BYTES, NOTHING_SEEN, ReferenceLooks, Unseen, inside, look_of

_MOST = 14
_SILENCE_SECONDS = 5.0
_SECONDS = 20.0
_CHUNK = 1 << 16


async def look_at(model_id: str, body: JsonValue, threads: anyio.CapacityLimiter) -> ReferenceLooks:
    """Fetch the reference images in a submit's body; an invalid body has none."""
    spec = find(model_id)
    field = None if spec is None else spec.vocabulary.get("images")
    images = body.get(field) if isinstance(body, dict) and field else None
    addresses = [image for image in images if isinstance(image, str)] if isinstance(images, list) else []
    if not any(map(_can_be_seen, addresses)):
        return NOTHING_SEEN
    with anyio.move_on_after(_SECONDS):
        return await anyio.to_thread.run_sync(
            _seen, addresses[:_MOST], limiter=threads, abandon_on_cancel=True
        )
    return ReferenceLooks(
        why_not=f"InvalidImage: the reference pictures were not there within {_SECONDS:g} s."
    )


def _seen(addresses: Sequence[str]) -> ReferenceLooks:
    opener = build_opener(ProxyHandler({}), _StayHere)
    looks = []
    for number, address in enumerate(addresses, 1):
        if _can_be_seen(address):
            try:
                data = inside(address) if _is_data(address) else _fetched(opener, address)
                looks.append(look_of(data))
            except Unseen as why:
                return ReferenceLooks(
                    why_not=f"InvalidImage: reference picture {number} cannot be used: {why}."
                )
    return ReferenceLooks(tuple(looks))


class _StayHere(HTTPRedirectHandler):
    """A redirect could leave this machine, so it counts as any other answer without an image."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def _fetched(opener: OpenerDirector, address: str) -> bytes:
    try:
        with opener.open(address, timeout=_SILENCE_SECONDS) as answer:
            data = bytearray()
            while chunk := answer.read(_CHUNK):
                data += chunk
                if len(data) > MOST_BYTES:
                    raise Unseen("it is too large")
            return bytes(data)
    except HTTPError as error:
        with error:
            raise Unseen(f"its link answers {error.code}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise Unseen("its link does not answer") from error


def _can_be_seen(address: str) -> bool:
    return _is_data(address) or _is_here(address)


def _is_data(address: str) -> bool:
    return address[:5].lower() == "data:"


def _is_here(address: str) -> bool:
    """Whether it is a plain URL of this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        return parts.scheme == "http" and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False
