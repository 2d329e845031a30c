"""The table from foreign exceptions to our values."""

import asyncio
import socket
import ssl

import aiohttp
import httpx
import pytest
from aiohttp.client_reqrep import ConnectionKey, RequestInfo
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from runner.http.errors import chain, deadline_passed, describe, is_certificate_problem, translate
from runner.http.replies import NoAnswer, NotSent, SendMarker

TOKEN = "canary-0b2e-SECRET"
KEY = ConnectionKey("api.test", 443, True, True, None, None, None)
INFO = RequestInfo(
    URL("https://api.test/v1"), "POST", CIMultiDictProxy(CIMultiDict({"Authorization": f"Bearer {TOKEN}"}))
)


def under(shown: Exception, cause: Exception) -> Exception:
    """What other transports over aiohttp raise: one of httpx's exceptions over its own."""
    shown.__cause__ = cause
    return shown


def marker(*, watched: bool = False, sent: bool = False) -> SendMarker:
    """A marker in a given state."""
    made = SendMarker()
    if watched:
        made.watch()
    if sent:
        made.mark()
    return made


def certificate() -> aiohttp.ClientConnectorCertificateError:
    """OpenSSL's word for a certificate that nobody vouches for."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "unable to get local issuer certificate"
    wrapped = aiohttp.ClientConnectorCertificateError(KEY, error)
    wrapped.__cause__ = error
    return wrapped


WHILE_CONNECTING: list[Exception] = [
    aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "Connect call failed")),
    aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(-2, "Name or service not known")),
    aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "wrong version number")),
    certificate(),
    aiohttp.ClientProxyConnectionError(KEY, ConnectionRefusedError(111, "refused")),
    aiohttp.ConnectionTimeoutError("Connection timeout to host"),
    aiohttp.ClientHttpProxyError(INFO, (), status=407, message="no"),
]
LATER: list[Exception] = [
    aiohttp.ServerDisconnectedError(),
    aiohttp.ClientOSError(104, "Connection reset by peer"),
    aiohttp.ClientConnectionResetError("Cannot write to closing transport"),
    aiohttp.SocketTimeoutError("Timeout on reading data from socket"),
    aiohttp.ClientPayloadError("Response payload is not completed"),
    aiohttp.ClientResponseError(INFO, (), status=400, message="Bad status line"),
    aiohttp.ClientConnectionError("Connector is closed."),
]


@pytest.mark.parametrize("cause", WHILE_CONNECTING, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("shown", [httpx.ConnectTimeout, httpx.ProxyError, None])
def test_two_proofs_make_it_unsent(cause: Exception, shown: type[httpx.TransportError] | None) -> None:
    """aiohttp was connecting, and the marker is unset; whatever a transport has put over it."""
    error = under(shown("x"), cause) if shown else cause
    assert isinstance(translate(error, marker(watched=True), "api.test"), NotSent)


@pytest.mark.parametrize("cause", [*WHILE_CONNECTING, *LATER], ids=lambda error: type(error).__name__)
def test_a_set_marker_makes_a_doubt_of_everything(cause: Exception) -> None:
    """aiohttp may have repeated a GET: then its last exception tells of the second try."""
    error = under(httpx.ConnectError("x"), cause)
    assert isinstance(translate(error, marker(watched=True, sent=True), "api.test"), NoAnswer)


@pytest.mark.parametrize("cause", LATER, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("shown", [httpx.ConnectTimeout, httpx.ConnectError, None])
def test_an_unset_marker_alone_proves_nothing(
    cause: Exception, shown: type[httpx.TransportError] | None
) -> None:
    """Should the reports ever stop coming, a lost answer is still no licence to send again."""
    error = under(shown("x"), cause) if shown else cause
    assert isinstance(translate(error, marker(watched=True), "api.test"), NoAnswer)


@pytest.mark.parametrize(
    ("error", "unsent"),
    [
        (httpx.ConnectError("x"), True),
        (httpx.ConnectTimeout("x"), True),
        (httpx.PoolTimeout("x"), True),
        (httpx.ReadError("x"), False),
        (httpx.ReadTimeout("x"), False),
        (httpx.WriteError("x"), False),
        (httpx.WriteTimeout("x"), False),
        (httpx.CloseError("x"), False),
        (httpx.ProxyError("x"), False),
        (httpx.RemoteProtocolError("x"), False),
        (httpx.LocalProtocolError("x"), False),
        (httpx.DecodingError("x"), False),
        (httpx.TooManyRedirects("x"), False),
        (OSError(5, "x"), False),
        (TimeoutError(), False),
        (ConnectionRefusedError(111, "x"), False),
        (ssl.SSLError(1, "x"), False),
        (RuntimeError("x"), False),
        (ValueError("x"), False),
        (KeyError("x"), False),
        (asyncio.IncompleteReadError(b"", 5), False),
        (AssertionError(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_another_transport_is_judged_by_httpx_types(error: Exception, unsent: bool) -> None:
    """A test's transport, or httpcore's; and every exception at all becomes one of two values."""
    assert isinstance(translate(error, marker(), "api.test"), NotSent if unsent else NoAnswer)
    assert isinstance(translate(error, marker(sent=True), "api.test"), NoAnswer)


def test_only_a_certificate_is_marked_as_one() -> None:
    """Other TLS trouble may pass."""
    flags = [translate(error, marker(), "h") for error in WHILE_CONNECTING]
    assert [isinstance(told, NotSent) and told.certificate for told in flags] == [
        isinstance(error, aiohttp.ClientConnectorCertificateError) for error in WHILE_CONNECTING
    ]


def test_a_certificate_is_found_however_deep() -> None:
    """httpcore wraps OpenSSL's error twice."""
    outer = httpx.ConnectError("x")
    outer.__context__ = RuntimeError("y")
    outer.__context__.__context__ = ssl.SSLCertVerificationError(1, "z")
    assert is_certificate_problem(outer)
    assert not is_certificate_problem(httpx.ConnectError("x"))


