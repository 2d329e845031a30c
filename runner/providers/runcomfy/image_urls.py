"""An image's address as a result has it, made whole. Whether it may be fetched is decided elsewhere."""

import re
from urllib.parse import quote, urljoin

_UNWRITTEN = re.compile(r"[ \u0080-\U0010ffff]")
"""What a browser writes as percent signs: spaces, and letters that are not ASCII. All else stays as it is: a
signature covers it, and what has no place in a URL is refused later."""


def absolute(address: str, origin: str) -> str:
    """`address` with its odd letters percent-encoded, and made whole by the API's `origin` if it has none."""
    written = _UNWRITTEN.sub(lambda odd: quote(odd[0], errors="replace"), address.strip())
    try:
        return urljoin(f"{origin}/", written)
    except ValueError:
        return written
