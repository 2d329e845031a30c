"""What the API client puts into a request, and what it makes of an answer."""

import asyncio
import gzip
import random
import zlib
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from pydantic import SecretStr

from jobs.errors import UsageProblem
from runner.http.api_client import ApiClient
from runner.http.exchange import LARGEST_BODY_BYTES
from runner.http.replies import SENT_EXTENSION, Answer, NoAnswer, NotSent, Reply, SendMarker

TOKEN = "canary-9d3a-SECRET"
BASE = "https://api.test/v1"


class Body(httpx.AsyncByteStream):
    """A body in pieces, ended by an exception if one is given."""

    def __init__(self, *pieces: bytes, error: BaseException | None = None) -> None:
        self._pieces = pieces
        self._error = error
        self.read = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self.read += len(piece)
            yield piece
        if self._error:
            raise self._error

    async def aclose(self) -> None:
        self.closed = True


async def ask(
    handler: Callable[[httpx.Request], httpx.Response],
    path: str = "/models",
    *,
    method: str = "GET",
    body: bytes | None = None,
    token: str | None = TOKEN,
    fresh: bool = False,
) -> Reply:
    """One call over a mocked transport."""
    secret = SecretStr(token) if token else None
    async with ApiClient(BASE, secret, transport=httpx.MockTransport(handler)) as api:
        return await api.request(method, path, json_body=body, timeout_seconds=3, fresh=fresh)