def test_a_chain_that_bites_its_tail_ends() -> None:
    """Some libraries raise an exception from itself."""
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first
    assert list(chain(first)) == [first, second]


@pytest.mark.parametrize(
    ("state", "value"),
    [
        (marker(watched=True), NotSent("no connection to api.test within 2.5 s")),
        (marker(watched=True, sent=True), NoAnswer("no answer of api.test within 2.5 s")),
        (marker(sent=True), NoAnswer("no answer of api.test within 2.5 s")),
        (marker(), NoAnswer("no answer of api.test within 2.5 s")),
    ],
)
def test_a_deadline_is_unsent_only_where_the_transport_reports(
    state: SendMarker, value: NotSent | NoAnswer
) -> None:
    """An unset marker of a transport that never sets one says nothing."""
    assert deadline_passed(state, "api.test", 2.5) == value


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (WHILE_CONNECTING[0], "cannot connect to h: Connection refused"),
        (WHILE_CONNECTING[1], "the name h cannot be resolved: Name or service not known"),
        (WHILE_CONNECTING[2], "no TLS connection with h: wrong version number"),
        (WHILE_CONNECTING[3], "the certificate of h is not trusted: unable to get local issuer certificate"),
        (WHILE_CONNECTING[6], "the proxy did not connect to h"),
        (LATER[0], "h closed the connection without an answer"),
        (LATER[1], "the connection to h broke: Connection reset by peer"),
        (LATER[5], "what h answered is not HTTP"),
        (httpx.PoolTimeout(TOKEN), "no free connection to h in time"),
        (httpx.ReadTimeout(TOKEN), "h fell silent"),
        (TimeoutError(), "h fell silent"),
        (ConnectionAbortedError(), "the connection to h broke"),
        (
            httpx.LocalProtocolError(f"Illegal header value b'Bearer {TOKEN}'"),
            "the call to h failed (LocalProtocolError)",
        ),
        (ValueError(TOKEN), "the call to h failed (ValueError)"),
    ],
)
def test_a_sentence_says_what_happened(error: Exception, sentence: str) -> None:
    """In words, with the system's reason, and never with an exception's own text, which may hold a header."""
    assert describe(error, "h") == sentence


def test_no_value_repeats_what_an_exception_holds() -> None:
    """aiohttp keeps the request's headers in some exceptions."""
    for error in [*WHILE_CONNECTING, *LATER]:
        for state in (marker(), marker(sent=True)):
            assert TOKEN not in repr(translate(error, state, "h"))
