"""Submits against bare sockets: what proves that nothing was sent, and what may have been paid for."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import aiohttp.connector
import anyio
import pytest
import trustme
from pydantic import SecretStr

from runner.http import api_client
from runner.http.api_client import ApiClient
from runner.http.errors import translate
from runner.http.exchange import PartialAnswer
from runner.http.replies import Answer, NoAnswer, NotSent, Reply, SendMarker
from runner.http.session import Session
from runner.http.transport import tls_context
from tests.support.wire import Call, closed_port, serve

TOKEN = "canary-4f1c-SECRET"
BODY = b'{"prompt":"a cat"}'


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that nobody trusts unless told."""
    return trustme.CA()


async def submit(base: str, *, seconds: float = 5.0, tls: ssl.SSLContext | None = None) -> Reply:
    """One submit through a client of its own."""
    async with ApiClient(base, SecretStr(TOKEN), tls=tls) as api:
        return await api.request("POST", "/models/a/b", json_body=BODY, timeout_seconds=seconds, fresh=True)


@contextmanager
def full_backlog() -> Iterator[int]:
    """The port of a listener that takes no more connections: a further one waits for ever."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


# Not sent


async def test_a_refused_connection_is_not_sent() -> None:
    """Nobody listens: free to send again."""
    reply = await submit(f"http://127.0.0.1:{closed_port()}/v1")
    assert isinstance(reply, NotSent)
    assert "cannot connect to 127.0.0.1" in reply.reason
    assert "refused" in reply.reason
    assert not reply.certificate


async def test_what_is_late_once_there_is_a_connection_is_not_sent() -> None:
    """Its process stood still while it connected, say: another one may have taken over. A new connection, and
    one that is there."""

    async def script(call: Call) -> None:
        while await call.read():
            await call.answer()

    async with serve(script) as wire, ApiClient(wire.base, SecretStr(TOKEN)) as api:
        for late, kind in ((True, NotSent), (False, Answer), (True, NotSent), (False, Answer)):
            seen = [late]
            reply = await api.request(
                "POST",
                "/models/a/b",
                json_body=BODY,
                timeout_seconds=5.0,
                fresh=True,
                is_late=seen.pop,
            )
            assert isinstance(reply, kind), reply
            assert not seen, "it was asked once"
    assert len(wire.requests) == 2


async def test_a_name_that_does_not_resolve_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address, no connection."""

    async def fail(*_args: object, **_kwargs: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", fail)
    reply = await submit("https://api.example.com/v1")
    assert reply == NotSent("the name api.example.com cannot be resolved: Name or service not known")


async def test_a_connection_that_never_comes_about_is_not_sent() -> None:
    """The connect timeout."""
    with full_backlog() as port:
        reply = await submit(f"http://127.0.0.1:{port}/v1", seconds=0.1)
    assert isinstance(reply, NotSent)
    assert "no connection to 127.0.0.1" in reply.reason


async def test_a_tls_handshake_that_hangs_is_not_sent() -> None:
    """TCP is up, and the request waits for TLS."""

    async def silent(call: Call) -> None:
        await call.hang()

    async with serve(silent) as wire:
        reply = await submit(wire.base.replace("http:", "https:"), seconds=0.5)
        assert isinstance(reply, NotSent)
        assert "no connection" in reply.reason
        assert wire.connections == 1


async def test_a_tls_handshake_that_breaks_is_not_sent() -> None:
    """What answers does not speak TLS; that is not about the certificate."""

    async def garbled(call: Call) -> None:
        await call.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await call.hang()

    async with serve(garbled) as wire:
        reply = await submit(wire.base.replace("http:", "https:"))
    assert isinstance(reply, NotSent)
    assert not reply.certificate


async def test_a_reset_during_the_tls_handshake_is_not_sent() -> None:
    """The connection dies before it is one."""

    async def resets(call: Call) -> None:
        await call.reader.read(1)
        call.reset()

    async with serve(resets) as wire:
        reply = await submit(wire.base.replace("http:", "https:"))
    assert isinstance(reply, NotSent)


async def test_a_certificate_that_nobody_vouches_for_is_not_sent(authority: trustme.CA) -> None:
    """Told apart, because trying again will not help."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)

    async def never(call: Call) -> None:
        await call.read()

    async with serve(never, tls=server) as wire:
        reply = await submit(wire.base.replace("http:", "https:"))
        assert isinstance(reply, NotSent)
        assert reply.certificate
        assert "certificate of 127.0.0.1 is not trusted" in reply.reason
        assert wire.requests == []


async def test_a_trusted_certificate_for_another_name_is_not_sent(authority: trustme.CA) -> None:
    """The authority alone is not enough: the host must be the one that was meant."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example.com").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)

    async def never(call: Call) -> None:
        await call.read()

    async with serve(never, tls=server) as wire:
        reply = await submit(wire.base.replace("http:", "https:"), tls=client)
    assert isinstance(reply, NotSent)
    assert reply.certificate


