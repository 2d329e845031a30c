"""JSON Lines: one record a line, UTF-8. Reading a line gives back the same record."""

import json
import re
from collections.abc import Mapping
from typing import Any

from jobs.manifests.columns import ColumnNames

# Many readers split lines at these too, and terminals act on some of them. They only occur inside strings.
_NOT_PLAIN = re.compile("[\x7f-\x9f\u2028\u2029]")
_AS_TEXT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class JsonLines:
    """Turns records into lines."""

    head = b""

    def __init__(self, _names: ColumnNames) -> None:
        pass

    def line(self, record: Mapping[str, Any]) -> bytes:
        """One record."""
        text = _AS_TEXT(record)
        if not text.isascii() or "\x7f" in text:
            text = _NOT_PLAIN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
        try:
            return text.encode() + b"\n"
        except UnicodeEncodeError:  # a lone surrogate in one of the user's columns
            return json.dumps(record, separators=(",", ":"), allow_nan=False).encode() + b"\n"
