"""Hosted references, looked at where they are: bounded, polite, and never on the private network."""

import io
import random

import anyio
import httpx
import pytest
from PIL import Image

from jobs.catalog.image_rules import Shape
from runner.http.image_client import ImageClient
from runner.http.image_probe import FIRST_BYTES
from runner.http.url_policy import ImageUrlPolicy
from runner.uploads.hosted_check import look_at_all
from tests.support.loopback import host
from tests.support.small_pictures import picture

REAL = ImageUrlPolicy.of_references("https://model-api.runcomfy.net/v1")
REHEARSAL = ImageUrlPolicy.of_references("http://127.0.0.1/v1")


def noise() -> bytes:
    """A PNG that no compression makes smaller."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (600, 400), random.Random(1).randbytes(600 * 400 * 3)).save(buffer, "PNG")
    return buffer.getvalue()


async def seen(address: str, policy: ImageUrlPolicy = REHEARSAL) -> Shape | str:
    """What is found there."""
    async with ImageClient(policy) as client:
        return (await look_at_all(client, [address]))[address]


async def test_head_then_a_range_of_one_get() -> None:
    """No token; the size is that of the whole picture, though only its beginning came."""
    large = picture() + bytes(FIRST_BYTES)
    with host(body=large, ranges=True) as (address, asked):
        assert await seen(f"{address}?signature=a%2Fb") == Shape("PNG", 64, 48, len(large))
    assert asked == ["HEAD /a.png?signature=a%2Fb None", "GET /a.png?signature=a%2Fb None"]


async def test_a_png_that_goes_on_behind_its_first_bytes() -> None:
    """As every larger one does: its pixels are cut, and it is measured by its header all the same."""
    large = noise()
    assert len(large) > 2 * FIRST_BYTES
    with host(body=large, ranges=True) as (address, _asked):
        assert await seen(address) == Shape("PNG", 600, 400, len(large))


@pytest.mark.parametrize("knows_head", [True, False])
async def test_a_server_that_sends_all_of_it(knows_head: bool) -> None:
    """It does not know ranges, perhaps not HEAD: what is too much is left unread."""
    with host(body=picture("JPEG"), knows_head=knows_head) as (address, _asked):
        assert await seen(address) == Shape("JPEG", 64, 48, len(picture("JPEG")))
    large = picture("JPEG") + bytes(4 * FIRST_BYTES)
    with host(body=large, knows_head=knows_head) as (address, _asked):
        assert await seen(address) == Shape("JPEG", 64, 48, len(large))


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (403, b"", "its host answers 403"),
        (404, b"", "its host answers 404"),
        (401, b"", "its host answers 401"),
        (500, b"", "answered 500"),
        (200, b"<html>Sign in</html>", "it is no picture that is known here"),
        (200, b"", "it is no picture that is known here"),
        (200, picture(size=(600, 600))[:300], "it cannot be decoded"),
    ],
)
async def test_what_the_api_would_not_get(status: int, body: bytes, words: str) -> None:
    """A sentence for each."""
    with host(status, body) as (address, _asked):
        told = await seen(address)
    assert isinstance(told, str)
    assert words in told


async def test_nobody_there_is_asked_once() -> None:
    """And told."""
    with host() as (address, _asked):
        pass
    assert "It cannot be looked at: cannot connect to 127.0.0.1" in str(await seen(address))


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/a.png",
        "https://127.0.0.1/a.png",
        "https://localhost/a.png",
        "https://10.0.0.1/a.png",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/a.png",
        "http://images.example.com/a.png",
        "ftp://images.example.com/a.png",
    ],
)
async def test_nothing_but_the_public_internet(address: str) -> None:
    """With the real API: neither this machine nor its network, nor plain http."""
    told = await seen(address, REAL)
    assert isinstance(told, str)
    assert told.startswith("The API could not fetch it: ")


@pytest.mark.parametrize(
    "address", ["https://10.0.0.1/a.png", "https://169.254.169.254/", "http://a.example/1"]
)
async def test_a_rehearsal_has_this_machine_beside(address: str) -> None:
    """And nothing else."""
    assert str(await seen(address)).startswith("The API could not fetch it: ")


async def test_a_redirect_is_checked_too() -> None:
    """One to the private network is not followed."""
    with host(302, location="http://10.0.0.1/a.png") as (address, asked):
        assert "10.0.0.1" in str(await seen(address))
        assert len(asked) == 1


async def test_each_once_and_a_host_s_one_after_the_other() -> None:
    """From several hosts at once, though not from many."""
    at_once: dict[str, int] = {}
    most: dict[str, int] = {}
    hosts_at_once: list[int] = []
    asked: list[str] = []

    class Net(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:

            name = request.url.host
            at_once[name] = at_once.get(name, 0) + 1
            most[name] = max(most.get(name, 0), at_once[name])
            hosts_at_once.append(sum(1 for number in at_once.values() if number))
            asked.append(f"{request.method} {request.url}")
            for _turn in range(3):
                await anyio.lowlevel.checkpoint()
            at_once[name] -= 1
            return httpx.Response(200, content=picture())

    addresses = [f"https://h{number % 7}.example.com/{number}.png" for number in range(28)]
    async with ImageClient(REAL, transport=Net()) as client:
        found = await look_at_all(client, addresses)
    assert set(found) == set(addresses)
    assert set(most.values()) == {1}
    assert 1 < max(hosts_at_once) <= 4
    assert len(asked) == len(set(asked)) == 56
