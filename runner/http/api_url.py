"""Base URLs of an API: checked once, in one spelling. The token goes to such a base and nowhere else."""

import ipaddress
import re

from jobs.errors import UsageProblem

_BASE = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(/[A-Za-z0-9._~-]+)*)/?"
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1"))
"""Not the standard library's `is_loopback`: from Python 3.13 on it includes ::ffff:127.0.0.1."""


def checked_base(text: str) -> str:
    """`text` as a base URL: host in lower case, no slash at the end.

    Raises UsageProblem for anything but http(s)://host[:port][/path], and for plain http to another machine:
    the token would cross the network readable.
    """
    scheme, host, port, path = _split(text)
    if scheme == "http" and not is_loopback(host):
        raise _refused("plain http is for loopback only, because the token would be readable on its way")
    number = "" if port == _DEFAULT_PORTS[scheme] else f":{port}"
    return f"{scheme}://{_bracketed(host)}{number}{path}"


def origin(base: str) -> str:
    """`scheme://host:port` of a base URL, the same for every spelling of one origin.

    Raises UsageProblem for what is no base URL.
    """
    scheme, host, port, _path = _split(base)
    return f"{scheme}://{_bracketed(host)}:{port}"


def split_origin(base: str) -> tuple[str, str, int]:
    """Scheme, host (an IPv6 address without brackets) and port of a base or an origin."""
    return _split(base)[:3]


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine by its name alone: `localhost`, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in _LOOPBACK)


def _split(text: str) -> tuple[str, str, int, str]:
    scheme, colon, rest = text.partition("://")
    authority, slash, path = rest.partition("/")
    found = _BASE.fullmatch(f"{scheme.lower()}{colon}{authority.lower()}{slash}{path}")
    if not found or ".." in found["host"] or not _path_is_plain(found["path"]):
        # The text is not repeated: what is refused here may hold a password.
        raise _refused("it must be https://host[:port][/path], without user, password, query and fragment")
    port = int(found["port"] or _DEFAULT_PORTS[found["scheme"]])
    if not 0 < port < 65536:
        raise _refused(f"{port} is no port")
    return found["scheme"], _plain_host(found["host"]), port, found["path"]


def _plain_host(host: str) -> str:
    if not host.startswith("["):
        return host
    try:
        return ipaddress.IPv6Address(host[1:-1]).compressed
    except ValueError:
        raise _refused(f"{host} is no IPv6 address") from None


def _path_is_plain(path: str) -> bool:
    return not any(name in {".", ".."} for name in path.split("/"))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _refused(why: str) -> UsageProblem:
    return UsageProblem(f"Invalid API base: {why}.")
