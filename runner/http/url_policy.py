"""Which image URLs may be fetched, and which network addresses connected to: protection against SSRF.

Somebody else writes an image's URL, and it is fetched from inside the user's network. So its host must be on
a list, and the host must resolve to the public internet: checked when the name is resolved, and again on the
address that a socket is opened for. A proxy resolves names itself: behind one, only the list protects.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx
from aiohttp.abc import AbstractResolver, ResolveResult

from jobs.errors import UsageProblem
from runner.http.api_url import is_loopback, origin, split_origin

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_HOST = re.compile(r"\.?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_URL = re.compile(
    r"https?://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?([/?#][!-\[\]-~]*)?", re.IGNORECASE
)
"""Narrow on purpose: parsers differ on backslashes, users, percent signs and unusual letters in a host."""
_LONGEST_URL = 8192

_NEVER = tuple(
    ipaddress.ip_network(block)
    for block in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",  # benchmarks
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "::/96",  # IPv4-compatible, deprecated
        "64:ff9b:1::/48",  # NAT64 of the local network
        "100::/64",
        "2001::/23",  # Teredo, ORCHID and other protocol assignments
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
"""Not public, whatever the standard library says: `is_global` differs between Python's releases
(3.11 calls 224.0.0.1, 64:ff9b::7f00:1 and 2002:7f00:1:: global)."""

_CARRIES_IPV4 = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64, as found on networks without IPv4
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4
)
"""IPv6 networks that carry an IPv4 address, and by how many bits that is shifted."""


class AddressRefused(OSError):
    """An address that may not be connected to. An OSError, so that aiohttp reports a failed connection."""


def is_public(address: Address) -> bool:
    """Whether `address` lies on the public internet, and so does the IPv4 address it may carry."""
    if isinstance(address, ipaddress.IPv6Address):
        for network, shift in _CARRIES_IPV4:
            if address in network:
                return is_public(ipaddress.IPv4Address((int(address) >> shift) & 0xFFFFFFFF))
    return address.is_global and not any(address in block for block in _NEVER)


@dataclass(frozen=True, slots=True)
class Blocked:
    """A URL or address that an image may not come from."""

    reason: str


@dataclass(frozen=True, slots=True)
class ImageUrlPolicy:
    """Where images may come from: the API's own origin and the listed hosts.

    A host is a name, or a suffix with its leading dot (`.example.com`: any host below it). Everything is
    https and public, except where the API is on this machine (the emulator): then its own origin, and a
    listed name of this machine, may be plain http.
    """

    api_origin: str
    hosts: tuple[str, ...] = ()
    anywhere: bool = False
    """For images that a sheet names and the API would fetch: any public host is allowed."""

    @classmethod
    def of(cls, base: str, hosts: Iterable[str] = ()) -> "ImageUrlPolicy":
        """The policy for an API base and further hosts. Raises UsageProblem for a text that is not a host."""
        return cls(origin(base), tuple(_checked_host(host) for host in hosts))

    @classmethod
    def of_references(cls, base: str) -> "ImageUrlPolicy":
        """The policy for probing the images that a sheet names, as the API at this base would fetch them.

        An API on this machine also fetches from this machine.
        """
        own = origin(base)
        here = is_loopback(split_origin(own)[1])
        return cls(own, ("localhost", "127.0.0.1", "::1") if here else (), anywhere=True)

    def check(self, text: str) -> httpx.URL | Blocked:
        """`text` as a URL that may be fetched, or why not. Checks the text alone, resolves nothing."""
        if len(text) > _LONGEST_URL or not _URL.fullmatch(text):
            return Blocked("the picture's address is not a plain https URL")
        try:
            url = parsed(text)
        except ValueError:
            return Blocked("the picture's address is not a URL")
        host = host_of(url)
        if url.port is not None and not 0 < url.port < 65536:
            return Blocked("the picture's address has no such port")
        if self._is_own(url):
            return url
        if url.scheme != "https" and not self._is_beside_the_api(host):
            return Blocked(f"{host} offers the picture over plain http")
        if not self._is_listed(host):
            return Blocked(f"pictures are not fetched from {host}")
        return url

    def check_address(self, host: str, port: int, text: str) -> None:
        """Raises AddressRefused unless `host` is listed and may resolve to the address `text`."""
        _scheme, own_host, own_port = split_origin(self.api_origin)
        own = (host, port) == (own_host, own_port)
        if not (own or self._is_listed(host)):
            raise AddressRefused(None, f"pictures are not fetched from {host}")
        address = _address(text)
        local = (own and is_loopback(own_host)) or self._is_beside_the_api(host)
        allowed = address.is_loopback if local else is_public(address)
        if not allowed:
            raise AddressRefused(None, f"{host} leads to {address}, which is not on the public internet")

    def open_socket(self, info: Any) -> socket.socket:
        """aiohttp's `socket_factory`: the last check of every connection, also of one to a bare address."""
        family, kind, protocol, _name, where = info
        _scheme, own_host, own_port = split_origin(self.api_origin)
        address = _address(where[0])
        beside = any(map(self._is_beside_the_api, self.hosts))
        local = is_loopback(own_host) and address.is_loopback and (beside or where[1] == own_port)
        if not local and not is_public(address):
            raise AddressRefused(None, f"{address} is not on the public internet")
        return socket.socket(family, kind, protocol)

    def _is_own(self, url: httpx.URL) -> bool:
        port = url.port or (443 if url.scheme == "https" else 80)
        return (url.scheme, host_of(url), port) == split_origin(self.api_origin)

    def _is_beside_the_api(self, host: str) -> bool:
        """Whether this is a listed name of the machine that the API is on."""
        _scheme, own_host, _port = split_origin(self.api_origin)
        return is_loopback(own_host) and is_loopback(host) and host in self.hosts

    def _is_listed(self, host: str) -> bool:
        return self.anywhere or any(
            host.endswith(entry) if entry.startswith(".") else host == entry for entry in self.hosts
        )