async def test_an_authority_that_a_file_adds_is_trusted(
    authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Behind a company's own authority everything works once its file is named."""
    bundle = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)

    async def good(call: Call) -> None:
        await call.read()
        await call.answer()

    async with serve(good, tls=server) as wire:
        reply = await submit(wire.base.replace("http:", "https:"), tls=tls_context(str(bundle)))
    assert isinstance(reply, Answer)


async def test_localhost_that_leads_elsewhere_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http, and with it the token, stays on this machine whatever the name resolves to."""

    async def elsewhere(*_args: object, **_kwargs: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", elsewhere)
    reply = await submit("http://localhost:80/v1")
    assert isinstance(reply, NotSent)
    assert "not on this machine" in reply.reason


# Perhaps sent


async def reset_before_reading(call: Call) -> None:
    """The server never looks at the request."""
    call.reset()


async def close_before_reading(call: Call) -> None:
    """The same with a polite FIN."""


async def reset_after_reading(call: Call) -> None:
    """The server has it all, and dies."""
    await call.read()
    call.reset()


async def close_after_reading(call: Call) -> None:
    """A balancer that restarts."""
    await call.read()


async def silence(call: Call) -> None:
    """The answer never comes."""
    await call.read()
    await call.hang()


async def half_a_head(call: Call) -> None:
    """Not even the headers are whole."""
    await call.read()
    await call.send(b"HTTP/1.1 200 OK\r\nContent-Le")


async def dripping_head(call: Call) -> None:
    """Each byte is in time, the answer never is."""
    await call.read()
    await call.send(b"HTTP/1.1 200 OK\r\nX: ")
    await call.hang()


async def not_http(call: Call) -> None:
    """Something else listens there."""
    await call.read()
    await call.send(b"220 mail.example.com ESMTP\r\n\r\n")


async def endless_headers(call: Call) -> None:
    """More headers than anybody should keep."""
    await call.read()
    await call.send(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n")


@pytest.mark.parametrize(
    "script",
    [
        reset_before_reading,
        close_before_reading,
        reset_after_reading,
        close_after_reading,
        half_a_head,
        not_http,
        endless_headers,
    ],
)
async def test_a_connection_that_breaks_leaves_a_doubt(script: Any) -> None:
    """Once a connection was there, nothing proves that the request did not arrive; and it went out once."""
    async with serve(script) as wire:
        reply = await submit(wire.base)
        assert isinstance(reply, NoAnswer)
        assert wire.connections == 1


@pytest.mark.parametrize("script", [silence, dripping_head])
async def test_a_deadline_after_sending_leaves_a_doubt(script: Any) -> None:
    """The total deadline ends what per-read timeouts would let drip on."""
    async with serve(script) as wire:
        reply = await submit(wire.base, seconds=0.5)
    assert reply == NoAnswer("no answer of 127.0.0.1 within 0.5 s")


async def test_a_deadline_on_a_kept_connection_leaves_a_doubt() -> None:
    """A connection that was there already counts from the moment it is handed to the request."""

    async def answers_once(call: Call) -> None:
        await call.read()
        await call.answer()
        await silence(call)

    async with serve(answers_once) as wire, ApiClient(wire.base, SecretStr(TOKEN)) as api:
        for seconds, kind in ((5.0, Answer), (0.5, NoAnswer)):
            reply = await api.request(
                "POST", "/models/a", json_body=BODY, timeout_seconds=seconds, fresh=True
            )
            assert isinstance(reply, kind)
        assert wire.connections == 1


async def test_a_lost_answer_is_no_error_of_connecting() -> None:
    """What aiohttp raises must not be one of the exceptions that prove "not sent"."""
    async with serve(close_after_reading) as wire:
        session = Session(tls=tls_context(), keepalive_seconds=0.5, reports=True)
        marker = SendMarker()
        with pytest.raises(aiohttp.ClientError) as raised:
            await session.send("POST", wire.base, {}, BODY, connect_seconds=5.0, marker=marker)
        await session.aclose()
    assert marker.sent
    unset = SendMarker()  # as if the report had been lost
    assert isinstance(translate(raised.value, unset, "127.0.0.1"), NoAnswer)


# Answers


async def test_an_answer_is_an_answer_whatever_its_status() -> None:
    """The status is for the classifier; the header names come in lower case."""

    async def busy(call: Call) -> None:
        await call.read()
        await call.answer(b"later", "503 Service Unavailable", "Retry-After: 7\r\nX-Two: a\r\nX-Two: b\r\n")

    async with serve(busy) as wire:
        reply = await submit(wire.base)
    assert isinstance(reply, Answer)
    assert (reply.status, reply.body, reply.complete) == (503, b"later", True)
    assert reply.headers["retry-after"] == "7"
    assert reply.headers["x-two"] == "a, b"


@pytest.mark.parametrize("ending", ["close", "reset", "hang"])
@pytest.mark.parametrize("framing", ["Content-Length: 99", "Transfer-Encoding: chunked"])
async def test_a_body_that_is_cut_off_keeps_what_came(
    ending: str, framing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request_id may be in it, and it is paid for."""
    got = asyncio.Event()

    async def cut(call: Call) -> None:
        await call.read()
        piece = b'{"request_id":"r-1",'
        chunk = b"%x\r\n%s\r\n" % (len(piece), piece) if "chunked" in framing else piece
        await call.send(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode() + chunk)
        if ending == "reset":
            # The client must have read the piece: an RST throws away what still waits in its buffers.
            await got.wait()
            call.reset()
        elif ending == "hang":
            await call.hang()

    class Noticing(PartialAnswer):
        """Tells the server when the first piece of the body is here."""

        def add(self, chunk: bytes) -> bool:
            got.set()
            return super().add(chunk)

    monkeypatch.setattr(api_client, "PartialAnswer", Noticing)
    async with serve(cut) as wire, ApiClient(wire.base, SecretStr(TOKEN)) as api:
        seconds = 0.5 if ending == "hang" else 5.0
        reply = await api.request("POST", "/models/a/b", json_body=BODY, timeout_seconds=seconds, fresh=True)
    assert isinstance(reply, Answer)
    assert reply.body == b'{"request_id":"r-1",'
    assert not reply.complete


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
async def test_a_redirect_is_never_followed(status: str) -> None:
    """A followed 307 would be a second paid submit, and would carry the token to another host."""

    async def elsewhere(call: Call) -> None:
        await call.read()

    async with serve(elsewhere) as other:

        async def redirects(call: Call) -> None:
            await call.read()
            await call.answer(b"", status, f"Location: {other.base}/models/a/b\r\nSet-Cookie: a=b\r\n")

        async with serve(redirects) as wire:
            reply = await submit(wire.base)
            assert isinstance(reply, Answer)
            assert reply.status == int(status[:3])
            assert wire.connections == 1
        assert other.connections == 0


