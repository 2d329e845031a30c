"""Opening a picture's URL: redirects by hand, refusals as values, nothing secret on the way."""

import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from runner.http.image_answer import HttpxBody, ImageAnswer
from runner.http.image_client import DownloadFailed, ImageClient, LinkGone
from runner.http.url_policy import Blocked, ImageUrlPolicy
from runner.providers.runcomfy.endpoint import DEFAULT_BASE, IMAGE_HOSTS

URL = "https://pictures.runcomfy.net/a/1.png"
NOT_PUBLIC = [
    *("0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1"),
    *("192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
    *("224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:10.0.0.1"),
    *("::ffff:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1"),
    *("2001:10::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::", "2002:c0a8:101::", "3fff::1", "5f00::1"),
    *("fc00::1", "fd00::1", "fe80::1", "fec0::1", "ff02::1", "ff0e::1"),
]

Result = ImageAnswer | Blocked | LinkGone | DownloadFailed


async def opened(handler: Callable[[httpx.Request], httpx.Response], url: str = URL) -> Result:
    """What a mocked net makes of a URL."""
    async with ImageClient(
        ImageUrlPolicy.of(DEFAULT_BASE, IMAGE_HOSTS), transport=httpx.MockTransport(handler)
    ) as client:
        return await client.open(url, connect_seconds=1, idle_seconds=2)


async def test_a_picture_is_asked_for_without_anything_of_ours() -> None:
    """No token, no cookie, no referrer; identity encoding; the two timeouts."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b"bytes")

    response = await opened(handler)
    assert isinstance(response, ImageAnswer)
    assert await response.read(100) == b"bytes"
    assert await response.read(100) == b""
    (request,) = seen
    assert request.url == URL
    assert set(request.headers) == {"host", "accept", "accept-encoding", "user-agent"}
    assert request.headers["accept-encoding"] == "identity"
    assert request.extensions["timeout"] == {"connect": 1, "pool": 1, "read": 2}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
async def test_a_dead_link_is_gone(status: int) -> None:
    """The result is asked for again then."""
    assert await opened(lambda _: httpx.Response(status)) == LinkGone(status)


@pytest.mark.parametrize("status", [201, 204, 300, 304, 408, 425, 429, 500, 502, 503, 504])
async def test_any_other_status_is_trouble(status: int) -> None:
    """Worth another try, with the status for whoever decides how often."""
    told = await opened(lambda _: httpx.Response(status))
    assert told == DownloadFailed(f"pictures.runcomfy.net answered {status}", status)


@pytest.mark.parametrize("status", [204, 300, 304])
async def test_an_odd_answer_says_nothing_about_other_pictures(status: int) -> None:
    """An error and silence do."""
    odd = await opened(lambda _: httpx.Response(status))
    assert isinstance(odd, DownloadFailed)
    assert odd.alone
    for other in (DownloadFailed("silence"), DownloadFailed("busy", 429), DownloadFailed("broken", 500)):
        assert not other.alone


async def test_a_part_is_opened_like_a_whole() -> None:
    """It may be one."""
    response = await opened(lambda _: httpx.Response(206, content=b"bytes"))
    assert isinstance(response, ImageAnswer)


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError("x"), httpx.ReadTimeout("x"), OSError(5, "x"), RuntimeError("x"), ValueError()],
)
async def test_every_exception_is_trouble(error: Exception) -> None:
    """Downloads are free to repeat, so there is no finer question."""

    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    assert isinstance(await opened(fail), DownloadFailed)


async def test_a_url_that_is_not_allowed_is_not_opened() -> None:
    """Nothing leaves for it."""

    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    assert isinstance(await opened(never, "https://evil.example/1.png"), Blocked)


def redirecting(
    *locations: str, status: int = 302
) -> tuple[list[str], Callable[[httpx.Request], httpx.Response]]:
    """A net in which each URL in turn leads to the next, and the list of what was asked."""
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if len(asked) > len(locations):
            return httpx.Response(200)
        return httpx.Response(status, headers={"Location": locations[len(asked) - 1]})

    return asked, handler


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_an_allowed_host_is_followed(status: int) -> None:
    """Absolute, relative to the host, relative to the path."""
    asked, handler = redirecting("https://b.runcomfy.com/x", "/y", "z?q=%2B", status=status)
    assert isinstance(await opened(handler), ImageAnswer)
    assert asked == [
        URL,
        "https://b.runcomfy.com/x",
        "https://b.runcomfy.com/y",
        "https://b.runcomfy.com/z?q=%2B",
    ]


async def test_three_redirects_are_enough() -> None:
    """The fourth is not taken."""
    asked, handler = redirecting(*["/again"] * 4)
    assert await opened(handler) == Blocked("pictures.runcomfy.net redirects too often")
    assert len(asked) == 4


async def test_a_last_redirect_to_nowhere_good_says_so() -> None:
    """Of two reasons the one of the address."""
    _asked, handler = redirecting("/1", "/2", "/3", "http://evil.example/")
    assert await opened(handler) == Blocked("evil.example offers the picture over plain http")


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/1.png",
        "//evil.example/1.png",
        "http://pictures.runcomfy.net/1.png",
        "https://pictures.runcomfy.net@evil.example/1.png",
        "https://pictures.runcomfy.net.evil.example/",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "https://[::1/",
        "https://evil.example:99999999/",
        "https:\\\\evil.example\\1.png",
        "/\\evil.example/",
        "https://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
    ],
)
async def test_a_redirect_elsewhere_is_blocked(location: str) -> None:
    """Each hop is checked like the first, and not asked for otherwise."""
    asked, handler = redirecting(location)
    assert isinstance(await opened(handler), Blocked)
    assert asked == [URL]


async def test_a_redirect_to_nowhere_is_trouble() -> None:
    """Its server is confused."""
    assert isinstance(await opened(lambda _: httpx.Response(302)), DownloadFailed)


async def test_a_broken_response_is_let_go_quietly() -> None:
    """What closing says is no news to who has given up on it."""

    class Stuck(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            yield b""

        async def aclose(self) -> None:
            raise httpx.ReadError("x")

    await ImageAnswer(
        200, {}, "pictures.runcomfy.net", HttpxBody(httpx.Response(200, stream=Stuck()))
    ).close()


# Names that lead inside, over the real transport


class Names(AbstractResolver):
    """Answers in order, the last for good."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        address = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        return None


class Watched:
    """Every address that a socket was asked for; none of them is connected to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.addresses: list[str] = []
        gate = ImageUrlPolicy.open_socket

        def open_socket(policy: ImageUrlPolicy, info: Any) -> socket.socket:
            gate(policy, info).close()
            self.addresses.append(info[4][0])
            raise ConnectionRefusedError(111, "no network in tests")

        monkeypatch.setattr(ImageUrlPolicy, "open_socket", open_socket)


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_a_name_that_leads_inside_is_blocked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty addresses: no socket is made for any of them."""
    watched = Watched(monkeypatch)
    policy = ImageUrlPolicy.of(DEFAULT_BASE, IMAGE_HOSTS)
    async with ImageClient(policy, resolver=lambda: Names(address)) as client:
        told = await client.open(URL, connect_seconds=1, idle_seconds=1)
    assert isinstance(told, Blocked)
    assert "pictures.runcomfy.net leads to" in told.reason
    assert watched.addresses == []


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_a_name_that_changes_its_mind_gains_nothing(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Public when it is checked, private a moment later: only what was checked is connected to."""
    watched = Watched(monkeypatch)
    policy = ImageUrlPolicy.of(DEFAULT_BASE, IMAGE_HOSTS)
    async with ImageClient(policy, resolver=lambda: Names("8.8.8.8", address)) as client:
        for _ in range(3):
            assert isinstance(
                await client.open(URL, connect_seconds=1, idle_seconds=1), DownloadFailed | Blocked
            )
    assert set(watched.addresses) == {"8.8.8.8"}


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_a_listed_bare_address_inside_is_blocked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """aiohttp resolves no bare address, so the gate at the socket has to hold alone."""
    watched = Watched(monkeypatch)
    host = f"[{address}]" if ":" in address else address
    policy = ImageUrlPolicy(api_origin="https://model-api.runcomfy.net:443", hosts=(*IMAGE_HOSTS, address))
    async with ImageClient(policy, resolver=lambda: Names("8.8.8.8")) as client:
        told = await client.open(f"https://{host}/1.png", connect_seconds=1, idle_seconds=1)
    assert isinstance(told, Blocked)
    assert watched.addresses == []


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_a_gate_that_stands_alone_still_holds(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the check of names ever be lost, the socket is refused all the same."""
    watched = Watched(monkeypatch)

    def pass_all(_policy: ImageUrlPolicy, _host: str, _port: int, _address: str) -> None:
        return None

    monkeypatch.setattr(ImageUrlPolicy, "check_address", pass_all)
    policy = ImageUrlPolicy.of(DEFAULT_BASE, IMAGE_HOSTS)
    async with ImageClient(policy, resolver=lambda: Names(address)) as client:
        assert isinstance(await client.open(URL, connect_seconds=1, idle_seconds=1), Blocked)
    assert watched.addresses == []