class GuardedResolver(AbstractResolver):
    """Resolves a name once and returns only what the policy allows: one bad address refuses them all.

    aiohttp connects to exactly what is returned, so a name that resolves differently a second time (DNS
    rebinding) gains nothing.
    """

    def __init__(self, policy: ImageUrlPolicy, resolver: AbstractResolver) -> None:
        self._policy = policy
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for entry in found:
            self._policy.check_address(host.lower(), port, entry["host"])
        return found

    async def close(self) -> None:
        await self._resolver.close()


def parsed(text: str) -> httpx.URL:
    """`text` as a URL that a request can be made of. Raises ValueError."""
    try:
        url = httpx.URL(text)
        # httpx decodes an `xn--` name only for a request, and complains only then: too late for a value.
        _display = url.host
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error
    return url


def host_of(url: httpx.URL) -> str:
    """The host as it is resolved; `url.host` is for display only."""
    return url.raw_host.decode("ascii")


def shown_host(text: str) -> str:
    """The host of any text that should be a URL, for a sentence."""
    try:
        return host_of(parsed(text)) or "nowhere"
    except ValueError:
        return "an address that is none"


def loopback_socket(info: Any) -> socket.socket:
    """aiohttp's `socket_factory` for an API base over plain http: connects to this machine alone."""
    family, kind, protocol, _name, where = info
    if not _address(where[0]).is_loopback:
        raise AddressRefused(None, f"{where[0]} is not on this machine, and plain http is for loopback only")
    return socket.socket(family, kind, protocol)


def _address(text: str) -> Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise AddressRefused(None, f"{text} is no network address") from None


def _checked_host(text: str) -> str:
    host = text.strip().lower()
    if not _HOST.fullmatch(host) or (host.startswith(".") and "." not in host[1:]):
        raise UsageProblem(
            f"{text!r} is not a host to fetch pictures from.",
            hint="Write a name (cdn.example.com), or a suffix with its leading dot (.example.com).",
        )
    return host