async def sent(**how: object) -> httpx.Request:
    """The request that a call makes."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    await ask(handler, **how)  # type: ignore[arg-type]
    (request,) = seen
    return request


async def test_a_request_carries_the_token_and_asks_for_plain_json() -> None:
    """No encoding, so that a bomb has nowhere to hide."""
    request = await sent(path="/requests/r-1/result?include_cost=true")
    assert str(request.url) == "https://api.test/v1/requests/r-1/result?include_cost=true"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"] == "nightsheet"
    assert "content-type" not in request.headers


async def test_a_body_goes_out_byte_for_byte() -> None:
    """What was recorded as the intent is what is sent."""
    body = b'{"prompt" : "\xc3\xbc"}'
    request = await sent(path="/models/a/b", method="POST", body=body, fresh=True)
    assert request.method == "POST"
    assert request.content == body
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-length"] == str(len(body))


async def test_without_a_token_there_is_no_header() -> None:
    """The emulator may need none."""
    assert "authorization" not in (await sent(token=None)).headers


async def test_each_request_has_a_marker_of_its_own() -> None:
    """And no timeout of its own beyond the connection: the deadline is over all."""
    first, second = await sent(), await sent()
    assert isinstance(first.extensions[SENT_EXTENSION], SendMarker)
    assert first.extensions[SENT_EXTENSION] is not second.extensions[SENT_EXTENSION]
    assert first.extensions["timeout"] == {"connect": 3, "pool": 3}


@pytest.mark.parametrize(
    "path",
    [
        "models",
        "",
        "/",
        "//evil.example/x",
        "/models/../../x",
        "/..",
        "/models/",
        "/models//x",
        "/models/x#y",
        "/models/x y",
        "/models/x\n",
        "/models/x\\y",
        "/models/%2e%2e/x",
        "/models/ü",
        "@evil.example/x",
        ":80@evil.example/",
        ".evil.example/x",
        "https://evil.example/x",
        "/requests/x?a=b#c",
        "/requests/x?a=b/../",
        "/requests/x?",
    ],
)
async def test_a_path_that_could_leave_the_base_is_a_bug(path: str) -> None:
    """Nothing is sent for it: an id from an answer must not steer the token anywhere."""

    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"sent to {request.url}")

    with pytest.raises(ValueError, match="not a path below"):
        await ask(never, path)


@pytest.mark.parametrize("path", ["/models/bytedance/seedream-4-5/edit", "/a.b/..c", "/x?a=1&b=%20.~_-"])
async def test_a_path_of_the_api_is_taken(path: str) -> None:
    """Model ids have slashes and stay unescaped."""
    assert str((await sent(path=path)).url) == BASE + path


@pytest.mark.parametrize("base", ["http://api.test/v1", "https://xn--.test/v1", "https://1.2.3.999/v1"])
async def test_an_odd_base_is_refused_at_once(base: str) -> None:
    """Before any token is near it, and before httpx could raise over it in the middle of a run."""
    with pytest.raises(UsageProblem):
        ApiClient(base, SecretStr(TOKEN))


@pytest.mark.parametrize("proxy", ["ftp://user:canary-pw@proxy.test", "canary-pw", "http://[1::2::3]", ""])
async def test_an_odd_proxy_is_refused_without_repeating_it(proxy: str) -> None:
    """It may hold a password."""
    with pytest.raises(UsageProblem, match="proxy") as refused:
        ApiClient(BASE, SecretStr(TOKEN), proxy=proxy)
    assert "canary-pw" not in f"{refused.value}{refused.value.hint}"


async def test_a_body_over_the_limit_is_cut_and_the_rest_not_read() -> None:
    """What is there of it is kept: an id may be in front."""
    piece = b"x" * (1024 * 1024)
    body = Body(*[piece] * 100)
    reply = await ask(lambda _: httpx.Response(200, stream=body))
    assert isinstance(reply, Answer)
    assert not reply.complete
    assert len(reply.body) == LARGEST_BODY_BYTES
    assert body.read == 5 * len(piece)
    assert body.closed


async def test_a_body_of_exactly_the_limit_is_whole() -> None:
    """The limit is the last size that passes."""
    reply = await ask(lambda _: httpx.Response(200, stream=Body(b"x" * LARGEST_BODY_BYTES)))
    assert isinstance(reply, Answer)
    assert reply.complete


@pytest.mark.parametrize("error", [httpx.ReadError("x"), OSError(5, "x"), RuntimeError("x")])
async def test_a_body_that_breaks_off_keeps_what_came(error: Exception) -> None:
    """The status and the first bytes are an answer, if not a whole one."""
    body = Body(b'{"request_id":"r"', error=error)
    reply = await ask(lambda _: httpx.Response(202, headers={"X-A": "b"}, stream=body))
    assert reply == Answer(202, {"x-a": "b"}, b'{"request_id":"r"', complete=False)
    assert body.closed


async def test_an_answer_shows_no_body_in_its_text() -> None:
    """Four megabytes in a log line help nobody."""
    reply = await ask(lambda _: httpx.Response(200, content=b"long-body"))
    assert isinstance(reply, Answer)
    assert (reply.body, reply.complete) == (b"long-body", True)
    assert "long-body" not in repr(reply)


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b'{"request_id":"r"}', mtime=0)),
        ("X-GZIP", gzip.compress(b'{"request_id":"r"}', mtime=0)),
        ("deflate", zlib.compress(b'{"request_id":"r"}')),
        ("deflate", zlib.compress(b'{"request_id":"r"}', wbits=-15)),
        ("identity", b'{"request_id":"r"}'),
        ("", b'{"request_id":"r"}'),
    ],
)
async def test_an_encoding_that_nobody_asked_for_is_read(encoding: str, packed: bytes) -> None:
    """Some proxy may do it, and the id inside is paid for."""
    reply = await ask(
        lambda _: httpx.Response(200, headers={"Content-Encoding": encoding}, stream=Body(packed))
    )
    assert isinstance(reply, Answer)
    assert reply.body == b'{"request_id":"r"}'
    assert reply.complete


async def test_a_bomb_stops_at_the_limit() -> None:
    """64 MB in 64 KB: the rest is never unpacked."""
    bomb = gzip.compress(b"\0" * (64 * 1024 * 1024))
    reply = await ask(lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Body(bomb)))
    assert isinstance(reply, Answer)
    assert len(reply.body) == LARGEST_BODY_BYTES
    assert not reply.complete


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [("br", b"\x8b\x02\x80ab\x03"), ("gzip", b"not gzip at all"), ("gzip, br", b"x"), ("zstd", b"x")],
)
async def test_an_encoding_that_we_cannot_read_leaves_the_status(encoding: str, packed: bytes) -> None:
    """Answered, but unreadable: what came is kept, since an id may be in it."""
    reply = await ask(
        lambda _: httpx.Response(200, headers={"Content-Encoding": encoding}, stream=Body(packed))
    )
    assert isinstance(reply, Answer)
    assert (reply.status, reply.body, reply.complete) == (200, packed, False)


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "utf-8", "gzip, identity"])
async def test_an_encoding_that_is_not_so_hides_nothing(encoding: str) -> None:
    """A proxy names one and sends the plain document: the receipt in it is one."""
    plain = b'{"request_id":"r"}'
    reply = await ask(
        lambda _: httpx.Response(200, headers={"Content-Encoding": encoding}, stream=Body(plain))
    )
    assert isinstance(reply, Answer)
    assert (reply.body, reply.complete) == (plain, False)


async def test_what_stands_before_a_break_in_a_packed_body_is_kept() -> None:
    """The sum at its end is wrong."""
    packed = bytearray(gzip.compress(b'{"request_id":"r-1"}' + random.Random(1).randbytes(4000), mtime=0))
    packed[-8] ^= 1
    reply = await ask(
        lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Body(bytes(packed)))
    )
    assert isinstance(reply, Answer)
    assert reply.body.startswith(b'{"request_id":"r-1"}')
    assert not reply.complete


async def test_half_of_a_packed_body_is_unpacked_as_far_as_it_goes() -> None:
    """Like a plain body that was cut off."""
    packed = gzip.compress(b'{"request_id":"r-1"}' + b" " * 50, mtime=0)[:-9]
    reply = await ask(
        lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Body(packed))
    )
    assert isinstance(reply, Answer)
    assert reply.body.startswith(b'{"request_id":"r-1"}')
    assert not reply.complete


@pytest.mark.parametrize(
    ("error", "kind"),
    [(httpx.ConnectError("x"), NotSent), (httpx.ReadTimeout("x"), NoAnswer), (RuntimeError(TOKEN), NoAnswer)],
)
async def test_every_exception_of_a_transport_becomes_a_value(error: Exception, kind: type) -> None:
    """And none of them keeps its own text."""

    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    reply = await ask(fail)
    assert isinstance(reply, kind)
    assert TOKEN not in repr(reply)


async def test_a_deadline_over_a_foreign_transport_is_a_doubt() -> None:
    """It does not report, so nothing proves that the request stayed here."""

    async def hang(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    api = ApiClient(BASE, None, transport=httpx.MockTransport(hang))
    assert isinstance(await api.request("GET", "/models", timeout_seconds=0.01), NoAnswer)


async def test_a_programming_error_in_a_test_transport_is_not_cancellation() -> None:
    """Cancellation alone goes through as it is."""

    def cancel(_request: httpx.Request) -> httpx.Response:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await ask(cancel)