# Connections


async def keeps_answering(call: Call) -> None:
    """A server with keep-alive."""
    while await call.read():
        await call.answer()


async def stale(call: Call) -> None:
    """A server that drops a kept connection at the very moment it is used again."""
    await call.read()
    await call.answer()
    await call.read()


async def test_a_submit_goes_out_once_even_on_a_stale_connection() -> None:
    """aiohttp repeats a GET whose kept connection was dropped, and must not repeat a POST."""

    async with serve(stale) as wire, ApiClient(wire.base, SecretStr(TOKEN)) as api:
        first = await api.request("POST", "/models/a", json_body=BODY, timeout_seconds=5, fresh=True)
        second = await api.request("POST", "/models/b", json_body=BODY, timeout_seconds=5, fresh=True)
        assert isinstance(first, Answer)
        assert isinstance(second, NoAnswer)
        assert [request.split(b" ")[1] for request in wire.requests] == [b"/v1/models/a", b"/v1/models/b"]


async def test_a_get_on_a_stale_connection_may_be_repeated() -> None:
    """What the test above would see if aiohttp took a POST for harmless."""
    async with serve(stale) as wire, ApiClient(wire.base, SecretStr(TOKEN)) as api:
        for _ in range(2):
            assert isinstance(await api.request("GET", "/models/a", timeout_seconds=5), Answer)
        assert len(wire.requests) == 3


