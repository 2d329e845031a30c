"""What an address of a picture says itself: until when it holds, and whether it is only a page about one."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

_EPOCH = re.compile(r"[0-9]{9,10}(?:[0-9]{3})?")
_HEX_EPOCH = re.compile(r"[0-9a-f]{8}", re.IGNORECASE)
_UNTIL = ("expires", "expire", "expiry", "exp", "expiration", "expires_at")
_SIGNED = ("x-amz", "x-goog", "x-oss")
_DISCORD = ("cdn.discordapp.com", "media.discordapp.net")


@lru_cache(maxsize=4096)
def holds_until(address: str) -> datetime | None:
    """When the address runs out by its own query; None where it does not say, or not in a known way."""
    try:
        parts = urlsplit(address)
        query = {name.lower(): value for name, value in parse_qsl(parts.query)}
        return _until(query, parts.hostname or "")
    except (ValueError, OverflowError):
        return None


def _until(query: dict[str, str], host: str) -> datetime | None:
    for vendor in _SIGNED:
        begun, seconds = query.get(f"{vendor}-date"), query.get(f"{vendor}-expires")
        if begun and seconds:
            start = datetime.strptime(begun, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return start + timedelta(seconds=int(seconds))
    if host in _DISCORD and _HEX_EPOCH.fullmatch(query.get("ex", "")):
        return datetime.fromtimestamp(int(query["ex"], 16), UTC)
    if "sig" in query and "se" in query:
        found = datetime.fromisoformat(query["se"])
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    if "q-sign-time" in query:
        return datetime.fromtimestamp(int(query["q-sign-time"].partition(";")[2]), UTC)
    for name in _UNTIL:
        if _EPOCH.fullmatch(query.get(name, "")):
            seconds_since = int(query[name])
            return datetime.fromtimestamp(seconds_since / (1000 if seconds_since > 10**11 else 1), UTC)
    return None


_PAGES = (
    re.compile(r"drive\.google\.com/(?:file/|open|drive/)"),
    re.compile(r"docs\.google\.com/"),
    re.compile(r"(?:www\.)?dropbox\.com/(?!.*[?&](?:dl=1|raw=1))"),
    re.compile(r"github\.com/[^/]+/[^/]+/blob/(?!.*[?&]raw=)"),
    re.compile(r"gitlab\.com/.+/blob/"),
    re.compile(r"huggingface\.co/.+/blob/"),
    re.compile(r"(?:www\.)?imgur\.com/(?:a/|gallery/)?\w+/?$"),
    re.compile(r"(?:www\.)?flickr\.com/photos/"),
    re.compile(r"photos\.(?:google\.com|app\.goo\.gl)/"),
    re.compile(r"(?:onedrive\.live\.com|1drv\.ms)/"),
    re.compile(
        r"(?:www\.)?(?:instagram\.com/p|pinterest\.[a-z.]+/pin|unsplash\.com/photos|pexels\.com/photo)/"
    ),
)


@lru_cache(maxsize=4096)
def is_page(address: str) -> bool:
    """Whether the address is known to lead to a page that shows the picture, and not to the picture."""
    _, _, rest = address.partition("://")
    return any(page.match(rest) for page in _PAGES)
