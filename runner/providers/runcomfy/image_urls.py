"""The addresses of a result's images, made whole. Whether they may be fetched is decided elsewhere."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

_DEEPEST = 4
_MOST_URLS = 64
_LONGEST_URL = 8192
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_UNWRITTEN = re.compile(r"[ \u0080-\ud7ff\ue000-\U0010ffff]")
"""What a browser writes as percent signs: spaces, and letters that are not ASCII. All else stays as it is: a
signature covers it, and what has no place in a URL (half a surrogate pair) is refused later."""


def urls_in(output: Any, origin: str) -> tuple[str, ...]:
    """URLs in `output` alone (a result may repeat its inputs), in order, each once.

    The pages and clients know `image` and `images`. Other wrappings are read too, so that nothing paid for is
    lost: a bare URL, a list, `{"url": ...}`, a nested `output`.
    """
    found: dict[str, None] = {}

    def look(value: Any, depth: int) -> None:
        match value:
            case str() if 0 < len(value) <= _LONGEST_URL and len(found) < _MOST_URLS:
                found[value] = None
            case list() if depth:
                for item in value:
                    look(item, depth - 1)
            case Mapping() if depth:
                for name in ("image", "images", "url", "output"):
                    look(value.get(name), depth - 1)

    look(output, _DEEPEST)
    return tuple(absolute(url, origin) for url in found)


def absolute(address: str, origin: str) -> str:
    """`address` with its odd letters percent-encoded, and made whole by the API's `origin`."""
    written = _UNWRITTEN.sub(lambda odd: quote(odd[0]), address.strip())
    if _SCHEME.match(written):
        return written
    if written.startswith("//"):
        return f"{origin.partition(':')[0]}:{written}"
    return f"{origin}/{written.removeprefix('/')}"
