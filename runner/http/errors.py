"""Maps the exceptions of httpx and aiohttp to values, by a table.

A type alone is no proof of what has left. "Not sent" takes two proofs: the marker is unset, and the exception
is one that is raised while connecting.
"""

import os
import socket
import ssl
from collections.abc import Iterator

import aiohttp
import httpx

from runner.http.replies import NoAnswer, NotSent, SendMarker, TooLate

_WHILE_CONNECTING: tuple[type[Exception], ...] = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
)
_WHILE_CONNECTING_ELSEWHERE: tuple[type[Exception], ...] = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
)
"""For a transport that is not built on aiohttp: httpx's own types, which httpcore's transport raises only
while it connects."""

_SENTENCES: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientConnectorCertificateError, "the certificate of {host} is not trusted"),
    (aiohttp.ClientConnectorSSLError, "no TLS connection with {host}"),
    (aiohttp.ClientConnectorDNSError, "the name {host} cannot be resolved"),
    (aiohttp.ClientProxyConnectionError, "the proxy cannot be reached"),
    (aiohttp.ClientHttpProxyError, "the proxy did not connect to {host}"),
    (aiohttp.ClientConnectorError, "cannot connect to {host}"),
    (aiohttp.ConnectionTimeoutError, "no connection to {host} in time"),
    (aiohttp.ServerTimeoutError, "{host} fell silent"),
    (aiohttp.ServerDisconnectedError, "{host} closed the connection without an answer"),
    (TooLate, "the connection to {host} came too late, and nothing was sent"),
    (aiohttp.ClientOSError, "the connection to {host} broke"),
    (aiohttp.ClientPayloadError, "the answer of {host} broke off"),
    (aiohttp.ClientResponseError, "what {host} answered is not HTTP"),
    (httpx.ConnectTimeout, "no connection to {host} in time"),
    (httpx.ConnectError, "cannot connect to {host}"),
    (httpx.PoolTimeout, "no free connection to {host} in time"),
    (httpx.TimeoutException, "{host} fell silent"),
    (httpx.RemoteProtocolError, "what {host} answered is not HTTP"),
    (httpx.NetworkError, "the connection to {host} broke"),
    (TimeoutError, "{host} fell silent"),
    (OSError, "the connection to {host} broke"),
)


def translate(error: Exception, marker: SendMarker, host: str) -> NotSent | NoAnswer:
    """The value for an exception that ended a call. Never repeats an exception's own text.

    (Texts may hold headers: `h11` and `aiohttp` quote what they refuse.)
    """
    reason = describe(error, host)
    if marker.sent or not _came_while_connecting(error):
        return NoAnswer(reason)
    return NotSent(reason, certificate=is_certificate_problem(error))


def deadline_passed(marker: SendMarker, host: str, seconds: float) -> NotSent | NoAnswer:
    """The value for a call ended by its total deadline: unsent only where the transport reports sending."""
    if marker.watched and not marker.sent:
        return NotSent(f"no connection to {host} within {seconds:g} s")
    return NoAnswer(f"no answer of {host} within {seconds:g} s")


def describe(error: Exception, host: str) -> str:
    """A sentence for a person, with the reason that the operating system gives, if any."""
    told = _underneath(error)
    for kind, sentence in _SENTENCES:
        if isinstance(told, kind):
            detail = _system_words(told)
            return sentence.format(host=host) + (f": {detail}" if detail else "")
    return f"the call to {host} failed ({type(told).__name__})"


def is_certificate_problem(error: BaseException) -> bool:
    """Whether a refused certificate is anywhere behind `error`."""
    kinds = (ssl.SSLCertVerificationError, aiohttp.ClientConnectorCertificateError)
    return any(isinstance(link, kinds) for link in chain(error))


def chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and everything that led to it."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _came_while_connecting(error: Exception) -> bool:
    told = _underneath(error)
    if isinstance(told, TooLate):
        return True
    kinds = _WHILE_CONNECTING if isinstance(told, aiohttp.ClientError) else _WHILE_CONNECTING_ELSEWHERE
    return isinstance(told, kinds)


def _underneath(error: Exception) -> Exception:
    """aiohttp's exception where a transport has put one of httpx's over it."""
    cause = error.__cause__
    return cause if isinstance(cause, aiohttp.ClientError) else error


def _system_words(error: BaseException) -> str | None:
    """The reason from OpenSSL or the operating system: fixed texts, which repeat nothing of the request."""
    links = [link for link in chain(error) if isinstance(link, OSError)]
    for link in links:
        # By inheritance, aiohttp's own certificate error is OpenSSL's too, but lacks the attribute.
        if words := getattr(link, "verify_message", None):
            return str(words)
    return next((words for link in links if (words := _os_words(link))), None)


def _os_words(error: OSError) -> str | None:
    """asyncio writes an address where the reason should be. OpenSSL and the resolver count errors apart."""
    own_numbers = isinstance(error, ssl.SSLError | socket.gaierror)
    return os.strerror(error.errno) if error.errno and error.errno > 0 and not own_numbers else error.strerror
