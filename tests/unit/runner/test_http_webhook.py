"""The webhook: one plain POST of JSON to an address of the user's own, and what is never sent with it."""

import asyncio

import anyio
import httpx
import pytest

from jobs.errors import UsageProblem
from runner.http.webhook import checked_webhook, post_json
from tests.support.wire import Call, closed_port, serve

URL = "https://hooks.example/T1/secret?key=1"
BODY = b'{"event":"ended"}'
OURS = {"host", "accept", "accept-encoding", "connection", "user-agent", "content-length", "content-type"}


class Other:
    """The other side: answers alike every time, and remembers the requests."""

    def __init__(self, answer: httpx.Response | Exception | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self._answer = answer or httpx.Response(200)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    async def post(self) -> str | None:
        return await post_json(URL, BODY, timeout_seconds=30.0, transport=httpx.MockTransport(self))


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example/x", "http://127.0.0.1:8080", "http://[::1]/x", "HTTPS://me:pw@a.example/?q"],
)
def test_addresses_that_do(url: str) -> None:
    """As they are, to the letter."""
    assert checked_webhook(url) == url


@pytest.mark.parametrize(
    "url",
    [
        *("canary", "canary.example/x", "ftp://canary/", "file:///canary", "https://", "https:///canary"),
        "https://canary:99999/",
        *("http://canary:port/", "http://can\x00ary/", "//canary/x", ""),
    ],
)
def test_addresses_that_do_not(url: str) -> None:
    """Refused without repeating them: a webhook's address is a secret."""
    with pytest.raises(UsageProblem) as refused:
        checked_webhook(url)
    assert refused.value.exit_code == 2
    assert "canary" not in f"{refused.value.message} {refused.value.hint}"


async def test_the_request_to_the_letter() -> None:
    """A POST of the body as JSON, to the whole address, and 30 s for each of its steps."""
    other = Other()
    assert await other.post() is None
    (request,) = other.requests
    assert (request.method, str(request.url)) == ("POST", URL)
    assert request.content == BODY
    assert request.headers["content-type"] == "application/json"
    assert request.extensions["timeout"] == dict.fromkeys(("connect", "read", "write", "pool"), 30.0)


async def test_nothing_of_the_api_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a client of its own: no token, no login, no cookie, and none of our names."""
    monkeypatch.setenv("RUNCOMFY_API_TOKEN", "canary-token")
    other = Other(httpx.Response(200, headers={"set-cookie": "a=1"}))
    for _ in range(2):
        await other.post()
    for request in other.requests:
        assert set(request.headers) <= OURS
        assert "canary" not in str(request.headers)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_it_took_the_news(status: int) -> None:
    """Any success will do."""
    assert await Other(httpx.Response(status)).post() is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    """The news goes where the user said, and nowhere else."""
    other = Other(httpx.Response(status, headers={"location": "https://elsewhere.example/"}))
    assert await other.post() == f"HTTP {status}"
    assert len(other.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_a_refusal_is_a_reason_and_is_not_asked_again(status: int) -> None:
    """The status says it; what the other side wrote is not repeated."""
    other = Other(httpx.Response(status, text="canary", headers={"retry-after": "1"}))
    assert await other.post() == f"HTTP {status}"
    assert len(other.requests) == 1


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("canary"),
        httpx.ConnectTimeout("canary"),
        httpx.ReadTimeout("canary"),
        httpx.WriteError("canary"),
        httpx.RemoteProtocolError("canary"),
    ],
)
async def test_a_failure_is_a_reason_and_is_not_tried_again(error: Exception) -> None:
    """Its kind alone: the text of an error may hold the address."""
    other = Other(error)
    assert await other.post() == type(error).__name__
    assert len(other.requests) == 1


HUNG = ("ReadTimeout", "RemoteProtocolError", "it had not answered after 2 s")


async def test_a_server_that_hangs_is_given_up() -> None:
    """After the time that it was given."""
    async with serve(Call.hang) as wire:
        address = f"http://127.0.0.1:{wire.port}/hook"
        assert await post_json(address, BODY, timeout_seconds=2) in HUNG
        assert wire.connections == 1


async def test_a_server_that_drips_is_given_up() -> None:
    """The time is for all of it, and what it says is not waited for."""

    async def drip(call: Call) -> None:
        await call.read()
        for _ in range(1000):
            await call.send(b"H")
            await asyncio.sleep(0.02)

    async with serve(drip) as wire:
        address = f"http://127.0.0.1:{wire.port}/hook"
        with anyio.fail_after(5):
            assert await post_json(address, BODY, timeout_seconds=2) in HUNG


async def test_what_it_says_is_not_read() -> None:
    """Whether it took the news stands in the first line."""

    async def endless(call: Call) -> None:
        await call.read()
        await call.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        await call.hang()

    async with serve(endless) as wire:
        assert await post_json(f"http://127.0.0.1:{wire.port}/hook", BODY, timeout_seconds=5) is None


async def test_nobody_listens() -> None:
    """A reason like any other."""
    address = f"http://127.0.0.1:{closed_port()}/hook"
    assert await post_json(address, BODY, timeout_seconds=5) == "ConnectError"


async def test_a_proxy_of_the_surroundings_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over real sockets: what arrives is the request itself, and it arrives there."""

    async def take(call: Call) -> None:
        await call.read()
        await call.answer()

    proxy = f"http://127.0.0.1:{closed_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with serve(take) as wire:
        assert await post_json(f"http://127.0.0.1:{wire.port}/a/b?c", BODY, timeout_seconds=5) is None
        (request,) = wire.requests
    assert request.startswith(b"POST /a/b?c HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\n" + BODY)
