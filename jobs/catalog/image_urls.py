"""URLs of reference images.

The API fetches them itself, by a plain GET without cookies or login, so each must be a public https URL
("File inputs" on every model page). The rules of an image's shape are published as `validations`, and
contradict themselves (see SHAPE_RULES); `image_rules` applies them.

Inputs name an image of this computer by its content until it is sent: then it gets a URL, or is put into the
request. So a file that moves is the same input, and one that changes is another.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from pydantic_core import PydanticCustomError

MOST_REFERENCES = 14

_SHAPE = "The aspect ratio range should be 1:16 to 16:1."
_TINY = "The uploaded image width and height must exceed 14 pixels."
_HUGE = "The uploaded image width and height must not exceed 6000 pixels."

# Published word for word, contradictions included. The ratio 0.625 is 10:16 where the sentence says 1:16; a
# newer sibling publishes 0.0625, so it is probably a slip. A side of 6000 passes the sentence, not the rule.
SHAPE_RULES = [
    {"validation_rule": rule, "validation_value": value, "validation_error": sentence}
    for rule, value, sentence in (
        ("file_size_mb<", 10, "File size must be less than 10 MB."),
        ("width/height>", 0.625, _SHAPE),
        ("width/height<", 16, _SHAPE),
        ("width_pixels>", 14, _TINY),
        ("height_pixels>", 14, _TINY),
        ("width_pixels<", 6000, _HUGE),
        ("height_pixels<", 6000, _HUGE),
    )
]

_BY_CONTENT = re.compile(r"picture:sha256:([0-9a-f]{64})\.(jpg|png)")

_GLUED = re.compile(r"(?:[^/=&?:,(@!%]|//)https?://", re.IGNORECASE)
"""A second address; not one that the first has in its path or query, as a proxy's has."""

_TWO = "Two addresses stand here as one: a bar separates them, as in one|other."
_NEEDED = "Put the picture where anyone can fetch it and give its https:// address."


def name_by_content(sha256: str, suffix: str) -> str:
    """The name of an image of this computer in inputs: its SHA-256 (hex), with `jpg` or `png`."""
    return f"picture:sha256:{sha256}.{suffix}"


def content_named(text: str) -> str | None:
    """The SHA-256 (hex) of the image of this computer that `text` names; None for anything else."""
    found = _BY_CONTENT.fullmatch(text)
    return found[1] if found else None


def reference(address: str) -> str:
    """Accept a URL that the API can fetch, or an image of this computer that is sent to it.

    Raises:
        PydanticCustomError: the API cannot fetch it; the context has a `hint`.
    """
    sentence = None if content_named(address) else why_not(address)
    if sentence is None:
        return address
    # Braces in the sentence would be read as a template, so it is passed as a value.
    hint = "" if sentence == _TWO else _NEEDED
    raise PydanticCustomError("reference", "{sentence}", {"sentence": sentence, "hint": hint})


def why_not(address: str) -> str | None:
    """Why the API cannot fetch this URL, as a sentence; None where it can.

    http is accepted for loopback hosts alone: a rehearsal against the emulator may serve its own images.
    """
    if "://" not in address:
        return _not_an_address(address)
    try:
        parts = urlsplit(address)
        host = parts.hostname
        _ = parts.port  # out of range raises only when asked for
        address.encode()  # half a character raises, a UnicodeEncodeError being a ValueError
    except ValueError:
        return "This address cannot be read."
    if not host or any(letter <= " " or letter == "\x7f" for letter in address):
        return "This address cannot be read: a host is missing, or a space or line break is inside."
    if _GLUED.search(address):
        return _TWO
    return _not_public(parts.scheme, host)


def is_of_this_machine(address: str) -> bool:
    """Whether a URL names this machine: the API itself cannot fetch it."""
    host = urlsplit(address).hostname or ""
    ip = _ip(host)
    return host == "localhost" if ip is None else ip.is_loopback


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _not_public(scheme: str, host: str) -> str | None:
    ip = _ip(host)
    if scheme == "http" and (host == "localhost" if ip is None else ip.is_loopback):
        return None
    if scheme != "https":
        return f"A public https address is needed, this one begins with {scheme}://."
    if ip is not None and not (ip.is_global or ip.is_loopback):
        return "This address is on a private network, where the API cannot fetch it."
    return None


def _not_an_address(address: str) -> str:
    if not address.strip():
        return "An address is empty."
    if address.lstrip()[:5].lower() == "data:":
        return "A picture inside the sheet (a data: URI) cannot be sent, a public https address is needed."
    return "This is not an address: what the API fetches has a public https address."