@pytest.mark.parametrize(("idle", "connections"), [(0.4, 1), (0.6, 2)])
async def test_a_submit_never_takes_a_connection_that_idled_for_half_a_second(
    idle: float, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may just be closing it, and that would be a doubt of our own making."""
    now = [100.0]
    monkeypatch.setattr(aiohttp.connector, "monotonic", lambda: now[0])
    async with serve(keeps_answering) as wire, ApiClient(wire.base, SecretStr(TOKEN)) as api:
        for _ in range(2):
            await api.request("POST", "/models/a", json_body=BODY, timeout_seconds=5, fresh=True)
            now[0] += idle
        assert wire.connections == connections


async def test_a_server_that_closes_idle_connections_early_causes_no_doubt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some close after a second or two, which this side learns a trip later: by then a submit was on it."""
    now = [100.0]
    monkeypatch.setattr(aiohttp.connector, "monotonic", lambda: now[0])
    async with serve(stale) as wire, ApiClient(wire.base, SecretStr(TOKEN)) as api:
        for _ in range(5):
            reply = await api.request("POST", "/models/a", json_body=BODY, timeout_seconds=5, fresh=True)
            assert isinstance(reply, Answer)
            now[0] += 1.0
        assert wire.connections == len(wire.requests) == 5


async def test_polls_keep_their_connections_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll after poll over one connection, and never over one meant for submits."""
    now = [100.0]
    monkeypatch.setattr(aiohttp.connector, "monotonic", lambda: now[0])
    async with serve(keeps_answering) as wire, ApiClient(wire.base, SecretStr(TOKEN)) as api:
        for _ in range(3):
            await api.request("GET", "/requests/r/status", timeout_seconds=5)
            now[0] += 20
        assert wire.connections == 1
        await api.request("POST", "/models/a", json_body=BODY, timeout_seconds=5, fresh=True)
        assert wire.connections == 2


async def test_connections_are_used_again_at_any_concurrency() -> None:
    """150 at a time, none of them waiting for another; and as many connections, however many calls there
    are."""
    at_once, rounds = 150, 3
    all_are_here = asyncio.Event()

    async def waits_for_all(call: Call) -> None:
        while await call.read():
            if len(call.wire.requests) == at_once:
                all_are_here.set()
            await all_are_here.wait()
            await call.answer()

    async with serve(waits_for_all) as wire, ApiClient(wire.base, SecretStr(TOKEN)) as api:

        async def poll() -> None:
            assert isinstance(await api.request("GET", "/requests/r/status", timeout_seconds=30), Answer)

        for _ in range(rounds):
            async with anyio.create_task_group() as group:
                for _ in range(at_once):
                    group.start_soon(poll)
        assert len(wire.requests) == at_once * rounds
        assert wire.connections <= at_once


async def test_cookies_are_not_kept() -> None:
    """An API needs none, and a jar would carry state from answer to answer. (No jar takes any from an
    address.)"""

    async def sets(call: Call) -> None:
        while await call.read():
            await call.answer(headers="Set-Cookie: session=1; Path=/\r\n")

    async with serve(sets) as wire, ApiClient(wire.base.replace("127.0.0.1", "localhost"), None) as api:
        for _ in range(2):
            await api.request("GET", "/models", timeout_seconds=5)
        assert len(wire.requests) == 2
        assert not any(b"cookie" in request.lower() for request in wire.requests)


async def test_the_surroundings_give_neither_proxy_nor_login(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """HTTP_PROXY and .netrc are not asked: the token goes where the settings say."""
    netrc = tmp_path_factory.mktemp("home") / ".netrc"
    netrc.write_text("machine 127.0.0.1 login user password other-secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    async with serve(keeps_answering) as wire, ApiClient(wire.base, None) as api:
        assert isinstance(await api.request("GET", "/models", timeout_seconds=5), Answer)
        assert b"authorization" not in wire.requests[0].lower()


# Proxies


async def test_a_proxy_gets_its_own_login_and_never_the_token() -> None:
    """CONNECT shows the proxy the host; all else is inside TLS."""

    async def refuses(call: Call) -> None:
        await call.read()
        await call.answer(b"", "407 Proxy Authentication Required")

    async with serve(refuses) as wire:
        proxy = f"http://user:pa%20ss@127.0.0.1:{wire.port}"
        async with ApiClient("https://api.example.com/v1", SecretStr(TOKEN), proxy=proxy) as api:
            reply = await api.request("POST", "/models/a", json_body=BODY, timeout_seconds=5, fresh=True)
        assert reply == NotSent("the proxy did not connect to api.example.com")
        (request,) = wire.requests
        assert request.startswith(b"CONNECT api.example.com:443 ")
        assert b"proxy-authorization: basic dXNlcjpwYSBzcw==" in request.replace(b"Basic", b"basic").replace(
            b"Proxy-Authorization", b"proxy-authorization"
        )
        assert TOKEN.encode() not in request


async def test_a_proxy_that_is_down_is_not_sent() -> None:
    """Its address is refused, and nothing has left."""
    proxy = f"http://127.0.0.1:{closed_port()}"
    async with ApiClient("https://api.example.com/v1", SecretStr(TOKEN), proxy=proxy) as api:
        reply = await api.request("POST", "/models/a", json_body=BODY, timeout_seconds=5, fresh=True)
    assert isinstance(reply, NotSent)
    assert "proxy" in reply.reason


async def test_loopback_is_reached_without_the_proxy() -> None:
    """The emulator is not where a proxy could find it."""
    async with serve(keeps_answering) as wire:
        proxy = f"http://127.0.0.1:{closed_port()}"
        async with ApiClient(wire.base, SecretStr(TOKEN), proxy=proxy) as api:
            assert isinstance(await api.request("GET", "/models", timeout_seconds=5), Answer)


# The token


@pytest.mark.parametrize(
    "script", [reset_after_reading, close_before_reading, half_a_head, not_http, endless_headers]
)
async def test_the_token_is_in_no_text_of_a_failure(script: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in what is returned nor in what was logged on the way, at any level."""
    caplog.set_level("DEBUG")
    async with serve(script) as wire:
        api = ApiClient(wire.base, SecretStr(TOKEN))
        reply = await api.request("POST", "/models/a", json_body=BODY, timeout_seconds=5, fresh=True)
        await api.aclose()
    for text in (repr(reply), str(reply), repr(api), str(vars(api)), caplog.text):
        assert TOKEN not in text


async def test_a_cancelled_submit_stays_cancelled() -> None:
    """Cancellation is the one thing that is not turned into a value."""
    read = asyncio.Event()

    async def reads(call: Call) -> None:
        await call.read()
        read.set()
        await call.hang()

    async with serve(reads) as wire:
        task = asyncio.create_task(submit(wire.base))
        await read.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
